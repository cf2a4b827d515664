"""Text in double quotes: SQLite takes it for a string where no column has the name.

PostgreSQL takes it for a name, always, and finds no such column. Sources: SQLite's quirks.html
("Double-quoted String Literals Are Accepted"), PostgreSQL's sql-syntax-lexical.html.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from dal_audit.facts.sql import Change, CreateIndex, Expression, Structure
from dal_audit.schema.objects_model import SchemaError
from dal_audit.schema.reads import reading_of
from dal_audit.schema.state import State

_NO_COLUMN_AFTER: Final = frozenset({".", "AS", "::", "COLLATE", "CONSTRAINT", "OPERATOR"})
_NO_COLUMN_BEFORE: Final = frozenset({".", "("})
_BY_THE_SYSTEM: Final = frozenset({"cmax", "cmin", "ctid", "tableoid", "xmax", "xmin"})
_TEMPLATES: Final = frozenset("{}$%<")
_CURE: Final = "Write a string in single quotes."


def quoted_text_errors(state: State, structure: Structure) -> Iterator[SchemaError]:
    """Yield the expressions in which a text in double quotes can be no column, in PostgreSQL."""
    if state.is_sqlite:
        return
    for expression, table in _expressions(state, structure):
        text = _text_in(state, _before_results(expression.tokens), table)
        if text:
            reason = f"no column is called `{text}`"
            yield SchemaError(expression.span, (state.backend,), reason, _CURE)


def _expressions(state: State, structure: Structure) -> Iterator[tuple[Expression, str]]:
    """Yield the expressions of a statement without a query in it, each with its table."""
    match structure:
        case Change(table=table, source=Expression() as source) if table is not None:
            yield source, state.fold(table)
        case CreateIndex(table=table, where=Expression() as where):
            yield where, state.fold(table)
        case _:
            pass


def _before_results(tokens: Sequence[str]) -> Sequence[str]:
    """Return the tokens of a change without what it returns, where a name may be a new one."""
    words = [token.upper() for token in tokens]
    if "SELECT" in words:
        return ()
    return tokens[: words.index("RETURNING")] if "RETURNING" in words else tokens


def _text_in(state: State, tokens: Sequence[str], table: str) -> str:
    """Return the first text in double quotes that is no name; empty where there is none."""
    # What comes first is another name for the table: `UPDATE t "x" SET`.
    places = [at for at in range(1, len(tokens)) if _is_column(tokens, at)]
    if not places:
        return ""
    tables = reading_of(state, tokens, table).tables
    if not all(_is_known(state, own) for own in tables.values()):
        return ""
    names = (state.fold_token(tokens[at]) for at in places)
    return next((name for name in names if name not in tables and _is_free(state, name)), "")


def _is_column(tokens: Sequence[str], at: int) -> bool:
    """Return whether a token in double quotes can be nothing but a column of what is read."""
    before = tokens[at - 1].upper()
    after = tokens[at + 1] if at + 1 < len(tokens) else ""
    is_text = tokens[at][0] == '"' and _TEMPLATES.isdisjoint(tokens[at])
    return is_text and before not in _NO_COLUMN_AFTER and after not in _NO_COLUMN_BEFORE


def _is_known(state: State, table: str) -> bool:
    """Return whether all columns of a table are known."""
    relation = state.seen_table(table)
    return relation is not None and relation.complete


def _is_free(state: State, name: str) -> bool:
    """Return whether no table ever had a column of a name."""
    columns = state.former_columns.values()
    return name not in _BY_THE_SYSTEM and not any(name in own for own in columns)
