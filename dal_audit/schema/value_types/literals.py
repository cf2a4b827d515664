"""Literals: of which type they are, and whether a text in quotes is one of a type."""

from __future__ import annotations

import re
from typing import Final

from dal_audit.facts.sql_trees import Constant, Operand, Operation
from dal_audit.schema.state import State
from dal_audit.schema.type_families import FAMILIES, unfit_default
from dal_audit.schema.value_types.conversions import ENUM, UNKNOWN
from dal_audit.schema.value_types.objections import Objections

_CLOCKS: Final = {
    "CURRENT_DATE": "date",
    "CURRENT_TIME": "timetz",
    "CURRENT_TIMESTAMP": "timestamptz",
    "LOCALTIME": "time",
    "LOCALTIMESTAMP": "timestamp",
}
_WHOLE: Final = re.compile(r"[0-9][0-9_]*\Z")
_ARRAY: Final = re.compile(r"(?!')|'\s*[{\[]")
"""What may be an array's text; what is no plain string is not judged."""
_MAX_INT4: Final = 2**31 - 1
_MAX_INT8: Final = 2**63 - 1
_CURE: Final = "Write a literal of the type that is wanted."


def constant_type(constant: Constant) -> str | None:
    """Return the type of a constant; `unknown` for a text in quotes, and for NULL."""
    match constant.kind:
        case "string" | "null":
            return UNKNOWN
        case "bits":
            return "bit"
        case "boolean":
            return "bool"
        case "clock":
            return _CLOCKS[constant.text]
        case "number":
            return _number_type(constant.text)


def _number_type(text: str) -> str | None:
    if not _WHOLE.match(text):
        return None if text[:2].lower() in {"0x", "0o", "0b"} else "numeric"
    value = int(text.replace("_", "") or "0")
    return "int4" if value <= _MAX_INT4 else "int8" if value <= _MAX_INT8 else "numeric"


def check_literal(objections: Objections, operand: Operand, wanted: str) -> None:
    """Object to a text in quotes that is to become a type, and is none of it."""
    if not isinstance(operand, Constant) or operand.kind != "string":
        return
    title, labels = objections.title(wanted), _labels(objections.state, wanted)
    family = FAMILIES.get(title, "")
    is_array = bool(objections.types.item_of(wanted))
    if labels is not None and unfit_default((operand.text,), "", labels):
        reason = f"`{operand.text}` is no label of `{title}`"
    elif unfit_default((operand.text,), family, None) or (
        is_array and not _ARRAY.match(operand.text)
    ):
        reason = f"the text `{operand.text}` is no `{title}`"
    else:
        return
    objections.to_clause(operand.span, reason, _CURE)


def check_range(objections: Objections, operand: Operand, wanted: str) -> None:
    """Object to a number that is too large for the column that it is for."""
    is_signed = isinstance(operand, Operation) and len(operand.operands) == 1
    number = operand.operands[0] if isinstance(operand, Operation) and is_signed else operand
    most = _MOST.get(wanted)
    if not isinstance(number, Constant) or number.kind != "number" or most is None:
        return
    if _WHOLE.match(number.text) and int(number.text.replace("_", "")) > most + 1:
        reason = f"`{number.text}` is too large for type `{objections.title(wanted)}`"
        objections.to_clause(operand.span, reason, _LARGER)


_MOST: Final = {"int2": 2**15 - 1, "int4": _MAX_INT4, "int8": _MAX_INT8}
_LARGER: Final = "Give the column a larger type, such as BIGINT."


def _labels(state: State, wanted: str) -> list[str] | None:
    """Return the labels of an enumeration; None for another type."""
    if not wanted.startswith(ENUM):
        return None
    own = state.others.get(("type", wanted[len(ENUM) :]))
    return own.names("label") if own is not None and own.complete else None
