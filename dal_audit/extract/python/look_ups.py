"""What is looked up in literal tables and lists, and what stands in where nothing is found.

`fold` returns the texts that an expression can be, where the look-up stands.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from dal_audit.extract.holes import UNKNOWN
from dal_audit.extract.python.constant_sets import NOTHING, ConstantSet
from dal_audit.extract.python.expression_uses import last_name

Fold: TypeAlias = Callable[[ast.expr], ConstantSet]

_DEFAULTS: Final[Mapping[str, int]] = {"get": 1, "getenv": 1, "getattr": 2}
"""Calls that look something up, and the position of what they give where there is nothing."""


def element_of(table: ast.expr, key: ast.expr, fold: Fold) -> ConstantSet:
    """Return what `table[key]` can be; where the key is not known, any value of a dictionary."""
    if isinstance(table, ast.Dict):
        return _value(table, key, fold)
    if not isinstance(table, (ast.List, ast.Tuple)):
        return NOTHING
    if not isinstance(key, ast.Constant) or not isinstance(key.value, int):
        return NOTHING
    return fold(table.elts[key.value]) if 0 <= key.value < len(table.elts) else NOTHING


def part_of(texts: ConstantSet, bounds: ast.Slice) -> ConstantSet:
    """Return a part of each text, or the text backwards."""
    if any(UNKNOWN in text for text in texts):
        return NOTHING
    try:
        ends = [
            None if bound is None else ast.literal_eval(bound)
            for bound in (bounds.lower, bounds.upper, bounds.step)
        ]
        return tuple(text[slice(*ends)] for text in texts)
    except (TypeError, ValueError):
        return NOTHING


def has_default(node: ast.Call) -> bool:
    """Return whether a call looks something up and may say what stands in for it."""
    return last_name(node.func) in _DEFAULTS


def found_or_default(node: ast.Call, table: ast.expr, fold: Fold) -> ConstantSet:
    """Return what `table.get(key, default)`, `os.getenv` and `getattr` can give.

    What a table holds that is not written out is not known; its default is one of its values.
    """
    found = _value(table, node.args[0], fold) if isinstance(table, ast.Dict) and node.args else ()
    if found and UNKNOWN not in found:
        return found
    place = _DEFAULTS[last_name(node.func)]
    named = (keyword.value for keyword in node.keywords if keyword.arg == "default")
    defaults = (*node.args[place : place + 1], *named)
    return (*(found or NOTHING), *(text for default in defaults for text in fold(default)))


def held_values(made: ast.expr | None, key: ast.expr | None, fold: Fold) -> list[ast.expr]:
    """Return what a collection holds that is written out, or made one by one; of a mapping, values.

    A key tells which of them is meant, where it is known.
    """
    match made:
        case ast.Dict() if key is not None:
            return values_of_key(made, key, fold)
        case ast.Dict():
            return made.values
        case ast.List() | ast.Tuple() | ast.Set():
            index = key.value if isinstance(key, ast.Constant) else None
            return made.elts[index : index + 1] if isinstance(index, int) else made.elts
        case ast.ListComp() | ast.SetComp():
            return [made.elt]
        case ast.DictComp():
            return [made.value]
        case _:
            return []


def _value(table: ast.Dict, key: ast.expr, fold: Fold) -> ConstantSet:
    return tuple(text for value in values_of_key(table, key, fold) for text in fold(value))


def values_of_key(table: ast.Dict, key: ast.expr, fold: Fold) -> list[ast.expr]:
    """Return the values of a key; all that are written out where the key is not known."""
    keys = fold(key)
    pairs = [(own, value) for own, value in zip(table.keys, table.values, strict=True) if own]
    named = [value for own, value in pairs if set(fold(own)) & set(keys)]
    return named if UNKNOWN not in keys else [value for _, value in pairs]
