"""The types of calls, with their arguments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from dal_audit.facts.sql_names import SqlName
from dal_audit.facts.sql_trees import Call, Star
from dal_audit.schema.state import State
from dal_audit.schema.value_types.conversions import EXPLICIT, UNKNOWN, becomes
from dal_audit.schema.value_types.divergences import of_call
from dal_audit.schema.value_types.literals import check_literal
from dal_audit.schema.value_types.operators import compare
from dal_audit.schema.value_types.overloads import Arguments, choose_function

if TYPE_CHECKING:
    from dal_audit.schema.value_types.operands import Typer

_CURE: Final = "Write `CAST (x AS type)` around what is of another type."
_SPELLINGS: Final = {"extract": "numeric", "substring": "text", "trim": "text", "position": "int4"}
"""What forms with a grammar of their own give."""


def call_type(typer: Typer, call: Call) -> str | None:
    """Return what a call gives; object to a call that PostgreSQL has no function for."""
    name = plain_name(call.name)
    form = _FORMS.get(name)
    if form is not None and call.is_plain and call.arguments:
        return form(typer, call)
    typer.truth(call.condition, "FILTER")
    own = [typer.type_of(argument) for argument in call.arguments]
    if not name or is_own_function(typer.objections.state, name):
        return None
    if not call.is_plain:
        return _SPELLINGS.get(name) if len(call.name.parts) == 1 else None
    return _function_type(typer, call, name, own)


_CALLED: Final = {"trim": "btrim"}
"""Forms that are calls of functions of other names."""


def plain_name(name: SqlName) -> str:
    """Return the name of a function of PostgreSQL's own, in lower case; else an empty text."""
    if len(name.parts) > 1 and name.schema.lower() != "pg_catalog":
        return ""
    return name.name if name.quoted[-1:] == (True,) else name.name.lower()


def is_own_function(state: State, name: str) -> bool:
    """Return whether a function of a name was made, or may have been in code that is not read."""
    return name in state.counts or name in state.opaque_code.made


def _function_type(typer: Typer, call: Call, name: str, own: Sequence[str | None]) -> str | None:
    if len(own) == 1 and isinstance(call.arguments[0], Star):
        return "int8" if name == "count" else None
    of_call(typer, call, name, own)
    choice = choose_function(_CALLED.get(name, name), tuple(own))
    if choice is None:
        return _cast_type(typer, call, name, own)
    if choice.varies:
        typer.objections.to_change(call.span)
    if choice.verdict in {"missing", "ambiguous"} and not _is_cast(typer, name, own):
        shown = f"{name}({', '.join(map(typer.objections.title, own))})"
        typer.objections.to_operands(call.span, f"it has no function `{shown}`", _CURE)
    for operand, wanted in zip(call.arguments, choice.arguments, strict=False):
        check_literal(typer.objections, operand, wanted)
    return choice.result


def _cast_type(typer: Typer, call: Call, name: str, own: Arguments) -> str | None:
    """Return the type by whose name a value is called, which is a cast to it: `jsonb(x)`."""
    target = typer.types.names.get(name, name)
    if len(own) != 1 or not typer.types.category(target):
        return None
    if not _is_cast(typer, name, own):
        shown = f"{name}({typer.objections.title(own[0])})"
        typer.objections.to_operands(call.span, f"it has no function `{shown}`", _CURE)
    return target


def _is_cast(typer: Typer, name: str, own: Arguments) -> bool:
    """Return whether a call may be a cast to a type of its name: `date('2024-01-01')`."""
    target = typer.types.names.get(name, name)
    is_type = len(own) == 1 and bool(typer.types.category(target))
    return is_type and (own[0] is None or becomes(typer.types, own[0], target, EXPLICIT))


# Forms of the grammar


def _common(typer: Typer, call: Call) -> str | None:
    return typer.common(call.arguments, f"the values of `{call.name.name}`", call.span)


def _null_if(typer: Typer, call: Call) -> str | None:
    if len(call.arguments) != _TWO:
        return None
    first, other = call.arguments
    own = compare(typer, first, other, typer.type_of(first))
    return "text" if own == UNKNOWN else own


_TWO: Final = 2
_FORMS: Final[dict[str, Callable[[Typer, Call], str | None]]] = {
    "coalesce": _common,
    "greatest": _common,
    "least": _common,
    "nullif": _null_if,
}


def is_aggregate(typer: Typer, call: Call) -> bool | None:
    """Return whether a call is of an aggregate, and of no window's; None where it is not known."""
    name = plain_name(call.name)
    if call.is_window or name in _FORMS or name in _SPELLINGS:
        return False
    signatures = typer.types.function(name) if name else ()
    if not signatures or is_own_function(typer.objections.state, name):
        return None
    return any(signature.mark in {"@", "#"} for signature in signatures)
