"""What Django's operations say of models: their fields, options, indexes and constraints.

Sources: Django's `db/migrations/operations/`, `db/models/fields/` and `db/models/options.py`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from msgspec.structs import replace

from dal_audit.extract.holes import UNKNOWN
from dal_audit.extract.operations.call_arguments import (
    Arguments,
    members_of,
    name_in,
    origin_of,
)
from dal_audit.extract.python.expression_uses import last_name
from dal_audit.extract.python.literal_values import follow_assignment
from dal_audit.extract.python.scopes import Scope
from dal_audit.facts.models import (
    COMPOSITE,
    FieldWord,
    IndexKind,
    ModelField,
    ModelIndex,
    ModelOperation,
    ModelOptions,
)

_OF_MODEL: Final = ("model_name", "name")
PARAMETERS: Final[dict[str, tuple[str, ...]]] = {
    "AddConstraint": ("model_name", "constraint"),
    "AddConstraintNotValid": ("model_name", "constraint"),
    "AddField": (*_OF_MODEL, "field", "preserve_default"),
    "AddIndex": ("model_name", "index"),
    "AddIndexConcurrently": ("model_name", "index"),
    "AlterConstraint": (*_OF_MODEL, "constraint"),
    "AlterField": (*_OF_MODEL, "field", "preserve_default"),
    "AlterIndexTogether": ("name", "index_together"),
    "AlterModelManagers": ("name", "managers"),
    "AlterModelOptions": ("name", "options"),
    "AlterModelTable": ("name", "table"),
    "AlterModelTableComment": ("name", "table_comment"),
    "AlterOrderWithRespectTo": ("name", "order_with_respect_to"),
    "AlterUniqueTogether": ("name", "unique_together"),
    "CreateModel": ("name", "fields", "options", "bases", "managers"),
    "DeleteModel": ("name",),
    "RemoveConstraint": _OF_MODEL,
    "RemoveField": _OF_MODEL,
    "RemoveIndex": _OF_MODEL,
    "RemoveIndexConcurrently": _OF_MODEL,
    "RenameField": ("model_name", "old_name", "new_name"),
    "RenameIndex": ("model_name", "new_name", "old_name", "old_fields"),
    "RenameModel": ("old_name", "new_name"),
    "ValidateConstraint": _OF_MODEL,
}
"""The parameters of each operation."""

_FIELD: Final = ("to", "on_delete")
_SIZES: Final = (("max_length",), ("max_digits", "decimal_places"))
_TRUE_WORDS: Final[dict[str, FieldWord]] = {
    "null": "null",
    "unique": "unique",
    "primary_key": "primary-key",
    "db_index": "index",
}
_FALSE_WORDS: Final[dict[str, FieldWord]] = {
    "db_index": "no-index",
    "db_constraint": "no-constraint",
}
_KINDS: Final[dict[str, IndexKind]] = {
    "UniqueConstraint": "unique",
    "CheckConstraint": "check",
    "ExclusionConstraint": "exclude",
}


def model_operation(call: ast.Call, scope: Scope) -> ModelOperation:
    """Return what one of Django's operations says."""
    name = last_name(call.func)
    arguments = Arguments(call, PARAMETERS[name], scope)
    model = next((own for own in ("model_name", "name", "old_name") if arguments.has(own)), "")
    is_of_part = "model_name" in PARAMETERS[name]
    said = ModelOperation(
        name,
        _known(arguments, model).lower(),
        field=_known(arguments, "old_name" if name.startswith("Rename") else "name")
        if is_of_part
        else "",
        new_name=_known(arguments, "new_name"),
    )
    part = arguments.node("field")
    if part is not None:
        field = model_field(said.field, part, scope)
        return replace(said, fields=(field,) if field is not None else (), is_whole=bool(field))
    index = arguments.node("index") or arguments.node("constraint")
    if index is not None:
        return replace(said, index=_index(index, scope))
    return _of_model(said, arguments)


def _of_model(said: ModelOperation, arguments: Arguments) -> ModelOperation:
    """Return an operation with what it says of a model as a whole."""
    if said.name == "CreateModel":
        members = arguments.members("fields")
        fields = [_named_field(member, arguments.scope) for member in members or ()]
        known = tuple(field for field in fields if field is not None)
        is_whole = members is not None and len(known) == len(fields)
        options = _options(arguments.node("options"), arguments.scope)
        keys = filter(None, (_key_of_several(own, arguments.scope) for own in members or ()))
        options = replace(options, indexes=(*options.indexes, *keys))
        return replace(said, fields=known, options=options, is_whole=is_whole)
    if said.name == "AlterModelOptions":
        return replace(said, options=_options(arguments.node("options"), arguments.scope))
    if said.name == "AlterUniqueTogether":
        together = _groups(arguments.node("unique_together"), arguments.scope)
        return replace(said, options=ModelOptions(together=together), is_whole=together is not None)
    if said.name == "AlterOrderWithRespectTo":
        field = _known(arguments, "order_with_respect_to")
        return replace(said, options=ModelOptions(ordered_by=field))
    if said.name == "AlterModelTable":
        return replace(said, options=ModelOptions(table=_known(arguments, "table")))
    return said


def _known(arguments: Arguments, name: str) -> str:
    """Return an argument that is a text; empty where it is not known."""
    text = arguments.text(name) if name else ""
    return "" if UNKNOWN in text else str(text)


def _text(node: ast.expr | None, scope: Scope) -> str:
    text = name_in(node, scope) if node is not None else ""
    return "" if UNKNOWN in text else str(text)


