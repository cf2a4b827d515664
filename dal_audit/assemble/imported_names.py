"""Which names of a module other modules take from it, by an import or as an attribute of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dal_audit.assemble.memo import file_query, query
from dal_audit.assemble.project import IMPORTS, Project
from dal_audit.assemble.symbols import SymbolId
from dal_audit.facts import DynamicImport, Import


@file_query(of=(IMPORTS,), depends_on=(Project.symbols,))
def _read_by(
    path: str, imports: Sequence[Import | DynamicImport], project: Project
) -> frozenset[SymbolId]:
    """Return the names of the project's modules that a file reads."""
    own = project.module_name(path)
    found = (project.symbols.symbol_of(project.absolute(name, path)) for name in _names(imports))
    return frozenset(part[0] for part in found if part is not None and part[0][0] != own)


def _names(imports: Sequence[Import | DynamicImport]) -> Iterator[str]:
    for fact in imports:
        if isinstance(fact, DynamicImport):
            yield from fact.names
            continue
        for target in fact.targets:
            yield target.name
            yield from (use.name for use in target.uses)


@query(depends_on=(_read_by,))
def _read(project: Project) -> frozenset[SymbolId]:
    return frozenset().union(*_read_by(project).values())


def is_read_elsewhere(module: str, name: str, project: Project) -> bool:
    """Return whether another module takes a name from a module, or all that it has by a star."""
    read = _read(project)
    return (module, name) in read or (module, "*") in read


def readers_of(module: str, name: str, project: Project) -> list[str]:
    """Return the files that take a name from a module, or all that it has by a star."""
    if not is_read_elsewhere(module, name, project):
        return []
    wanted = {(module, name), (module, "*")}
    return [path for path, read in _read_by(project).items() if not wanted.isdisjoint(read)]
