"""Which version of SQLAlchemy a project needs at least, by what it imports of it.

What a version brought shows that no older one is in use. Source: SQLAlchemy's "What's New in 2.0".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from dal_audit.assemble.memo import file_query, query
from dal_audit.assemble.project import IMPORTS, Project
from dal_audit.facts import DynamicImport, Import

_OLDEST: Final = (1, 4)
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
    """Return the version that a file needs."""
    names = {target.name for fact in imports if isinstance(fact, Import) for target in fact.targets}
    versions = (version for version, brought in _BROUGHT.items() if not brought.isdisjoint(names))
    return max(versions, default=_OLDEST)


@query(depends_on=(_needed,), cuts_off=True)
def sqlalchemy_version(project: Project) -> tuple[int, ...]:
    """Return the oldest version of SQLAlchemy that a project may run on."""
    return max(_needed(project).values(), default=_OLDEST)
