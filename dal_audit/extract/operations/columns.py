"""What a `Column` of SQLAlchemy comes to: its definition, and what is written beside it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from msgspec import Struct, field

from dal_audit.catalogue.constraint_names import NamedPart
from dal_audit.extract.operations.call_arguments import Arguments, joined, listed, quoted
from dal_audit.extract.operations.constraints import Written, constraint_text, foreign_key
from dal_audit.extract.operations.defaults import condition_text, default_text, truth_of
from dal_audit.extract.operations.types import Enumeration, TypeText, type_text
from dal_audit.extract.python.expression_uses import last_name
from dal_audit.extract.python.literal_values import follow_assignment
from dal_audit.extract.python.scopes import Scope

_BESIDE: Final = frozenset(
    {"ForeignKey", "Identity", "Computed", "Sequence", "CheckConstraint", "FetchedValue"}
)
"""What a column is given behind its type."""
_INTEGERS: Final = frozenset({"Integer", "INTEGER", "INT"})
_BOOLEANS: Final = frozenset({"type:Boolean", "type:BOOLEAN"})


class ColumnText(Struct):
    """A column: how it is written, the constraints that are written beside it, and its marks.

    `places` are what each mark is about, where that is not the whole operation.
    """

    name: str
    sql: str = ""
    type: TypeText = field(default_factory=TypeText)
    marks: dict[str, ast.expr | None] = field(default_factory=dict)
    constraints: list[Written] = field(default_factory=list)
    is_key: bool = False
    is_indexed: bool = False
    enumeration: Enumeration | None = None


class ColumnReader:
    """Reads the columns of one operation, for one engine."""

    def __init__(self, scope: Scope, engine: str) -> None:
        """Take where names are looked up, and the engine."""
        self.scope = scope
        self.engine = engine

    def column(self, node: ast.expr) -> ColumnText | None:
        """Return a column; None for an expression that is none, or of which nothing is known."""
        node = follow_assignment(node, self.scope)
        if not isinstance(node, ast.Call) or last_name(node.func) != "Column":
            return None
        arguments = Arguments(node, ("name",), self.scope)
        column = ColumnText(arguments.text("name"))
        rest = list(arguments.rest)
        declared = arguments.values.get("type_")
        if declared is None and rest and not self._is_beside(rest[0]):
            declared = rest.pop(0)
        column.type = type_text(declared, self.scope, self.engine)
        column.enumeration = column.type.enumeration
        column.marks.update(dict.fromkeys(column.type.marks, declared))
        self._declare(column, arguments, rest)
        return column

    def _is_beside(self, node: ast.expr) -> bool:
        node = follow_assignment(node, self.scope)
        return isinstance(node, ast.Call) and last_name(node.func) in _BESIDE

    def _declare(self, column: ColumnText, arguments: Arguments, rest: list[ast.expr]) -> None:
        """Write the column and note what is said of it."""
        column.is_key = arguments.is_true("primary_key")
        parts = [quoted(column.name), " ", column.type.sql]
        parts += self._default(column, arguments)
        for node in rest:
            parts += self._beside(column, node)
        if arguments.is_false("nullable") or (column.is_key and not arguments.is_true("nullable")):
            parts.append(" NOT NULL")
            column.marks["column.not-null"] = None
        column.sql = joined(*parts)
        for name in ("primary_key", "unique", "index"):
            if arguments.is_true(name):
                column.marks[f"column.{name}"] = arguments.values[name]
        if arguments.node("comment") is not None:
            column.marks["column.comment"] = arguments.values["comment"]
        if arguments.is_true("unique"):
            sql = joined("UNIQUE (", quoted(column.name), ")")
            column.constraints.append(Written(sql, part=NamedPart("uq", (column.name,))))
        column.is_indexed = arguments.is_true("index")
        self._note_key(column)

    def _default(self, column: ColumnText, arguments: Arguments) -> Iterator[str]:
        node = arguments.node("server_default")
        if node is None:
            return
        if isinstance(node, ast.Call) and last_name(node.func) in _BESIDE:
            yield from self._beside(column, node)
            return
        default = default_text(node, self.scope, self.engine)
        column.marks["column.default"] = node
        column.marks.update(dict.fromkeys(default.marks, node))
        truth = truth_of(node, self.scope) if is_boolean(column.type) else None
        if truth is not None:
            column.marks[f"default:truth-{truth[1]}"] = arguments.values["server_default"]
        yield joined(" DEFAULT ", default.sql)

    def _beside(self, column: ColumnText, node: ast.expr) -> Iterator[str]:
        """Yield what a column is given behind its type, as a clause of it."""
        written = node
        node = follow_assignment(node, self.scope)
        if not isinstance(node, ast.Call):
            return
        name = last_name(node.func)
        if name == "ForeignKey":
            own = foreign_key(node, [column.name], self.scope)
            column.marks["column.foreign-key"] = written
            column.marks[f"column.foreign-key:{'named' if own.name else 'unnamed'}"] = written
            column.constraints.append(own)
        elif name == "CheckConstraint":
            column.constraints.append(constraint_text(node, self.scope) or Written(""))
        elif name == "Identity":
            column.marks["column.identity"] = written
            column.marks["column.not-null"] = written
            if self.engine != "sqlite":
                yield " GENERATED BY DEFAULT AS IDENTITY"
        elif name == "Computed":
            yield from self._computed(column, node)

    def _computed(self, column: ColumnText, node: ast.Call) -> Iterator[str]:
        arguments = Arguments(node, ("sqltext", "persisted"), self.scope)
        text = condition_text(arguments.node("sqltext"), self.scope) or "NULL"
        kind = " STORED" if not arguments.is_false("persisted") else ""
        if arguments.is_true("persisted"):
            column.marks["column.stored"] = node
        yield joined(" GENERATED ALWAYS AS (", text, ")", kind)

    def _note_key(self, column: ColumnText) -> None:
        """Note that a key is no counter on SQLite, for it counts `INTEGER` alone."""
        is_other = bool(column.marks.keys() & {"type:BigInteger", "type:SmallInteger"})
        if self.engine == "sqlite" and column.is_key and is_other:
            column.marks["column.big-key"] = None


def is_boolean(declared: TypeText) -> bool:
    """Return whether a type is SQLAlchemy's for what is true or false."""
    return not _BOOLEANS.isdisjoint(declared.marks)


def key_of(columns: list[ColumnText]) -> Written:
    """Return the primary key that columns make together; of no text where none does."""
    names = [column.name for column in columns if column.is_key]
    keys = listed([quoted(name) for name in names])
    sql = joined("PRIMARY KEY (", keys, ")") if names else ""
    return Written(sql, part=NamedPart("pk", tuple(names)))
