"""The reaches of all projects: those of findings, and storage's own."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from dal_audit.assemble.project import Project
from dal_audit.audit import audit_project, projects_of
from dal_audit.discover.errors import UsageError
from dal_audit.facts import DynamicImport, Import, Place, Span
from dal_audit.policy.request import Request
from dal_audit.report.merge import ProjectResult, merge
from dal_audit.report.reach import Reach, counted, package_of, reaches_of

_SCOPES: Final = frozenset({"driver", "python", "rust"})
"""What blind spots are about that may hide a reach."""


class Graph(Struct, frozen=True):
    """Which packages reach which drivers; `unread` says what was not followed, a line each.

    Paths are relative to the current folder.
    """

    reaches: tuple[Reach, ...]
    unread: tuple[str, ...]
    version: str


def graph_of(request: Request, *, drivers: Sequence[str], packages: Sequence[str]) -> Graph:
    """Return the graph of the projects that are asked for.

    `drivers` and `packages` limit it to those, where there are any. Raises as `audit` does, and
    UsageError for a driver that the catalogue does not know, or a package that is not there.
    """
    plan = projects_of(request)
    parts = [audit_project(scope, request) for scope in plan.scopes]
    report = merge(parts, plan, request)
    found = [
        _moved(reach, plan.base, request.folder)
        for reach in (*reaches_of(report.findings), *_of_storages(parts, plan.base))
    ]
    _check_drivers(drivers, parts)
    _check_packages(packages, parts, request.folder)
    kept = [
        reach
        for reach in sorted(found)
        if (not drivers or reach.driver in drivers)
        and (not packages or any(_lies_in(reach.package, name) for name in packages))
    ]
    unread = tuple(spot.reason for spot in report.blind_spots if spot.scope in _SCOPES)
    return Graph(tuple(kept), unread, report.version)


def _moved(reach: Reach, base: Path, folder: Path) -> Reach:
    """Return a reach whose paths count from a folder, and no longer from the base."""

    def move(path: str) -> str:
        return Path(os.path.relpath(base / path, folder)).as_posix()

    place = Place(move(reach.place.path), reach.place.span)
    through = tuple(map(move, reach.through))
    return replace(reach, package=move(reach.package), through=through, place=place)


def _of_storages(parts: Iterable[ProjectResult], base: Path) -> list[Reach]:
    return counted(reach for part in parts for reach in _of_storage(part, base))


def _of_storage(part: ProjectResult, base: Path) -> Iterator[Reach]:
    """Yield what storage itself imports of drivers, which nobody minds."""
    project = part.project
    for path, name, span in _imports(project):
        driver = project.driver_of(name, path) if project.in_storage(path) else None
        if driver is not None:
            place = Place(_from_base(path, part, base), span)
            yield Reach(driver.name, package_of(place.path), (), "storage", 1, place)


def _imports(project: Project) -> Iterator[tuple[str, str, Span]]:
    """Yield what files import: their paths, the dotted names, and where these stand."""
    for file in project.files:
        for fact in file.facts:
            if isinstance(fact, Import):
                yield from ((file.path, target.name, target.span) for target in fact.targets)
            elif isinstance(fact, DynamicImport):
                yield from ((file.path, name, fact.span) for name in fact.names)


def _from_base(path: str, part: ProjectResult, base: Path) -> str:
    root = Path(os.path.relpath(part.root, base)).as_posix()
    return os.path.normpath(f"{root}/{path}")


def _check_drivers(names: Iterable[str], parts: Iterable[ProjectResult]) -> None:
    known = {driver.name for part in parts for driver in part.project.catalogue.drivers}
    for name in names:
        if name not in known:
            raise UsageError(f"error: there is no driver `{name}`{_meant(name, known)}")


def _check_packages(names: Iterable[str], parts: Iterable[ProjectResult], base: Path) -> None:
    known = {
        package_of(_from_base(file.path, part, base))
        for part in parts
        for file in part.project.files
    }
    for name in names:
        if not any(_lies_in(package, name) for package in known):
            raise UsageError(f"error: there is no package `{name}`{_meant(name, known)}")


def _meant(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, sorted(known), 1)
    return f"; did you mean `{close[0]}`?" if close else ""


def _lies_in(package: str, name: str) -> bool:
    """Return whether a package is one that is named, or lies in it.

    A name is a folder's path, or a dotted one, and may begin below the root.
    """
    path = name.strip("/").removeprefix("./") if "/" in name else name.replace(".", "/")
    return path in {"", "/"} or f"/{path}/" in f"/{package}/"
