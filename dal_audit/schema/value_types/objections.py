"""What PostgreSQL objects to in the expressions of a statement, and who gathers that."""

from __future__ import annotations

from dal_audit.catalogue.type_system import TypeSystem, type_system
from dal_audit.facts import Span
from dal_audit.schema.divergence_kinds import divergence
from dal_audit.schema.objects_model import POSTGRESQL, About, SchemaError
from dal_audit.schema.state import State
from dal_audit.schema.value_types.conversions import ENUM
from dal_audit.schema.value_types.relations import Relation, relation_of


class Objections:
    """Gathers what a statement's expressions fail for, on a database of PostgreSQL.

    `about` is what errors are about that speak of no operator and no function. `holder` is what
    holds the values of the expressions that are judged, and must not change of themselves; empty
    where nothing does.
    """

    def __init__(self, state: State, about: About = "query") -> None:
        """Begin with none."""
        self.state = state
        self.types: TypeSystem = type_system()
        self.holder = ""
        self._about: About = about
        self._relations: dict[str, Relation] = {}
        self._found: dict[SchemaError, None] = {}

    def __len__(self) -> int:
        """Return how many there are so far."""
        return len(self._found)

    def errors(self) -> tuple[SchemaError, ...]:
        """Return all, each once."""
        return tuple(self._found)

    def to_clause(self, span: Span, reason: str, cure: str) -> None:
        """Object to what stands in a clause, or is assigned."""
        self._found[SchemaError(span, (POSTGRESQL,), reason, cure, self._about)] = None

    def to_operands(self, span: Span, reason: str, cure: str) -> None:
        """Object to an operator or a function that does not exist for such operands."""
        self._found[SchemaError(span, (POSTGRESQL,), reason, cure, "function")] = None

    def to_change(self, span: Span) -> None:
        """Object to what gives another value with the time or with settings, if that is held."""
        if self.holder:
            reason = f"this depends on the time or on settings, and {self.holder} holds its value"
            self.to_clause(span, reason, "Keep the value in a column that the program writes.")

    def diverge(self, span: Span, kind: str) -> None:
        """Note what both engines take and do not treat alike."""
        self.state.divergences[divergence(span, kind)] = None

    def relation(self, name: str) -> Relation:
        """Return what is known of a relation, by its folded name."""
        found = self._relations.get(name)
        if found is None:
            found = self._relations[name] = relation_of(self.state, name)
        return found

    def title(self, name: str | None) -> str:
        """Return what a type is called in a message."""
        if name is None:
            return "?"
        return name[len(ENUM) :] if name.startswith(ENUM) else self.types.title(name)
