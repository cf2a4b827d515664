"""Premises: assumptions that many findings hang on, and the line of configuration that decides."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePosixPath
from typing import Final

from dal_audit.assemble.orm_models import only_declares
from dal_audit.assemble.project import Project
from dal_audit.assemble.storage_places import ASIDE
from dal_audit.catalogue.engine_names import ENGINE_TITLES
from dal_audit.catalogue.engine_words import engine_of
from dal_audit.facts import ConnectionUrl, Import
from dal_audit.judge.breach import Finding

LEAST: Final = 10
"""Findings from which it is said what they hang on."""

PROPOSED: Final = 4
"""Entries that a proposed line of configuration holds."""


def premises(findings: Iterable[Finding], project: Project) -> Iterator[str]:
    """Yield a sentence, without a full stop, on each assumption that many findings hang on."""
    found = [finding for finding in findings if finding.standing == "open"]
    if len(found) >= LEAST:
        yield from _of_backends(found, project)
        yield from _of_storage(found, project)
        yield from _of_models(found, project)
        yield from _of_audited_files(found)


def _of_backends(found: Sequence[Finding], project: Project) -> Iterator[str]:
    """Yield that one engine rejects much, where nobody asked for it and nothing speaks to it."""
    policy = project.policy
    if policy.key_place_of(("backends",)) is not None:
        return
    rejected = Counter(finding.breach.fails_on for finding in found if finding.breach.fails_on)
    if len(rejected) != 1 or rejected.total() < LEAST:
        return
    rejecting = next(iter(rejected))
    left = [backend for backend in policy.backends if backend not in rejecting]
    if not left or not set(rejecting).isdisjoint(_engines_in_use(project)):
        return
    titles = " and ".join(ENGINE_TITLES[engine] for engine in rejecting)
    yield (
        f"{rejected.total()} of {len(found)} findings are that {titles} rejects what the project "
        f"runs, and no driver or URL of {titles} was seen; if it is for "
        f"{' and '.join(ENGINE_TITLES[engine] for engine in left)} alone, write "
        f"`backends = {_listed(left)}`"
    )


def _engines_in_use(project: Project) -> set[str]:
    """Return the engines of the drivers that are imported, and of the URLs that are written."""
    found: set[str] = set()
    for file in project.files:
        for fact in file.facts:
            if isinstance(fact, Import):
                drivers = (project.driver_of(name.name, file.path) for name in fact.targets)
                found.update(engine_of(driver.dialect) for driver in drivers if driver is not None)
            elif isinstance(fact, ConnectionUrl):
                found.add(engine_of(fact.store.lower()))
    return found - {""}


def _of_storage(found: Sequence[Finding], project: Project) -> Iterator[str]:
    """Yield that much hangs on where storage is, where that was guessed."""
    if project.policy.storage is not None:
        return
    outside = [finding for finding in found if finding.breach.driver]
    if 2 * len(outside) < len(found) or len(outside) < LEAST:
        return
    likely = implementing(outside, project)
    known = [*project.storage, *likely]
    guess = " or ".join(f"`{glob.removesuffix('/**')}`" for glob in project.storage[:2])
    says = f"was guessed to be {guess}" if guess else "was not found"
    line = f"`storage = {_listed(known)}`" if known else "`storage = [...]`"
    seen = f"`{likely[0]}` imports a driver and hands it on: " if likely else ""
    yield (
        f"{len(outside)} of {len(found)} findings hang on where storage is, which {says}; "
        f"{seen}write {line} if it is there"
    )


def implementing(found: Iterable[Finding], project: Project) -> list[str]:
    """Return the files outside storage that import a driver and hand it on, most findings first.

    That is what a module does that implements access to a database, whatever it is called.
    """
    importing = {finding.place.path for finding in found if finding.rule.name == "driver-import"}
    reached = Counter(finding.origin.place.path for finding in found if finding.origin is not None)
    return [
        path
        for path, count in sorted(reached.items(), key=lambda item: (-item[1], item[0]))
        if path in importing and count > 1 and not project.in_storage(path) and not is_aside(path)
    ][:PROPOSED]


def _of_models(found: Sequence[Finding], project: Project) -> Iterator[str]:
    """Yield that many imports serve the declarations of models alone, where nobody decided that."""
    if project.policy.key_place_of(("orm-models",)) is not None:
        return
    imports = {
        (finding.place.path, finding.breach.lines): finding.breach.driver
        for finding in found
        if finding.rule.name == "driver-import"
    }
    paths = {path for path, _ in imports}
    declaring = sum(
        only_declares(fact, driver, file.path, project)
        for file in project.files
        if file.path in paths
        for fact in file.facts
        if isinstance(fact, Import)
        for driver in (imports.get((file.path, (fact.statement.line, fact.statement.end_line))),)
        if driver
    )
    if declaring >= LEAST:
        yield (
            f"{declaring} of {len(found)} findings are imports that only declare ORM models; write "
            '`orm-models = "allow-imports"` if these may be declared anywhere'
        )


def _of_audited_files(found: Sequence[Finding]) -> Iterator[str]:
    """Yield that most findings lie in tests, examples or documentation."""
    folders = Counter(folder for finding in found if (folder := _aside(finding.place.path)))
    if 2 * folders.total() > len(found):
        line = _listed([folder for folder, _ in folders.most_common(PROPOSED)])
        yield (
            f"{folders.total()} of {len(found)} findings lie in tests, examples or documentation; "
            f"write `exclude = {line}` if these may reach the database as they like"
        )


def is_aside(path: str) -> bool:
    """Return whether a file is a test, an example, or documentation by its folder's name."""
    return bool(_aside(path))


def _aside(path: str) -> str:
    """Return the outermost folder of a path that holds tests, examples or documentation."""
    for folder in reversed(PurePosixPath(path).parents):
        if folder.name in ASIDE:
            return folder.as_posix()
    return ""


def _listed(values: Sequence[str]) -> str:
    """Return an array as TOML has it."""
    import json  # only where there is something to say

    return json.dumps(values, ensure_ascii=False)
