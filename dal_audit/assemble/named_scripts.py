"""The SQL files that code of storage names, as those that it reads and runs.

A name is looked for from the module's own folder outwards: the files that end in it and have most
of their way in common with the module are meant.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dal_audit.assemble.memo import FactsInput, query
from dal_audit.assemble.project import AUDITED, Project
from dal_audit.facts.sql import SqlFileName

FILE_NAMES = FactsInput("file names", SqlFileName)


def scripts_named(project: Project, paths: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
    """Return those of some SQL files that code names, each with the modules that do so."""
    by_name: dict[str, list[str]] = {}
    for path in paths:
        by_name.setdefault(path.rpartition("/")[2], []).append(path)
    found: dict[str, list[str]] = {}
    for file in project.files:
        for fact in file.facts:
            if isinstance(fact, SqlFileName):
                for path in _meant(fact.name, file.path, by_name):
                    found.setdefault(path, []).append(file.path)
    return {path: tuple(dict.fromkeys(modules)) for path, modules in sorted(found.items())}


@query(depends_on=(FILE_NAMES, AUDITED))
def script_readers(project: Project) -> Mapping[str, tuple[str, ...]]:
    """Return the modules that name each audited SQL file."""
    return scripts_named(project, [file.path for file in project.files if is_script(file.path)])


def is_script(path: str) -> bool:
    """Return whether a file is one of SQL, by its name."""
    return path.lower().endswith(".sql")


def _meant(name: str, module: str, by_name: Mapping[str, list[str]]) -> list[str]:
    """Return the files that a name in a module can mean."""
    parts = [part for part in name.replace("\\", "/").split("/") if part not in {"", ".", ".."}]
    tail = "/".join(parts)
    ends = [
        path for path in by_name.get(parts[-1], ()) if path == tail or path.endswith(f"/{tail}")
    ]
    shared = {path: _shared(path, module) for path in ends}
    most = max(shared.values(), default=0)
    return [path for path in ends if shared[path] == most]


def _shared(path: str, module: str) -> int:
    """Return how many folders two paths have in common, from the root on."""
    count = 0
    for own, other in zip(path.split("/")[:-1], module.split("/")[:-1], strict=False):
        if own != other:
            break
        count += 1
    return count
