"""Imports that lead from one project of a repository into another, where nothing is followed.

Each configuration makes a project of its own, with its own storage and drivers. What one takes from
another is judged in neither: so it is said.
"""

from __future__ import annotations

import os
from collections.abc import Container, Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

from dal_audit.assemble.blind_spot import BlindSpot
from dal_audit.assemble.blind_spots import listed
from dal_audit.assemble.import_texts import imported_names
from dal_audit.assemble.module_names import longest_module
from dal_audit.assemble.project import Project
from dal_audit.facts import FileFacts, Import


def crossings(project: Project, others: Sequence[Project], base: Path) -> Iterator[BlindSpot]:
    """Yield what a project takes from others, or from the projects in its folders.

    `base` is the folder above all of them, from which an import may count, too.
    """
    if not others and not project.nested:
        return
    own, below = _parted(project)
    elsewhere = {*_names_of(below), *(name for other in others for name in _offered(other, base))}
    tops = {name.partition(".")[0] for name, _ in own}
    found = sorted(
        {
            f"`{module}` in {file.path}"
            for file in project.files
            for name in _imported(file)
            if (module := _elsewhere(project.absolute(name, file.path), elsewhere))
            and module.partition(".")[0] not in tops
        }
    )
    if found:
        reason = f"what another project hands out is not followed: {listed(found)}"
        yield BlindSpot("python", reason)


_Modules: TypeAlias = list[tuple[str, str]]
"""Dotted names of modules, each with its path from the project's root."""


def _parted(project: Project) -> tuple[_Modules, _Modules]:
    """Return a project's own modules, and those of the projects in its folders."""
    folders = tuple(f"{folder}/" for folder in project.nested)
    own: _Modules = []
    below: _Modules = []
    for name, path in project.names.files.items():
        (below if path.startswith(folders) else own).append((name, path))
    return own, below


def _names_of(modules: _Modules, folder: str = "") -> Iterator[str]:
    """Yield the names of modules, from their source roots and from a folder above."""
    for name, path in modules:
        yield name
        stem = f"{folder}{path}".rpartition(".")[0].removesuffix("/__init__")
        yield stem.replace("/", ".")


def _offered(project: Project, base: Path) -> Iterator[str]:
    """Yield the names by which others may import a project's modules."""
    folder = Path(os.path.relpath(project.policy.root, base)).as_posix()
    own, _ = _parted(project)
    yield from _names_of(own, "" if folder == "." else f"{folder}/")


def _imported(file: FileFacts) -> Iterator[str]:
    """Yield the dotted names that a file's statements import, as it spells them."""
    if file.importing is None:
        imports = (fact for fact in file.facts if isinstance(fact, Import))
        yield from (target.name for fact in imports for target in fact.targets)
    else:
        for statement in file.importing:
            yield from imported_names(statement)


def _elsewhere(name: str, modules: Container[str]) -> str:
    """Return the module of another project that a name leads to; empty where it leads to none.

    One that still begins with a dot leads out of the project's folder.
    """
    return name if name.startswith(".") else longest_module(name, modules)[0]
