"""Arguments that take any type, if the others agree with it (extend-type-system.html)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from dal_audit.catalogue.type_system import TypeSystem
from dal_audit.schema.value_types.conversions import ENUM, UNKNOWN, common_type

_ALIKE: Final = frozenset({"anyelement", "anyarray", "anynonarray", "anyenum", "anyrange"})
_COMPATIBLE: Final = "anycompatible"
_ARRAYS: Final = "array"
_RANGES: Final = frozenset({"R", "M"})
"""The categories of ranges and of several ranges."""


def is_polymorphic(name: str) -> bool:
    """Return whether a type stands for any."""
    return name in _ALIKE or name.startswith((_COMPATIBLE, "anymultirange"))


def suits(types: TypeSystem, wanted: Sequence[str], known: Sequence[str]) -> bool:
    """Return whether the types of arguments agree, where any type is taken."""
    pairs = [pair for pair in zip(wanted, known, strict=True) if is_polymorphic(pair[0])]
    if not all(_is_kind(types, *pair) for pair in pairs):
        return False
    alike = {
        item
        for name, own in pairs
        if not name.startswith(_COMPATIBLE) and (item := _item(types, name, own))
    }
    compatible = _compatible(types, pairs)
    return len(alike) <= 1 and (not compatible or common_type(types, compatible) is not None)


def is_undetermined(wanted: Sequence[str], known: Sequence[str]) -> bool:
    """Return whether arguments of any type are all literals, so that none tells which type."""
    alike = [own for name, own in zip(wanted, known, strict=True) if name in _ALIKE]
    return bool(alike) and set(alike) == {UNKNOWN}


def _compatible(types: TypeSystem, pairs: Sequence[tuple[str, str]]) -> list[str]:
    return [
        item
        for name, own in pairs
        if name.startswith(_COMPATIBLE) and (item := _item(types, name, own))
    ]


def _is_kind(types: TypeSystem, name: str, own: str) -> bool:
    """Return whether a type is an array, an enumeration or a range where that is wanted."""
    if own == UNKNOWN:
        return True
    if name.endswith("nonarray"):
        return not types.item_of(own)
    if name.endswith(_ARRAYS):
        return bool(types.item_of(own))
    if name == "anyenum":
        return own.startswith(ENUM)
    return not name.endswith("range") or types.category(own) in _RANGES


def _item(types: TypeSystem, name: str, own: str) -> str:
    """Return the type that an argument binds; empty where it binds none that is known."""
    if own == UNKNOWN or name.endswith("range"):
        return ""
    return types.item_of(own) if _is_array(name) else own


def results_in(
    types: TypeSystem, wanted: Sequence[str], result: str, known: Sequence[str]
) -> str | None:
    """Return the type of a result; None where it follows from what is not known."""
    if not is_polymorphic(result):
        return None if result in {"record", "any"} else result
    pairs = [pair for pair in zip(wanted, known, strict=True) if is_polymorphic(pair[0])]
    item = _bound(types, pairs) if not result.endswith("range") else None
    return array_of(types, item) if _is_array(result) else item


def _bound(types: TypeSystem, pairs: Sequence[tuple[str, str]]) -> str | None:
    """Return the type that arguments bind together."""
    bound = [item for name, own in pairs if (item := _item(types, name, own))]
    return common_type(types, bound) if bound else None


def _is_array(name: str) -> bool:
    return name.endswith(_ARRAYS) and "non" not in name


def array_of(types: TypeSystem, item: str | None) -> str | None:
    """Return the type of arrays of a type; None where there is none that is known."""
    array = f"_{item}"
    return array if item is not None and types.item_of(array) == item else None
