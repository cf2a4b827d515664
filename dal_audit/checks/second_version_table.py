"""DAL405 second-version-table."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from dal_audit.audited_sets import up_scripts
from dal_audit.facts import Place
from dal_audit.migrations.model import VERSION_TABLES
from dal_audit.project import Project
from dal_audit.rule import Breach, Related, check
from dal_audit.sql_facts import CreateTable, SqlStatement

_PLAIN: Final = re.compile(
    r"(?:schema|db|database)_?(?:version|migration|revision|upgrade|history|changelog)s?"
    r"(?:_?(?:history|log|info|table))?"
    r"|(?:applied|executed|completed|run)_?migrations?"
    r"|migrations?_?(?:versions?|history|log|status|applied|journal|lock|tracker|tracking|state)"
)
"""Names that say that a table keeps a schema's version, whatever its columns are."""

_VAGUE: Final = re.compile(r"migrations?|versions?|revisions?|changelogs?|patches|upgrades")
"""Names that can be other things' as well: the columns decide."""

_WHAT: Final = frozenset(
    {"file", "file_name", "filename", "migration", "migration_id", "migration_name", "name",
     "revision", "script", "version", "version_id", "version_num", "version_number"}
)  # fmt: skip
_WHEN: Final = frozenset(
    {"applied", "applied_at", "applied_on", "batch", "checksum", "created_at", "date", "dirty",
     "executed_at", "finished_at", "hash", "installed_at", "installed_on", "migrated_at", "run_at",
     "run_on", "started_at", "success", "timestamp", "updated_at"}
)  # fmt: skip
_MORE: Final = frozenset(
    {"description", "duration", "execution_time", "id", "installed_by", "type"}
)

_OF_TOOLS: Final = frozenset(VERSION_TABLES.values()) - {"changes"}
"""The tables of all tools but Sqitch's, whose name says nothing outside of its schema."""


@check("DAL405")
def second_version_table(project: Project) -> Iterator[Breach]:
    """Flag a table of versions that a migration makes beside the one that the tool keeps.

    Where no tool is known that keeps one, and none is configured, the first that a set makes is the
    program's own.
    """
    firsts: dict[str, tuple[str, Place]] = {}
    for one, statements, path in up_scripts(project):
        root = one.root if one is not None else path.rpartition("/")[0]
        own = one.version_table if one is not None else project.policy.version_table or ""
        for statement in statements:
            table = statement.structure
            if not isinstance(table, CreateTable) or not _keeps_versions(table):
                continue
            name = table.name.name
            place = Place(path, table.name.span)
            kept = own.rpartition(".")[2].lower()
            related: tuple[Related, ...] = ()
            if not kept:
                first, where = firsts.setdefault(root, (name.lower(), place))
                kept, related = first, (Related(where, f"`{first}` is made here"),)
            if name.lower() != kept:
                yield _breach(statement, place, name, kept, related)


def _keeps_versions(table: CreateTable) -> bool:
    if table.temporary:
        return False
    name = table.name.name.lower().strip("_")
    if table.name.name.lower() in _OF_TOOLS or _PLAIN.fullmatch(name):
        return True
    if not _VAGUE.fullmatch(name):
        return False
    columns = {one.name.name.lower() for one in table.columns}
    only = columns <= _WHAT | _WHEN | _MORE
    return only and not columns.isdisjoint(_WHAT) and not columns.isdisjoint(_WHEN)


def _breach(
    statement: SqlStatement, place: Place, name: str, kept: str, related: tuple[Related, ...]
) -> Breach:
    return Breach(
        place,
        f"`{name}` is a second table of versions: `{kept}` tells what has run",
        extent=(statement.span.line, statement.span.end_line),
        related=related,
    )