# Fields


def _named_field(member: ast.expr, scope: Scope) -> ModelField | None:
    """Return a pair of a name and a field."""
    pair = members_of(member, scope)
    if pair is None or len(pair) != len(_OF_MODEL):
        return None
    name = _text(pair[0], scope)
    return model_field(name, pair[1], scope) if name else None


def model_field(name: str, node: ast.expr, scope: Scope) -> ModelField | None:
    """Return a field; None for an expression that is not known to be one."""
    node = follow_assignment(node, scope)
    if not isinstance(node, ast.Call):
        return None
    kind = last_name(node.func)
    arguments = Arguments(node, _FIELD, scope)
    element = arguments.node("base_field") or arguments.node("output_field")
    if kind == "ArrayField" and element is None and node.args:
        element = node.args[0]
    return ModelField(
        name,
        kind,
        not origin_of(node.func, scope).startswith("django."),
        _known(arguments, "db_column"),
        _known(arguments, "db_table"),
        _known(arguments, "to"),
        _known(arguments, "to_field"),
        _known(arguments, "through"),
        next(filter(None, (_sizes(arguments, names) for names in _SIZES)), ()),
        tuple(_words(arguments)),
        model_field("", element, scope) if element is not None else None,
    )


def _key_of_several(member: ast.expr, scope: Scope) -> ModelIndex | None:
    """Return the primary key that a field makes of others; None for any other field."""
    pair = members_of(member, scope) or ()
    field = follow_assignment(pair[-1], scope) if pair else None
    if not isinstance(field, ast.Call) or last_name(field.func) != COMPOSITE:
        return None
    names = tuple(_text(argument, scope) for argument in field.args)
    return ModelIndex(COMPOSITE, "primary-key", names)


def _sizes(arguments: Arguments, names: tuple[str, ...]) -> tuple[str, ...]:
    given = tuple(_known(arguments, name) for name in names)
    return given if all(given) else ()


def _words(arguments: Arguments) -> Iterator[FieldWord]:
    yield from (word for name, word in _TRUE_WORDS.items() if arguments.is_true(name))
    yield from (word for name, word in _FALSE_WORDS.items() if arguments.is_false(name))
    if arguments.has("db_default") or arguments.has("expression"):
        yield "default"


# Options, indexes and constraints


def _options(node: ast.expr | None, scope: Scope) -> ModelOptions:
    node = follow_assignment(node, scope) if node is not None else None
    if not isinstance(node, ast.Dict):
        return ModelOptions()
    said = {
        str(key.value): value
        for key, value in zip(node.keys, node.values, strict=True)
        if isinstance(key, ast.Constant)
    }
    indexes = [
        _index(member, scope)
        for name in ("indexes", "constraints")
        for member in (members_of(said[name], scope) if name in said else None) or ()
    ]
    return ModelOptions(
        _has_table(said),
        _text(said["db_table"], scope) if "db_table" in said else None,
        _groups(said.get("unique_together"), scope),
        _text(said["order_with_respect_to"], scope) if "order_with_respect_to" in said else None,
        tuple(index for index in indexes if index is not None),
    )


def _has_table(said: dict[str, ast.expr]) -> bool | None:
    """Return whether a model has a table of its own; None where its options do not say so."""
    values = {name: value.value for name, value in said.items() if isinstance(value, ast.Constant)}
    if values.get("managed") is False or values.get("proxy") is True:
        return False
    return True if values.get("managed") is True else None


def _groups(node: ast.expr | None, scope: Scope) -> tuple[tuple[str, ...], ...] | None:
    """Return the groups of fields that are unique together; None where they are not known."""
    node = follow_assignment(node, scope) if node is not None else None
    if isinstance(node, ast.Call) and last_name(node.func) == "set":
        node = node.args[0] if node.args else ast.Tuple([], ast.Load())
    members = members_of(node, scope) if node is not None else None
    if members is None:
        return None
    if members and all(isinstance(member, ast.Constant) for member in members):
        return (tuple(_text(member, scope) for member in members),)
    groups = [members_of(member, scope) or () for member in members]
    return tuple(tuple(_text(member, scope) for member in group) for group in groups)


def _index(node: ast.expr, scope: Scope) -> ModelIndex | None:
    """Return an index or a constraint; None for an expression that is not known to be one."""
    node = follow_assignment(node, scope)
    if not isinstance(node, ast.Call):
        return None
    arguments = Arguments(node, (), scope)
    kind = _KINDS.get(last_name(node.func), "index")
    fields = [_text(member, scope).lstrip("-") for member in arguments.members("fields") or ()]
    condition = arguments.node("condition") or arguments.node("check")
    if kind == "check" and condition is not None:
        fields = list(_named_in(condition, scope))
    return ModelIndex(
        _known(arguments, "name"),
        kind,
        tuple(filter(None, fields)),
        kind != "check" and condition is not None,
        bool(arguments.rest) or arguments.has("expressions"),
        arguments.node("deferrable") is not None or arguments.is_false("nulls_distinct"),
    )


def _named_in(condition: ast.expr, scope: Scope) -> Iterator[str]:
    """Yield the fields that a condition names: `Q(a__gt=0)`, `F("a")`."""
    for node in ast.walk(condition):
        if isinstance(node, ast.keyword) and node.arg is not None:
            yield node.arg.partition("__")[0]
        elif isinstance(node, ast.Call) and last_name(node.func) == "F" and node.args:
            yield _text(node.args[0], scope)
