"""Which types become which, by themselves or where they are assigned.

The rules are PostgreSQL's (typeconv.html; parse_coerce.c has them in full). A type is its name in
the catalogue, `enum:` and a name for an enumeration of the project's own, `unknown` for a literal
in quotes, which becomes what is wanted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from dal_audit.catalogue.type_system import TypeSystem

UNKNOWN: Final = "unknown"
ENUM: Final = "enum:"
IMPLICIT, ASSIGNMENT, EXPLICIT = "i", "a", "e"
_REACHES: Final = {IMPLICIT: {"i"}, ASSIGNMENT: {"i", "a"}, EXPLICIT: {"i", "a", "e"}}
_STRINGS: Final = "S"
_VECTORS: Final = frozenset({"oidvector", "int2vector"})
"""Arrays of the engine's own, to which no other array is cast."""


def category(types: TypeSystem, name: str) -> str:
    """Return the category of a type; that of all enumerations is one."""
    return "E" if name.startswith(ENUM) else types.category(name)


def becomes(types: TypeSystem, source: str, target: str, context: str = IMPLICIT) -> bool:
    """Return whether a value of one type becomes one of another in a context."""
    if target in {source, "any"} or UNKNOWN in {source, target}:
        return True
    if types.cast(source, target) in _REACHES[context]:
        return True
    items = types.item_of(source), types.item_of(target)
    if all(items) and target not in _VECTORS:
        return becomes(types, *items, context)
    if context != IMPLICIT and category(types, target) == _STRINGS:
        return True  # By way of their texts (typeconv-query.html).
    return context == EXPLICIT and category(types, source) == _STRINGS


def common_type(types: TypeSystem, several: Sequence[str]) -> str | None:
    """Return the type to which values of several types are brought; None where there is none.

    That is the rule for `UNION`, `CASE` and the like (typeconv-union-case.html).
    """
    known = [name for name in several if name != UNKNOWN]
    if len({category(types, name) for name in known}) > 1:
        return None
    chosen = known[0] if known else "text"
    for name in known:
        if _gives_way(types, chosen, name):
            chosen = name
    return chosen if all(becomes(types, name, chosen) for name in known) else None


def _gives_way(types: TypeSystem, chosen: str, name: str) -> bool:
    """Return whether the type that was chosen so far becomes another, and not the other way."""
    if types.is_preferred(chosen) or not becomes(types, chosen, name):
        return False
    return not becomes(types, name, chosen)
