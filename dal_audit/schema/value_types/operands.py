"""The type of an expression, from its parts upwards, and what PostgreSQL objects to on the way.

What is not known stays so (None), and nothing is said of it. Source: typeconv.html.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from dal_audit.facts import Span
from dal_audit.facts.sql_trees import (
    Call,
    Case,
    Cast,
    ColumnName,
    Constant,
    Operand,
    Operation,
    QueryTree,
    Row,
    Subquery,
)
from dal_audit.schema.value_types.calls import call_type
from dal_audit.schema.value_types.conversions import (
    ASSIGNMENT,
    EXPLICIT,
    UNKNOWN,
    becomes,
    common_type,
)
from dal_audit.schema.value_types.divergences import of_cast
from dal_audit.schema.value_types.literals import check_literal, constant_type
from dal_audit.schema.value_types.objections import Objections
from dal_audit.schema.value_types.operators import BOOLEAN, compare, operation_type
from dal_audit.schema.value_types.polymorphism import array_of
from dal_audit.schema.value_types.relations import declared_type
from dal_audit.schema.value_types.scopes import Scope

_ONE_TYPE: Final = "Give all one type, or write `CAST (x AS type)`."
_TRUTH: Final = "Write a comparison, such as `n <> 0`, or `TRUE` or `FALSE`."
_NO_CAST: Final = "Say how the one becomes the other: by a comparison, or a function."

Results: TypeAlias = Sequence[tuple[str, str | None]]
"""The columns that a query gives, with their types."""


class Typer:
    """Tells the types of expressions in a scope; `query` answers for queries in parentheses."""

    def __init__(
        self,
        objections: Objections,
        scope: Scope,
        query: Callable[[QueryTree, Scope], Results | None],
    ) -> None:
        """Begin in a scope."""
        self.objections = objections
        self.types = objections.types
        self.scope = scope
        self._query = query

    def type_of(self, operand: Operand) -> str | None:
        """Return the type of an expression; None where it is not known."""
        match operand:
            case Constant():
                return self._constant(operand)
            case ColumnName(name=name):
                return self.scope.column_type(name)
            case Operation():
                return operation_type(self, operand)
            case Call():
                return call_type(self, operand)
            case Cast():
                return self._cast(operand)
            case Case():
                return self._case(operand)
            case Subquery():
                return self._subquery(operand)
            case Row(items=items):
                self._judge_items(items)
            case _:
                pass
        return None

    def _constant(self, constant: Constant) -> str | None:
        if constant.kind == "clock":
            self.objections.to_change(constant.span)
        return constant_type(constant)

    def _judge_items(self, items: Sequence[Operand]) -> None:
        for item in items:
            self.type_of(item)

    def truth(self, operand: Operand | None, where: str) -> None:
        """Object to a condition that is no truth value."""
        own = self.type_of(operand) if operand is not None else None
        if operand is None or own is None:
            return
        if own == UNKNOWN:
            check_literal(self.objections, operand, BOOLEAN)
        elif not becomes(self.types, own, BOOLEAN, ASSIGNMENT):
            title = self.objections.title(own)
            reason = f"`{where}` wants a truth value, and this is of type `{title}`"
            self.objections.to_clause(operand.span, reason, _TRUTH)

    def common(self, operands: Sequence[Operand], what: str, span: Span) -> str | None:
        """Return the type that several expressions are brought to; object where there is none."""
        several = [self.type_of(operand) for operand in operands]
        found = self.common_of(several, what, span)
        for operand in operands if found is not None else ():
            check_literal(self.objections, operand, found or "")
        return found

    def common_of(self, several: Sequence[str | None], what: str, span: Span) -> str | None:
        """Return the same for types that are told."""
        known = [name for name in several if name is not None]
        found = common_type(self.types, known)
        if found is None:
            named = dict.fromkeys(name for name in known if name != UNKNOWN)
            titles = " and ".join(f"`{self.objections.title(name)}`" for name in named)
            reason = f"{what} are of types that do not match, {titles}"
            self.objections.to_operands(span, reason, _ONE_TYPE)
        return found if len(known) == len(several) else None

    def _cast(self, cast: Cast) -> str | None:
        own = self.type_of(cast.operand)
        wanted = declared_type(self.objections.state, cast.type)
        of_cast(self, cast, own, wanted)
        if own is None or wanted is None:
            return wanted
        if self.types.cast_varies(own, wanted):
            self.objections.to_change(cast.span)
        if not becomes(self.types, own, wanted, EXPLICIT):
            titles = self.objections.title(own), self.objections.title(wanted)
            reason = "`{}` cannot be cast to `{}`".format(*titles)
            self.objections.to_operands(cast.span, reason, _NO_CAST)
        elif not cast.type.dimensions:
            check_literal(self.objections, cast.operand, wanted)
        return wanted

    def _case(self, case: Case) -> str | None:
        subject = case.subject
        own = self.type_of(subject) if subject is not None else None
        for condition, _ in case.branches:
            if subject is None:
                self.truth(condition, "WHEN")
            else:
                compare(self, subject, condition, "text" if own == UNKNOWN else own)
        known = len(self.scope.guards)
        self.scope.guards += [condition for condition, _ in case.branches]
        values = [value for _, value in case.branches]
        if case.otherwise is not None:
            values.insert(0, case.otherwise)  # It counts most (parse_expr.c).
        found = self.common(values, "the values of `CASE`", case.span)
        del self.scope.guards[known:]
        return found

    def _subquery(self, subquery: Subquery) -> str | None:
        results = self._query(subquery.query, self.scope)
        if subquery.form == "EXISTS":
            return BOOLEAN
        if results is None or len(results) != 1:
            return None
        own = results[0][1]
        return array_of(self.types, own) if subquery.form == "ARRAY" else own
