"""Which places of a project are its storage, where none is configured.

Names say it first; where none does, it is what implements access: the one place that imports
drivers and defines what others import.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from dal_audit.assemble.import_texts import imported_names
from dal_audit.assemble.module_names import ModuleNames
from dal_audit.facts import FileFacts, ModuleExports
from dal_audit.migrations.folders import is_home
from dal_audit.policy import compile_globs

STORAGE_NAMES: Final = frozenset(
    {"storage", "dal", "db", "database", "persistence", "repositories"}
)
"""What a storage package is called where none is configured."""

ASIDE: Final = frozenset({"tests", "test", "testing", "examples", "example", "docs", "doc"})
"""Folders of what is not the program itself: nothing in them makes the others' storage."""

_TEST: Final = re.compile(r"(?:^|/)(?:test_|conftest)[^/]*$")
"""The files of tests, which import drivers in any project, as migrations do."""


def storage_in(
    driver_importers: Sequence[str], files: Sequence[FileFacts], names: ModuleNames
) -> tuple[str, ...]:
    """Return the path globs of storage, given the files that import a driver."""
    folders = _storage_folders(driver_importers)
    named = tuple(f"{folder}/**" for folder in folders) or _storage_modules(driver_importers)
    if named:
        return named
    place = _access_place(driver_importers, _python(files))
    is_access = place and _implements(place, files) and _is_used(place, files, names)
    return (place,) if is_access else ()


def hangs_on_imports(driver_importers: Sequence[str], files: Sequence[FileFacts]) -> bool:
    """Return whether what storage is also hangs on who imports it: where no name tells it."""
    is_named = _storage_folders(driver_importers) or _storage_modules(driver_importers)
    return not is_named and bool(_access_place(driver_importers, _python(files)))


def _python(files: Sequence[FileFacts]) -> list[str]:
    return [file.path for file in files if file.path.endswith(".py")]


def _storage_folders(driver_importers: Sequence[str]) -> tuple[str, ...]:
    """Return the folders with a storage package's name below which a file imports a driver.

    One among tests, examples or documentation goes with another that is not.
    """
    found: set[str] = set()
    for path in driver_importers:
        parts = path.split("/")[:-1]
        index = next((at for at, part in enumerate(parts) if part in STORAGE_NAMES), None)
        if index is not None:
            found.add("/".join(parts[: index + 1]))
    is_programs = any(ASIDE.isdisjoint(folder.split("/")) for folder in found)
    return tuple(sorted(found)) if is_programs else ()


def _storage_modules(driver_importers: Sequence[str]) -> tuple[str, ...]:
    """Return single files with a storage package's name, where there is no such package."""
    named = (path for path in driver_importers if _stem(path) in STORAGE_NAMES)
    return tuple(sorted(path for path in named if ASIDE.isdisjoint(path.split("/"))))


def _access_place(driver_importers: Sequence[str], modules: Sequence[str]) -> str:
    """Return the glob of the one place that imports drivers, where no name says what storage is.

    That is a file, or a folder most of whose modules import one, and which is not most of the
    program; empty where there is none. Whether others use it is not asked.
    """
    importers = [path for path in driver_importers if not _is_aside(path)]
    folders = {path.rpartition("/")[0] for path in importers}
    if len(importers) == 1:
        return importers[0]
    if len(folders) != 1 or folders == {""}:
        return ""
    (folder,) = folders
    own = [path for path in modules if path.startswith(f"{folder}/") and _stem(path) != "__init__"]
    program = [path for path in modules if not _is_aside(path)]
    is_its_work = 2 * len(importers) >= len(own)
    return f"{folder}/**" if is_its_work and 2 * len(own) <= len(program) else ""


def is_named_storage(glob: str) -> bool:
    """Return whether a storage package has the name of one."""
    path = glob.removesuffix("/**")
    return path.rpartition("/")[2] in STORAGE_NAMES or _stem(path) in STORAGE_NAMES


def _is_aside(path: str) -> bool:
    is_test = not ASIDE.isdisjoint(path.split("/")) or _TEST.search(path) is not None
    return is_test or is_home(path.rpartition("/")[0])


def _stem(path: str) -> str:
    """Return a file's name without its last ending."""
    return path.rpartition("/")[2].rpartition(".")[0]


def _implements(place: str, files: Sequence[FileFacts]) -> bool:
    """Return whether a place defines anything: what only hands a driver's objects on is a leak."""
    covers = compile_globs((place,), anchored=True)
    facts = (fact for file in files if covers(file.path) for fact in file.facts)
    return any(isinstance(fact, ModuleExports) and fact.defines for fact in facts)


def _is_used(place: str, files: Sequence[FileFacts], names: ModuleNames) -> bool:
    """Return whether the program elsewhere imports what a place holds."""
    covers = compile_globs((place,), anchored=True)
    own = {names.of(file.path) for file in files if covers(file.path)}
    others = (file for file in files if not covers(file.path) and not _is_aside(file.path))
    return any(not own.isdisjoint(_imported(file, names)) for file in others)


def _imported(file: FileFacts, names: ModuleNames) -> Iterator[str]:
    """Yield what the statements of a file import, and what each of that lies in."""
    for statement in file.importing or ():
        for name in imported_names(statement):
            absolute = names.absolute(name, file.path)
            yield absolute
            yield absolute.rpartition(".")[0]
