"""DAL310 data-change-in-ddl."""

from __future__ import annotations

from collections.abc import Iterator

from dal_audit.assemble.project import Project
from dal_audit.facts import FileFacts, Place
from dal_audit.facts.sql import Change, SqlStatement
from dal_audit.judge.breach import Breach
from dal_audit.judge.check import check
from dal_audit.judge.sql_portability import extent_of


@check("DAL310")
def data_change_in_ddl(fact: SqlStatement, file: FileFacts, project: Project) -> Iterator[Breach]:
    """Flag a statement that changes rows in the up or the down of a migration.

    A script that belongs to no set of migrations, such as a seed, may change data.
    """
    change = fact.structure
    if not isinstance(change, Change) or not project.sql_files.is_migration(file.path):
        return
    yield Breach(
        Place(file.path, fact.span),
        f"`{change.verb}` changes data{_whose(change)} in a migration, which should be pure DDL",
        extent=extent_of(fact, fact.span),
        fails_on=(),
    )


def _whose(change: Change) -> str:
    return f" of `{change.table.name}`" if change.table is not None else ""
