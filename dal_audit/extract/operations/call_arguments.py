"""The arguments of a call, by the names of its parameters, and what they say."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Final

from dal_audit.extract.holes import UNKNOWN
from dal_audit.extract.python.constant_folding import fold_spelled, qualified_names
from dal_audit.extract.python.expression_uses import last_name
from dal_audit.extract.python.literal_values import follow_assignment
from dal_audit.extract.python.scopes import Scope
from dal_audit.extract.python.spelled_text import SpelledText, stretches_of, with_stretches
from dal_audit.facts.sql import MODEL_TABLE

NAMING: Final = frozenset({"f", "quoted_name", "conv"})
"""Calls that give back the name that they are handed."""


class Arguments:
    """The arguments of one call; `rest` are those at positions beyond its parameters."""

    def __init__(self, call: ast.Call, parameters: Sequence[str], scope: Scope) -> None:
        """Bind the call's arguments to parameters."""
        self.call = call
        self.scope = scope
        bare = [own for own in call.args if not isinstance(own, ast.Starred)]
        self.values: dict[str, ast.expr] = dict(zip(parameters, bare, strict=False))
        self.rest: tuple[ast.expr, ...] = tuple(call.args[len(parameters) :])
        self.values.update(
            {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg is not None}
        )
        self.is_whole = len(bare) == len(call.args) and all(own.arg for own in call.keywords)

    def has(self, name: str) -> bool:
        """Return whether an argument is given."""
        return name in self.values

    def node(self, name: str) -> ast.expr | None:
        """Return an argument, names followed; None where it is not given, or is None."""
        node = self.values.get(name)
        if node is None:
            return None
        node = follow_assignment(node, self.scope)
        return None if isinstance(node, ast.Constant) and node.value is None else node

    def text(self, name: str) -> str:
        """Return an argument that is a name; empty where it is not given, or is None."""
        node = self.node(name)
        return "" if node is None else name_in(node, self.scope)

    def is_true(self, name: str) -> bool:
        """Return whether an argument is the literal `True`."""
        node = self.node(name)
        return isinstance(node, ast.Constant) and node.value is True

    def is_false(self, name: str) -> bool:
        """Return whether an argument is the literal `False`."""
        node = self.node(name)
        return isinstance(node, ast.Constant) and node.value is False

    def members(self, name: str) -> list[ast.expr] | None:
        """Return the members of an argument that is a list; None where they are not known."""
        node = self.node(name)
        return None if node is None else members_of(node, self.scope)


def members_of(node: ast.expr, scope: Scope) -> list[ast.expr] | None:
    """Return the members of a literal list; None where they are not all known."""
    node = follow_assignment(node, scope)
    if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
        is_known = not any(isinstance(member, ast.Starred) for member in node.elts)
        return list(node.elts) if is_known else None
    return None


def spread(nodes: Sequence[ast.expr], scope: Scope) -> list[ast.expr]:
    """Return arguments with the members of literal lists behind a star, `*NAMES`."""
    found: list[ast.expr] = []
    for node in nodes:
        members = members_of(node.value, scope) if isinstance(node, ast.Starred) else None
        found += [node] if members is None else members
    return found


def name_in(node: ast.expr, scope: Scope) -> str:
    """Return the one text that an expression is, with its places; a hole where it is not known."""
    while isinstance(node, ast.Call) and node.args and last_name(node.func) in NAMING:
        node = node.args[0]
    found = fold_spelled(node, scope)
    if len(found) == 1 and UNKNOWN not in found[0]:
        return found[0]
    return _of_class(node, scope) or (found[0] if len(found) == 1 else UNKNOWN)


def _of_class(node: ast.expr, scope: Scope) -> str:
    """Return a name that is made of a model's table's name, which stands for itself."""
    if isinstance(node, ast.Attribute) and node.attr == MODEL_TABLE:
        return f"{last_name(node.value)}.{MODEL_TABLE}"
    if not isinstance(node, ast.JoinedStr):
        return ""
    parts = [
        name_in(part.value if isinstance(part, ast.FormattedValue) else part, scope)
        for part in node.values
    ]
    text = "".join(parts)
    return "" if UNKNOWN in text else text


def origin_of(node: ast.expr, scope: Scope) -> str:
    """Return the one dotted name that an expression means; empty where that is not known."""
    names = qualified_names(node, scope)
    return next(iter(names)) if len(names) == 1 else ""


def joined(*pieces: str) -> str:
    """Return texts put together; each keeps where it is spelled."""
    text = "".join(pieces)
    if not any(isinstance(piece, SpelledText) for piece in pieces):
        return text
    return with_stretches(text, (each for piece in pieces for each in stretches_of(piece)))


def listed(pieces: Iterable[str]) -> str:
    """Return texts with commas between them."""
    between = (part for piece in pieces for part in (", ", piece))
    return joined(*islice(between, 1, None))


def quoted(name: str) -> str:
    """Return a name in double quotes, as SQLAlchemy writes one where it has to."""
    return joined('"', name, '"')
