"""Which column a name means: that of a source of its query, or of a query around that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import Struct, field

from dal_audit.facts.sql_names import SqlName
from dal_audit.facts.sql_trees import Operand
from dal_audit.schema.value_types.relations import Relation, part_of


class Scope(Struct):
    """The sources of a query by the names that they go by, and the queries around it.

    `merged` says that columns of several sources are one (`USING`), so that a bare name may be of
    any. `common` are the queries after `WITH`, `guards` the conditions under which an expression is
    asked for.
    """

    sources: dict[str, Relation] = field(default_factory=dict)
    merged: bool = False
    outer: Scope | None = None
    common: Mapping[str, Relation] = field(default_factory=dict)
    guards: list[Operand] = field(default_factory=list)

    @property
    def is_complete(self) -> bool:
        """Whether all columns of all sources are known."""
        return all(relation.complete for relation in self.sources.values())

    def common_table(self, name: str) -> Relation | None:
        """Return the query of a name after `WITH`, here or around."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.common:
                return scope.common[name]
            scope = scope.outer
        return None

    def owner(self, name: SqlName) -> str | None:
        """Return the source of this very query that a name is a column of.

        It is empty where none of them has it, and None where that is not known.
        """
        column = part_of(name)
        if len(name.parts) > 1:
            return self._qualified(part_of(name, -2), column)
        owners = [own for own, relation in self.sources.items() if column in relation.columns]
        others = (relation for own, relation in self.sources.items() if own not in owners)
        if len(owners) > 1 or not all(relation.complete for relation in others):
            return None
        return owners[0] if owners else ""

    def _qualified(self, source: str, column: str) -> str | None:
        relation = self.sources.get(source)
        if relation is None:
            return ""
        return source if column in relation.columns else None

    def column_type(self, name: SqlName) -> str | None:
        """Return the type of the column that a name means; None where it is not known."""
        for scope in self._outwards():
            owner = scope.owner(name)
            if owner is None:
                return None
            if owner:
                return scope.sources[owner].columns[part_of(name)]
        return None

    def is_checked(self, name: SqlName) -> bool:
        """Return whether a `CHECK` of its table is about a column, or may be."""
        owner = self.owner(name)
        return not owner or part_of(name) in self.sources[owner].checked

    def may_be_null(self, name: SqlName) -> bool:
        """Return whether a column of a source is known to take NULL."""
        owner = self.owner(name)
        return bool(owner) and part_of(name) in self.sources[owner or ""].nullable

    def _outwards(self) -> Iterator[Scope]:
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.outer
