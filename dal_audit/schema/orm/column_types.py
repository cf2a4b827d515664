"""What a field comes to: the type of its column on an engine."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from dal_audit.catalogue.operations import FieldRow, django_fields
from dal_audit.facts import Span
from dal_audit.facts.models import ModelField
from dal_audit.facts.sql import SqlType
from dal_audit.schema.orm.model_state import Model, Models

_REFERRING: Final = ("ForeignKey", "OneToOneField")
_SEVERAL: Final = "ManyToMany"
_CHAIN: Final = 8
"""How far keys that refer to keys are followed."""


def is_several(field: ModelField) -> bool:
    """Return whether a field is a table between two models."""
    return _SEVERAL in field.kind


def is_reference(field: ModelField) -> bool:
    """Return whether a field's column refers to another table."""
    return field.kind.endswith(_REFERRING)


def row_of(field: ModelField) -> FieldRow | None:
    """Return what the catalogue says of a field; None for a class that it does not know."""
    return None if field.is_foreign else django_fields().get(field.kind)


def primary_key(model: Model) -> ModelField | None:
    """Return the field that is a model's primary key."""
    return next((own for own in model.fields.values() if "primary-key" in own.words), None)


def remote_field(field: ModelField, models: Models) -> ModelField | None:
    """Return the field that a reference refers to; None where that is not known."""
    model = models.get(field.target)
    if model is None:
        return None
    return model.fields.get(field.remote) if field.remote else primary_key(model)


def type_of(field: ModelField, models: Models, engine: str, span: Span) -> SqlType | None:
    """Return the type of a field's column; None where it is not known."""
    for _ in range(_CHAIN):
        if not is_reference(field):
            break
        remote = remote_field(field, models)
        if remote is None:
            return None
        field = remote
    if field.kind in {"ArrayField", "GeneratedField"} and field.element is not None:
        inner = type_of(field.element, models, engine, span)
        is_array = field.kind == "ArrayField"
        return inner and replace(inner, dimensions=inner.dimensions + is_array)
    row = row_of(field)
    return _type(row.spelled[engine], field.sizes or (row.length,), span) if row else None


def _type(spelled: str, sizes: tuple[str, ...], span: Span) -> SqlType:
    name, opening, rest = spelled.partition("(")
    if opening:
        return SqlType(span, name, (rest.rstrip(")"),))
    name, hole, _ = spelled.partition("{")
    return SqlType(span, name.lower(), tuple(filter(None, sizes)) if hole else ())
