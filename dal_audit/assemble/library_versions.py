"""Which version of a library a project needs at least: by its lock, its requirements, its imports.

What a version brought shows that no older one is in use. Source: SQLAlchemy's "What's New in 2.0".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from dal_audit.assemble.memo import file_query, query
from dal_audit.assemble.project import IMPORTS, LAYOUT, Project
from dal_audit.facts import DynamicImport, Import
from dal_audit.facts.migrations import LibraryNeed

ALEMBIC: Final = "alembic"
SQLALCHEMY: Final = "sqlalchemy"
DJANGO: Final = "django"
_OLDEST: Final = {SQLALCHEMY: (1, 4), DJANGO: (0,)}
"""What is judged where nothing tells the version."""
_TITLES: Final = {SQLALCHEMY: "SQLAlchemy", DJANGO: "Django"}
_BROUGHT: Final = {
    (2, 0): frozenset(
        {"sqlalchemy.DOUBLE", "sqlalchemy.DOUBLE_PRECISION", "sqlalchemy.Double",
         "sqlalchemy.UUID", "sqlalchemy.Uuid", "sqlalchemy.orm.DeclarativeBase",
         "sqlalchemy.orm.DeclarativeBaseNoMeta", "sqlalchemy.orm.Mapped",
         "sqlalchemy.orm.MappedAsDataclass", "sqlalchemy.orm.MappedColumn",
         "sqlalchemy.orm.WriteOnlyMapped", "sqlalchemy.orm.mapped_column",
         "sqlalchemy.types.Double", "sqlalchemy.types.Uuid"}
    ),
}  # fmt: skip


@file_query(of=(IMPORTS,))
def _needed(
    _path: str, imports: Sequence[Import | DynamicImport], _project: Project
) -> tuple[int, ...]:
    """Return the version of SQLAlchemy that a file needs."""
    names = {target.name for fact in imports if isinstance(fact, Import) for target in fact.targets}
    versions = (version for version, brought in _BROUGHT.items() if not brought.isdisjoint(names))
    return max(versions, default=_OLDEST[SQLALCHEMY])


@query(depends_on=(_needed, LAYOUT), cuts_off=True)
def sqlalchemy_version(project: Project) -> tuple[int, ...]:
    """Return the oldest version of SQLAlchemy that a project may run on."""
    shown = max(_needed(project).values(), default=_OLDEST[SQLALCHEMY])
    need = _need(project, SQLALCHEMY)
    return shown if need is None else max(shown, need.version)


def library_version(project: Project, library: str) -> tuple[int, ...]:
    """Return the oldest version of a library that a project may run on."""
    if library == SQLALCHEMY:
        return sqlalchemy_version(project)
    need = _need(project, library)
    return _OLDEST[library] if need is None else need.version


def alembic_version(project: Project) -> tuple[int, ...] | None:
    """Return the oldest version of Alembic that a project may run on; None where nobody says it."""
    need = _need(project, ALEMBIC)
    return None if need is None else need.version


def _need(project: Project, library: str) -> LibraryNeed | None:
    """Return what the files around migrations say of a library; None where they say nothing."""
    return dict(project.layout.needs).get(library)


def assumptions(project: Project) -> Iterator[str]:
    """Yield which version of SQLAlchemy is taken to run Alembic's revisions."""
    if not project.layout.imports:
        return
    need, version = _need(project, SQLALCHEMY), sqlalchemy_version(project)
    reason = "the oldest that is judged, for nothing tells another"
    if need is not None and need.version == version:
        reason = f"by `{need.path}`"
    elif version > _OLDEST[SQLALCHEMY]:
        reason = "by what is imported of it"
    yield f"{_TITLES[SQLALCHEMY]} {'.'.join(map(str, version))}: {reason}"
