"""What SQLAlchemy's constraints come to in a table."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from dal_audit.catalogue.constraint_names import NOTHING, NamedPart
from dal_audit.extract.holes import UNKNOWN
from dal_audit.extract.operations.call_arguments import (
    Arguments,
    joined,
    listed,
    members_of,
    name_in,
    quoted,
    spread,
)
from dal_audit.extract.operations.defaults import condition_text
from dal_audit.extract.python.expression_uses import last_name
from dal_audit.extract.python.literal_values import follow_assignment
from dal_audit.extract.python.scopes import Scope
from dal_audit.facts.sql import MODEL_TABLE

_NO_CONDITION: Final = "1 = 1"
"""What stands for a condition of which nothing is known."""


class Written(Struct, frozen=True):
    """A constraint as SQL without its name, the name where it is given one, and its marks."""

    sql: str
    name: str = ""
    marks: tuple[str, ...] = ()
    part: NamedPart = NOTHING
    """What a naming convention makes a name of."""
    is_exact: bool = False
    """Whether no convention changes the name (`op.f`)."""
    is_read: bool = True
    """Whether it is known what the constraint is about."""


def named(name: str, sql: str) -> str:
    """Return a constraint with its name."""
    return joined("CONSTRAINT ", quoted(name), " ", sql) if name else sql


def reference(target: str, columns: Sequence[str] = ()) -> str:
    """Return what a foreign key refers to."""
    listing = joined(" (", listed([quoted(column) for column in columns]), ")") if columns else ""
    return joined("REFERENCES ", table_name(target), listing)


def table_name(name: str, schema: str = "") -> str:
    """Return a table's name, which a dot in it parts from its schema."""
    if schema:
        return joined(quoted(schema), ".", quoted(name))
    before, dot, after = name.rpartition(".")
    if not dot or MODEL_TABLE in name:
        return quoted(name)
    return joined(quoted(name[: len(before)]), ".", quoted(name[-len(after) :]))


def actions(arguments: Arguments) -> str:
    """Return the actions of a foreign key, and whether it can be deferred."""
    found = ""
    for name, words in (("ondelete", "ON DELETE"), ("onupdate", "ON UPDATE")):
        text = arguments.text(name)
        if text and UNKNOWN not in text:
            found = joined(found, " ", words, " ", text)
    return joined(found, deferred(arguments))


def deferred(arguments: Arguments) -> str:
    """Return whether a constraint can be deferred, as SQL."""
    found = " DEFERRABLE" if arguments.is_true("deferrable") else ""
    initially = arguments.text("initially")
    return (
        joined(found, " INITIALLY ", initially) if initially and UNKNOWN not in initially else found
    )


def foreign_key(node: ast.Call, columns: Sequence[str], scope: Scope) -> Written:
    """Return a column's `ForeignKey` as a constraint of its table."""
    arguments = Arguments(node, ("column",), scope)
    target = arguments.text("column")
    table, _, column = target.rpartition(".")
    name = arguments.text("name")
    if not table or UNKNOWN in target or arguments.is_true("use_alter"):
        return Written("", name)
    referred = (target[: len(table)], *([target[len(table) + 1 :]] if column else ()))
    return reference_text(arguments, name, columns, referred)


def reference_text(
    arguments: Arguments, name: str, columns: Sequence[str], referred: Sequence[str]
) -> Written:
    """Return a foreign key; `referred` are the table that it refers to, and the columns there."""
    own = listed([quoted(column) for column in columns])
    refers = reference(referred[0], referred[1:])
    sql = joined("FOREIGN KEY (", own, ") ", refers, actions(arguments))
    part = NamedPart("fk", tuple(columns), tuple(referred))
    return Written(sql, name, part=part, is_exact=is_exact(arguments.values.get("name")))


def is_exact(node: ast.expr | None) -> bool:
    """Return whether a name is one that no naming convention changes: `op.f("…")`, `conv("…")`."""
    return isinstance(node, ast.Call) and last_name(node.func) in {"f", "conv"}


def constraint_text(node: ast.expr, scope: Scope) -> Written | None:
    """Return a constraint that a table is given; None for what is none."""
    node = follow_assignment(node, scope)
    if not isinstance(node, ast.Call):
        return None
    read = _KINDS.get(last_name(node.func))
    return read(node, scope) if read is not None else None


def _key(node: ast.Call, scope: Scope, words: str) -> Written:
    arguments = Arguments(node, (), scope)
    given = spread(arguments.rest, scope)
    names = [name_in(argument, scope) for argument in given]
    name = arguments.text("name")
    if not names or any(isinstance(argument, ast.Starred) for argument in given):
        return Written("", name, is_read=False)
    marks = [f"constraint.{words.partition(' ')[0].lower()}"]
    marks += ["constraint.deferrable"] if arguments.is_true("deferrable") else []
    columns = listed([quoted(column) for column in names])
    sql = joined(words, " (", columns, ")", deferred(arguments))
    part = NamedPart("uq" if words == "UNIQUE" else "pk", tuple(names))
    return Written(sql, name, tuple(marks), part, is_exact(arguments.values.get("name")))


def _primary_key(node: ast.Call, scope: Scope) -> Written:
    return _key(node, scope, "PRIMARY KEY")


def _unique(node: ast.Call, scope: Scope) -> Written:
    return _key(node, scope, "UNIQUE")


def _foreign_keys(node: ast.Call, scope: Scope) -> Written:
    arguments = Arguments(node, ("columns", "refcolumns"), scope)
    name = arguments.text("name")
    if arguments.is_true("use_alter"):
        return Written("", name)
    own, others = arguments.members("columns"), arguments.members("refcolumns")
    if not own or not others:
        return Written("", name, is_read=False)
    targets = [name_in(other, scope) for other in others]
    table = targets[0].rpartition(".")[0]
    if not table or any(UNKNOWN in target for target in targets):
        return Written("", name, is_read=False)
    columns = [name_in(column, scope) for column in own]
    referred = [target[target.rindex(".") + 1 :] for target in targets]
    return reference_text(arguments, name, columns, [targets[0][: len(table)], *referred])


def _check(node: ast.Call, scope: Scope) -> Written:
    arguments = Arguments(node, ("sqltext",), scope)
    condition = condition_text(arguments.node("sqltext"), scope) or _NO_CONDITION
    name = arguments.text("name")
    exact = is_exact(arguments.values.get("name"))
    return Written(joined("CHECK (", condition, ")"), name, part=NamedPart("ck"), is_exact=exact)


def _exclude(node: ast.Call, scope: Scope) -> Written:
    arguments = Arguments(node, (), scope)
    return Written("", arguments.text("name"), ("constraint.exclude",))


_KINDS: Final = {
    "PrimaryKeyConstraint": _primary_key,
    "UniqueConstraint": _unique,
    "ForeignKeyConstraint": _foreign_keys,
    "CheckConstraint": _check,
    "ExcludeConstraint": _exclude,
}


def names_of(node: ast.expr | None, scope: Scope) -> list[str] | None:
    """Return the names in a list, or the one that stands for it; None where one is not known."""
    if node is None:
        return None
    members = members_of(node, scope)
    names = [name_in(member, scope) for member in (members if members is not None else [node])]
    return None if any(UNKNOWN in name for name in names) else names
