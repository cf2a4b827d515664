"""Which names of a module other modules take from it, by an import or as an attribute of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dal_audit.assemble.memo import file_query, query
from dal_audit.assemble.project import IMPORTS, Project
from dal_audit.facts import DynamicImport, FileFacts, Import


def uses_of_imports(file: FileFacts) -> frozenset[tuple[int, int]]:
    """Return where uses of imported names begin: what those give is a matter of the import."""
    return frozenset(
        (use.span.line, use.span.column)
        for fact in file.facts
        if isinstance(fact, Import)
        for target in fact.targets
        for use in target.uses
    )


@file_query(of=(IMPORTS,), depends_on=(Project.names,))
def _named_by(path: str, imports: Sequence[Import | DynamicImport], project: Project) -> str:
    """Return the absolute names that a file's imports are about, and their uses, a line each."""
    return "\n".join({project.absolute(name, path): None for name in _names(imports)})


def _names(imports: Sequence[Import | DynamicImport]) -> Iterator[str]:
    for fact in imports:
        if isinstance(fact, DynamicImport):
            yield from fact.names
            continue
        for target in fact.targets:
            yield target.name
            yield from (use.name for use in target.uses)


@file_query(of=(IMPORTS,))
def _owners_in(
    _path: str, imports: Sequence[Import | DynamicImport], _project: Project
) -> frozenset[str]:
    """Return the dotted names that a file reaches by an import above, and reads attributes of."""
    targets = (target for fact in imports if isinstance(fact, Import) for target in fact.targets)
    return frozenset(
        name
        for target in targets
        for use in target.uses
        for name in _owners(use.name)
        if name.startswith(f"{target.name}.")
    )


def _owners(name: str) -> Iterator[str]:
    """Yield what a dotted name is read from, from the inside out."""
    while name := name.rpartition(".")[0]:
        yield name


@query(depends_on=(_owners_in,))
def _all_owners(project: Project) -> frozenset[str]:
    return frozenset().union(*_owners_in(project).values())


def is_reached_otherwise(name: str, project: Project) -> bool:
    """Return whether a file has an attribute of a dotted name by way of what it imports above it.

    Where the name is a module, another import has to load it.
    """
    return name in _all_owners(project)


def _readers(module: str, name: str, project: Project) -> Iterator[str]:
    """Yield the files of other modules that take a name from a module, or all of it by a star.

    A symbol's name is a part of each name that leads to it, also by a module's other name; so few
    names are looked up.
    """
    wanted = {(module, name), (module, "*")}
    for path, named in _named_by(project).items():
        if name not in named and "*" not in named:
            continue
        found = (
            project.symbols.symbol_of(absolute)
            for absolute in named.split("\n")
            if name in absolute or absolute.endswith("*")
        )
        is_reader = any(part is not None and part[0] in wanted for part in found)
        if is_reader and project.module_name(path) != module:
            yield path


def is_read_elsewhere(module: str, name: str, project: Project) -> bool:
    """Return whether another module takes a name from a module, or all that it has by a star."""
    return any(_readers(module, name, project))


def readers_of(module: str, name: str, project: Project) -> list[str]:
    """Return the files that take a name from a module, or all that it has by a star."""
    return list(_readers(module, name, project))
