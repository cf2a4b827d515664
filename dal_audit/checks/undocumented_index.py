"""DAL406 undocumented-index."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from dal_audit.assemble.migration_sets import up_scripts
from dal_audit.assemble.project import Project
from dal_audit.facts import Place
from dal_audit.facts.sql import (
    AlterTable,
    Change,
    CreateObject,
    CreateTable,
    Drop,
    OtherStatement,
    SqlName,
    SqlStatement,
)
from dal_audit.judge.breach import Breach
from dal_audit.judge.check import check

_INDEXES: Final = re.compile(r"fts\d\w*|rtree\w*|geopoly|vec\d\w*|vss\d\w*|spellfix\d|hnsw\w*")
"""Modules whose virtual tables index what stands elsewhere (SQLite's, and its extensions')."""

_CACHE: Final = re.compile(
    r"(?:\w+_)?caches?(?:_(?:entr(?:y|ies)|items?|data|keys?|values?|store))?"
    r"|(?:\w+_)?(?:search|fulltext|full_text)_?(?:index(?:es)?|documents?|terms?)|(?:\w+_)?fts"
    r"|(?:\w+_)?(?:rollups?|denormali[sz]ed|materiali[sz]ed)(?:_\w+)?",
)
"""Names of tables that hold what was worked out from others."""

_HOW: Final = re.compile(
    r"re-?build|re-?built|re-?index|re-?fill|re-?popul|re-?generat|re-?comput|re-?calcul"
    r"|re-?creat|re-?construct|re-?deriv|re-?sync|re-?load|re-?fetch|re-?hydrat|back-?fill|refresh"
    r"|warm(?:s|ed)? up|(?:derived|filled|computed|generated|populated|made) (?:again )?(?:from|by)"
    r"|(?:safe|free) to (?:drop|delete|truncate|clear|lose)"
    r"|(?:can|may) (?:always |safely )?be (?:dropped|deleted|truncated|cleared|emptied|lost)",
    re.IGNORECASE,
)
"""Words that say how what is derived comes back."""


_ALL: Final = re.compile(r"\b(?:all|both|each|everything|they|these|are)\b", re.IGNORECASE)
"""Words by which a comment at the first statement speaks of others, too."""


@check("DAL406")
def undocumented_index(project: Project) -> Iterator[Breach]:
    """Flag what is derived from other tables and with no word on how it is rebuilt.

    Ordinary indexes, of whatever method, are the engine's: it keeps them, and `REINDEX` rebuilds
    them. So the rule is about what it does not keep: search tables, materialized views, tables made
    of a query, caches.
    """
    for _one, statements, path in up_scripts(project, "sql"):
        gone = {name: index for index, item in enumerate(statements) for name in _taken_away(item)}
        for index, statement in enumerate(statements):
            found = _derived(statement)
            if found is None:
                continue
            what, name = found
            is_step = gone.get(name.name.lower(), -1) > index
            if is_step or not gone.keys().isdisjoint(_sources(statement)):
                continue
            if _is_told(name.name, index, statements):
                continue
            yield Breach(
                Place(path, name.span),
                f"{what} `{name.name}` is derived, and nothing says how it is rebuilt",
                extent=(statement.span.line, statement.span.end_line),
            )


def _derived(statement: SqlStatement) -> tuple[str, SqlName] | None:
    """Return what a statement makes of other tables' rows, if it makes such a thing."""
    structure = statement.structure
    if isinstance(structure, CreateTable) and not structure.temporary:
        if structure.module:
            is_index = _INDEXES.fullmatch(structure.module.lower()) is not None
            return ("the search index", structure.name) if is_index else None
        if structure.query is not None:
            return "the table", structure.name
        return (
            ("the table", structure.name) if _CACHE.fullmatch(structure.name.name.lower()) else None
        )
    if (
        isinstance(structure, CreateObject)
        and structure.what == "materialized view"
        and structure.name is not None
    ):
        return "the materialized view", structure.name
    return None


def _taken_away(statement: SqlStatement) -> Iterator[str]:
    """Yield the tables that a statement drops or renames: what is made of them replaces them."""
    structure = statement.structure
    if isinstance(structure, Drop) and structure.what in {"table", "materialized view"}:
        yield from (name.name.lower() for name in structure.names)
    elif isinstance(structure, AlterTable) and any(
        item.kind == "rename-table" for item in structure.actions
    ):
        yield structure.table.name.lower()


def _sources(statement: SqlStatement) -> Iterator[str]:
    """Yield the words of the query that a table is made of.

    Where the migration takes away one of the tables in it, the rows were moved, and not derived.
    """
    structure = statement.structure
    if isinstance(structure, CreateTable) and structure.query is not None:
        yield from (token.strip('"`[]').lower() for token in structure.query.tokens)


def _is_told(name: str, index: int, statements: Sequence[SqlStatement]) -> bool:
    """Return whether the migration says how something is rebuilt, or does it.

    What counts is a comment at the statement, at the head of the migration, or one that names the
    thing; and a statement that rebuilds it.
    """
    head = " ".join(statements[0].comments)
    if _HOW.search(head) and (_derived(statements[0]) is None or _ALL.search(head)):
        return True
    word = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)", re.IGNORECASE)
    for number, statement in enumerate(statements):
        text = " ".join(statement.comments)
        if _HOW.search(text) and (number == index or word.search(text)):
            return True
        if _rebuilds(statement, name.lower()):
            return True
    return False


def _rebuilds(statement: SqlStatement, name: str) -> bool:
    """Return whether a statement rebuilds what is derived; the name is in small letters."""
    match statement.structure:
        case OtherStatement(words=("REFRESH", *_)):
            return True
        case Change(verb="INSERT", table=SqlName() as table, columns=columns):
            # FTS takes its commands so: INSERT INTO t (t) VALUES ('rebuild').
            first = columns[0].name.lower() if columns else ""
            return table.name.lower() == name == first
        case _:
            return False
