"""The models that a migration begins with, and those that it leaves.

Sources: `state_forwards` in Django's `db/migrations/operations/`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from dal_audit.facts.models import ModelField, ModelIndex, ModelOperation, ModelOptions

SELF: Final = "self"
ORDER: Final = "_order"
"""The field by which the objects of a model are ordered with respect to another one."""


class Model(Struct, frozen=True):
    """A model of an app: its fields and its indexes by their names.

    Targets of its fields are keys of models. A model that is not `is_whole` has more fields.
    """

    label: str
    name: str
    fields: Mapping[str, ModelField]
    options: ModelOptions = ModelOptions()
    indexes: Mapping[str, ModelIndex] = {}
    is_whole: bool = True

    @property
    def key(self) -> str:
        """The name by which the model is found: `app.model`."""
        return key_of(self.label, self.name)


Models: TypeAlias = Mapping[str, Model]
"""The models of a project, by their keys."""


def key_of(label: str, name: str) -> str:
    """Return the key of a model, by its name or by `app.Model`."""
    return (name if "." in name else f"{label}.{name}").lower()


def models_after(models: Models, label: str, operation: ModelOperation) -> Models:
    """Return the models that an operation of an app leaves."""
    key = key_of(label, operation.model)
    if operation.name == "CreateModel":
        return {**models, key: _made(label, operation)}
    model = models.get(key)
    change = _CHANGES.get(operation.name)
    if model is None or not operation.model:
        return models
    if operation.name == "DeleteModel":
        return {own: other for own, other in models.items() if own != key}
    if operation.name == "RenameModel":
        return _renamed(models, model, operation.new_name.lower())
    return models if change is None else {**models, key: change(model, operation)}


def _made(label: str, operation: ModelOperation) -> Model:
    fields = [_resolved(field, label, operation.model) for field in operation.fields]
    options = operation.options
    if options.ordered_by:
        fields.append(ModelField(ORDER, "OrderWrt"))
    return Model(
        label,
        operation.model,
        {field.name: field for field in fields},
        options,
        {index.name: index for index in options.indexes},
        operation.is_whole,
    )


def _resolved(field: ModelField, label: str, model: str) -> ModelField:
    """Return a field whose targets are the keys of models."""
    target = model if field.target == SELF else field.target
    return replace(field, target=key_of(label, target)) if target else field


def _renamed(models: Models, model: Model, new: str) -> Models:
    """Return models with another name of one of them, in the fields that refer to it, too."""
    old_key, new_key = model.key, key_of(model.label, new)
    found: dict[str, Model] = {}
    for key, own in models.items():
        named = replace(own, name=new) if key == old_key else own
        if any(field.target == old_key for field in own.fields.values()):
            fields = {
                name: replace(field, target=new_key) if field.target == old_key else field
                for name, field in own.fields.items()
            }
            named = replace(named, fields=fields)
        found[named.key] = named
    return found


# What changes one model


def _with_field(model: Model, operation: ModelOperation) -> Model:
    if not operation.fields:
        return replace(model, is_whole=False)
    field = _resolved(operation.fields[0], model.label, model.name)
    return replace(model, fields={**model.fields, field.name: field})


def _without_field(model: Model, operation: ModelOperation) -> Model:
    fields = {name: field for name, field in model.fields.items() if name != operation.field}
    return replace(model, fields=fields)


def _with_name_of_field(model: Model, operation: ModelOperation) -> Model:
    old, new = operation.field, operation.new_name

    def named(name: str) -> str:
        return new if name == old else name

    fields = {named(name): replace(field, name=named(name)) for name, field in model.fields.items()}
    together = model.options.together
    groups = None if together is None else tuple(tuple(map(named, group)) for group in together)
    indexes = {
        name: replace(index, fields=tuple(map(named, index.fields)))
        for name, index in model.indexes.items()
    }
    options = replace(model.options, together=groups)
    return replace(model, fields=fields, options=options, indexes=indexes)


def _with_options(model: Model, operation: ModelOperation) -> Model:
    said = operation.options
    given = {
        name: value
        for name in ("has_table", "table", "together")
        if (value := getattr(said, name)) is not None
    }
    return replace(model, options=replace(model.options, **given))


def _with_order(model: Model, operation: ModelOperation) -> Model:
    fields = {name: field for name, field in model.fields.items() if name != ORDER}
    if operation.options.ordered_by:
        fields[ORDER] = ModelField(ORDER, "OrderWrt")
    return replace(model, fields=fields)


def _with_index(model: Model, operation: ModelOperation) -> Model:
    index = operation.index
    return model if index is None else replace(model, indexes={**model.indexes, index.name: index})


def _without_index(model: Model, operation: ModelOperation) -> Model:
    indexes = {name: index for name, index in model.indexes.items() if name != operation.field}
    return replace(model, indexes=indexes)


def _with_name_of_index(model: Model, operation: ModelOperation) -> Model:
    new = operation.new_name
    index = model.indexes.get(operation.field, ModelIndex(new, "index"))
    indexes = dict(_without_index(model, operation).indexes)
    return replace(model, indexes={**indexes, new: replace(index, name=new)})


_CHANGES: Final[Mapping[str, Callable[[Model, ModelOperation], Model]]] = {
    "AddConstraint": _with_index,
    "AddConstraintNotValid": _with_index,
    "AddField": _with_field,
    "AddIndex": _with_index,
    "AddIndexConcurrently": _with_index,
    "AlterField": _with_field,
    "AlterModelOptions": _with_options,
    "AlterModelTable": _with_options,
    "AlterOrderWithRespectTo": _with_order,
    "AlterUniqueTogether": _with_options,
    "RemoveConstraint": _without_index,
    "RemoveField": _without_field,
    "RemoveIndex": _without_index,
    "RemoveIndexConcurrently": _without_index,
    "RenameField": _with_name_of_field,
    "RenameIndex": _with_name_of_index,
}
