"""What SQLAlchemy's compilers make of a type, on one engine."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from dal_audit.catalogue.operations import sqlalchemy_types
from dal_audit.extract.holes import UNKNOWN
from dal_audit.extract.operations.call_arguments import (
    Arguments,
    joined,
    listed,
    members_of,
    name_in,
    origin_of,
)
from dal_audit.extract.operations.enumeration_classes import class_label
from dal_audit.extract.python.expression_uses import last_name
from dal_audit.extract.python.literal_values import follow_assignment
from dal_audit.extract.python.scopes import Scope

UNKNOWN_TYPE: Final = "unknown"
"""The word for a type of which nothing is known: PostgreSQL's own name for that."""

_PARAMETERS: Final = {
    "ARRAY": ("item_type",),
    "Numeric": ("precision", "scale"),
    "NUMERIC": ("precision", "scale"),
    "DECIMAL": ("precision", "scale"),
    "Enum": (),
    "ENUM": (),
    "DateTime": ("timezone",),
    "TIMESTAMP": ("timezone",),
    "Time": ("timezone",),
    "TIME": ("timezone",),
}
_PREFIXES: Final = ("sqlalchemy.", "sqlmodel.")
_OTHER_DIALECTS: Final = (".mysql.", ".mssql.", ".oracle.")


class Enumeration(Struct, frozen=True):
    """An enumeration: its name, None where that is not known, and its labels as SQL."""

    name: str
    labels: str
    is_made: bool = True
    """Whether making a table makes it, too."""


class TypeText(Struct, frozen=True):
    """A type as an engine's SQL has it, and the words by which a form is known (`type:ARRAY`)."""

    sql: str = UNKNOWN_TYPE
    marks: tuple[str, ...] = ()
    enumeration: Enumeration | None = None


def type_text(node: ast.expr | None, scope: Scope, engine: str) -> TypeText:
    """Return what an expression that is a type comes to on an engine."""
    if node is None:
        return TypeText()
    node = follow_assignment(node, scope)
    if not isinstance(node, ast.Call):
        return _plain(origin_of(node, scope), engine)
    if last_name(node.func) == "with_variant":
        return _variant(node, scope, engine)
    origin = origin_of(node.func, scope)
    name = origin.rpartition(".")[2]
    if not origin.startswith(_PREFIXES):
        return TypeText()
    arguments = Arguments(node, _PARAMETERS.get(name, ("length",)), scope)
    if name in {"Enum", "ENUM"}:
        return _enum(origin, arguments, engine)
    if name == "ARRAY":
        item = type_text(arguments.node("item_type"), scope, engine)
        return TypeText(f"{item.sql}[]", ("type", "type:ARRAY", *item.marks))
    return _named(origin, arguments, engine)


def _plain(origin: str, engine: str) -> TypeText:
    """Return a type that is named without arguments: a class."""
    return _named(origin, None, engine) if origin.startswith(_PREFIXES) else TypeText()


def _named(origin: str, arguments: Arguments | None, engine: str) -> TypeText:
    name = origin.rpartition(".")[2]
    marks: tuple[str, ...] = ("type", f"type:{name}")
    if any(dialect in origin for dialect in _OTHER_DIALECTS):
        dialect = origin.split(".")[-2]
        marks = ("type", f"type:{dialect}", f"type:{dialect}.{name}")
    elif ".sqlite." in origin:
        marks = ("type", f"type:sqlite.{name}")
    elif ".postgresql." in origin:
        marks = (*marks, f"type:postgresql.{name}")
    row = sqlalchemy_types().get(name)
    spelled = row.spelled.get(engine, "") if row is not None else ""
    marks = (*marks, *_collation(arguments))
    if not spelled:
        return TypeText(UNKNOWN_TYPE, marks)
    return TypeText(_filled(spelled, arguments), marks)


def _collation(arguments: Arguments | None) -> tuple[str, ...]:
    collation = arguments.text("collation") if arguments is not None else ""
    return (f"collation:{collation}",) if collation and UNKNOWN not in collation else ()


def _filled(spelled: str, arguments: Arguments | None) -> str:
    """Return a type with its arguments."""
    if "{" not in spelled:
        return spelled
    length = precision = zone = ""
    if arguments is not None:
        length = _sized(arguments, "length")
        precision = _sized(arguments, "precision", "scale")
        zone = " WITH TIME ZONE" if arguments.is_true("timezone") else ""
    if spelled.startswith("TIME"):
        zone = zone or " WITHOUT TIME ZONE"
    return spelled.format(length=length, precision=precision, zone=zone)


def _sized(arguments: Arguments, *names: str) -> str:
    given = [arguments.text(name) for name in names if arguments.node(name) is not None]
    if not given or any(UNKNOWN in text for text in given):
        return ""
    return f"({', '.join(given)})"


def _variant(node: ast.Call, scope: Scope, engine: str) -> TypeText:
    """Return a type with others for some dialects, as `with_variant` gives it."""
    dialects = {name_in(argument, scope) for argument in node.args[1:]}
    if UNKNOWN in dialects:
        return TypeText()
    if engine in dialects:
        return type_text(node.args[0], scope, engine)
    owner = node.func.value if isinstance(node.func, ast.Attribute) else None
    return type_text(owner, scope, engine)


def _enum(origin: str, arguments: Arguments, engine: str) -> TypeText:
    name = arguments.text("name")
    is_own = ".postgresql." in origin
    marks = ["type", "type:ENUM" if is_own else "type:Enum"]
    if arguments.is_false("native_enum"):
        return TypeText("VARCHAR", (*marks, "native_enum"))
    is_of_class = len(arguments.rest) == 1 and not _is_text(arguments.rest[0], arguments.scope)
    if is_of_class and not name and arguments.is_whole:
        name = class_label(arguments.rest[0], arguments.scope)
    if not name and not is_of_class and arguments.is_whole:
        return TypeText("VARCHAR", (*marks, "unnamed"))
    if engine == "sqlite" or not name or UNKNOWN in name:
        return TypeText("VARCHAR" if engine == "sqlite" else UNKNOWN_TYPE, (*marks, "named"))
    is_made = not (is_own and arguments.is_false("create_type"))
    labels = list(_labels(arguments))
    made = Enumeration(name, listed(labels) if all(labels) else "", is_made)
    return TypeText(joined('"', name, '"'), (*marks, "named"), made)


def _is_text(node: ast.expr, scope: Scope) -> bool:
    return UNKNOWN not in name_in(node, scope)


def _labels(arguments: Arguments) -> Iterator[str]:
    """Yield the labels as SQL; an empty one where it is not known."""
    for label in arguments.rest:
        inner = label.value if isinstance(label, ast.Starred) else label
        several = members_of(inner, arguments.scope) or [label]
        for member in several:
            text = "" if isinstance(member, ast.Starred) else name_in(member, arguments.scope)
            yield joined("'", text, "'") if text and UNKNOWN not in text else ""
