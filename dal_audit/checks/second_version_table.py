"""DAL405 second-version-table."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from dal_audit.assemble.migration_sets import up_scripts
from dal_audit.assemble.project import Project
from dal_audit.facts import Place
from dal_audit.facts.sql import CreateTable, SqlStatement
from dal_audit.judge.breach import Breach, Related
from dal_audit.judge.check import check
from dal_audit.judge.sql_portability import extent_of
from dal_audit.migrations.tools import SQITCH, TOOLS

_PLAIN: Final = re.compile(
    r"(?:schema|db|database)_?(?:version|migration|revision|upgrade|history|changelog)s?"
    r"(?:_?(?:history|log|info|table))?"
    r"|(?:applied|executed|completed|run)_?migrations?"
    r"|migrations?_?(?:versions?|history|log|status|applied|journal|tracker|tracking|state)"
)
"""Names that say that a table keeps a schema's version, unless its columns say otherwise."""

_VAGUE: Final = re.compile(r"migrations?|versions?|revisions?|changelogs?|patches|upgrades")
"""Names that can be other things' as well: the columns decide."""

_WHAT: Final = frozenset(
    {"file", "filename", "migration", "name", "num", "number", "patch", "release", "revision",
     "schema", "script", "upgrade", "version"}
)  # fmt: skip
_WHEN: Final = frozenset(
    {"applied", "batch", "checksum", "completed", "created", "date", "dirty", "executed",
     "finished", "hash", "installed", "migrated", "ran", "run", "started", "success", "time",
     "timestamp", "updated", "upgraded"}
)  # fmt: skip
_MORE: Final = frozenset(
    {"at", "by", "comment", "description", "duration", "execution", "id", "key", "ms", "of", "on",
     "order", "rank", "sequence", "singleton", "state", "status", "type"}
)  # fmt: skip
_WORD: Final = re.compile(r"[a-z]+")
_ODD: Final = 1
"""How many columns with other words a table may have that is named after a schema's version."""

_OF_TOOLS: Final = {tool.version_table for tool in TOOLS.values()} - {"", SQITCH.version_table}
"""The tables of all tools but Sqitch's, whose name says nothing outside of its schema."""


@check("DAL405")
def second_version_table(project: Project) -> Iterator[Breach]:
    """Flag a table of versions that a migration makes beside the one that the tool keeps.

    Where no tool is known that keeps one, and none is configured, the first that a set makes is the
    program's own.
    """
    firsts: dict[str, tuple[str, Place]] = {}
    for migration_set, statements, path in up_scripts(project, "sql", "python"):
        root = migration_set.root if migration_set is not None else path.rpartition("/")[0]
        own = (
            migration_set.version_table
            if migration_set is not None
            else project.policy.version_table or ""
        )
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
    words = [set(_WORD.findall(column.name.name.lower())) for column in table.columns]
    odd = sum(not word <= _WHAT | _WHEN | _MORE for word in words)
    if table.name.name.lower() in _OF_TOOLS or _PLAIN.fullmatch(name):
        return odd <= _ODD
    said = set[str]().union(*words)
    is_kept = not (odd or said.isdisjoint(_WHAT) or said.isdisjoint(_WHEN))
    return is_kept and _VAGUE.fullmatch(name) is not None


def _breach(
    statement: SqlStatement, place: Place, name: str, kept: str, related: tuple[Related, ...]
) -> Breach:
    return Breach(
        place,
        f"`{name}` is a second table of versions: `{kept}` tells what has run",
        extent=extent_of(statement, statement.span),
        related=related,
    )
