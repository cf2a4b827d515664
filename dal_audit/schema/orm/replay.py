"""Operations on models one after the other, as the statements that they come to on an engine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from dal_audit.facts import Span
from dal_audit.facts.models import ModelOperation
from dal_audit.facts.sql import Structure
from dal_audit.schema.orm.model_state import Models, key_of, models_after
from dal_audit.schema.orm.model_tables import Table, TableWriter, table_of
from dal_audit.schema.orm.table_changes import changed, dropped, made

_OF_STATE = frozenset(
    {"AlterModelManagers", "AlterModelOptions", "AlterModelTableComment", "ValidateConstraint"}
)
"""Operations that change no table."""
_FAR_REACHING = frozenset({"AlterModelTable", "RenameField", "RenameModel"})
"""Operations that change tables of other models, too."""
_REFERRED_TO = frozenset({"primary-key", "unique"})
"""What a field is that others may refer to."""


class Change(Struct, frozen=True):
    """The models before an operation and after it, and the operation."""

    label: str
    operation: ModelOperation
    before: Models
    after: Models

    def statements(self, engine: str, span: Span) -> tuple[tuple[Structure, ...], ...]:
        """Return what an engine runs for the operation, and what takes it back."""
        operation = self.operation
        if operation.runs == "state" or operation.name in _OF_STATE:
            return (), ()
        old, new = (TableWriter(models, engine, span) for models in (self.before, self.after))
        pairs = [
            (
                old.tables(before, None if self._reaches_far else self.after.get(after)),
                new.tables(after, None if self._reaches_far else self.before.get(before)),
            )
            for before, after in self.models()
        ]
        names = self.renamed_fields()
        inverse = {before: after for after, before in names.items()}
        ups = [own for before, after in pairs for own in _between(before, after, names, engine)]
        downs = [
            own
            for before, after in reversed(pairs)
            for own in _between(after, before, inverse, engine)
        ]
        return tuple(ups), tuple(downs)

    def models(self) -> Iterator[tuple[str, str]]:
        """Yield the models whose tables the operation may change: before it, and after."""
        operation = self.operation
        key = key_of(self.label, operation.model)
        is_renamed = operation.name == "RenameModel" and bool(operation.new_name)
        new = key_of(self.label, operation.new_name) if is_renamed else key
        yield key, new
        for other, model in self.before.items() if self._reaches_far else ():
            if other != key and any(own.target == key for own in model.fields.values()):
                yield other, other

    @property
    def _reaches_far(self) -> bool:
        """Whether the operation changes more than what it names: what refers to that, too."""
        operation = self.operation
        if operation.name != "AlterField":
            return operation.name in _FAR_REACHING
        model = self.before.get(key_of(self.label, operation.model))
        former = model.fields.get(operation.field) if model is not None else None
        words = {
            word for own in (former, *operation.fields) if own is not None for word in own.words
        }
        return not words.isdisjoint(_REFERRED_TO)

    def renamed_fields(self) -> Mapping[str, str]:
        """Return the old name of a field that gets another one, by the new name."""
        operation = self.operation
        return {operation.new_name: operation.field} if operation.name == "RenameField" else {}


def _between(
    before: Mapping[str, Table], after: Mapping[str, Table], names: Mapping[str, str], engine: str
) -> Iterator[Structure]:
    """Yield the statements by which the tables of a model become others."""
    old = {role: names.get(role, role) for role in after}
    for role in reversed(list(before)):
        if role not in old.values():
            yield from dropped(before[role])
    for role, table in after.items():
        former = before.get(old[role])
        if former is None:
            yield from made(table, engine)
        else:
            yield from changed(former, table, {} if role else names, engine)


class ModelReplay(Struct):
    """The models of a project while its migrations are run."""

    models: Models = field(default_factory=dict)
    _apart: Models = field(default_factory=dict)
    _group: int = 0

    def doubt(self, label: str, engine: str, span: Span) -> list[str]:
        """Let the models of an app be such of which not all is known; return their tables."""
        own = {key: model for key, model in self.models.items() if model.label == label}
        unknown = {key: replace(model, is_whole=False) for key, model in own.items()}
        self.models = {**self.models, **unknown}
        return [table_of(model, engine, span) for model in own.values()]

    def run(self, label: str, operation: ModelOperation) -> Change:
        """Run an operation of an app; return what it changes.

        What is run on the database alone is run on models of its own: those that its group began
        with.
        """
        if operation.runs != "database":
            before = self.models
            self.models = models_after(before, label, operation)
            return Change(label, operation, before, self.models)
        if operation.group != self._group:
            self._group, self._apart = operation.group, self.models
        before = self._apart
        self._apart = models_after(before, label, operation)
        return Change(label, operation, before, self._apart)
