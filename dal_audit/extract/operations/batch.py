"""Blocks of `batch_alter_table`: on SQLite they make the table anew, unless all in it is plain."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import Final

from msgspec import Struct, field

from dal_audit.catalogue.constraint_names import NO_CONVENTION, Convention
from dal_audit.extract.holes import UNKNOWN
from dal_audit.extract.operations.call_arguments import Arguments, name_in
from dal_audit.extract.python.expression_uses import last_name
from dal_audit.extract.python.parse.walk import nodes_in
from dal_audit.extract.python.scopes import Scope

BLOCK: Final = "batch_alter_table"
_PLAIN: Final = frozenset({"create_index", "drop_index", "execute", "f", "get_bind"})
"""Operations for which Alembic makes no table anew (its `ddl/sqlite.py`)."""
_CONSTRAINING: Final = frozenset({"ForeignKey", "Computed", "CheckConstraint"})

_TEXTS: Final = frozenset({"dumps", "format", "join", "lower", "repr", "str", "upper"})
"""Calls that give a text: as a column's default that is none of SQLAlchemy's expressions."""


class Block(Struct):
    """A block: the call that opens it, the name that it binds, and the calls on that name."""

    opening: ast.Call
    name: str
    calls: list[ast.Call] = field(default_factory=list)
    needs_copy: bool | None = None
    """Whether SQLite has no plain statement for one of the calls; None before that was asked."""

    def adds_later(self, call: ast.Call) -> bool:
        """Return whether a column is added behind a call: an index that is made may be on it."""
        later = self.calls[self.calls.index(call) + 1 :] if call in self.calls else []
        return any(last_name(own.func) == "add_column" for own in later)

    def adds_again(self, call: ast.Call, column: str, scope: Scope) -> bool:
        """Return whether a column that a call drops is added behind it."""
        later = self.calls[self.calls.index(call) + 1 :] if call in self.calls else []
        added = (
            node
            for own in later
            if last_name(own.func) == "add_column"
            for node in own.args[:1]
            if isinstance(node, ast.Call)
        )
        return any(Arguments(node, ("name",), scope).text("name") == column for node in added)

    def drops_later(self, call: ast.Call) -> list[ast.Call]:
        """Return the calls behind one that drop indexes: a copy is made without them."""
        later = self.calls[self.calls.index(call) + 1 :] if call in self.calls else []
        return [own for own in later if last_name(own.func) == "drop_index"]

    def mode(self, arguments: Arguments) -> str:
        """Return how SQLite does the block: it makes the table `anew`, or runs it `plain`.

        `arguments` are those of the opening call.
        """
        recreate = arguments.text("recreate") or "auto"
        if recreate == "auto":
            if self.needs_copy is None:
                self.needs_copy = any(map(_needs_copy, self.calls))
            return "anew" if self.needs_copy else "plain"
        return "anew" if recreate == "always" else "plain"


def blocks_by_call(contexts: Iterable[ast.With]) -> dict[int, Block]:
    """Return the block of each call on the name that one binds, by the call's identity."""
    found: dict[int, Block] = {}
    for statement in contexts:
        for item in statement.items:
            opening, bound = item.context_expr, item.optional_vars
            if not isinstance(opening, ast.Call) or last_name(opening.func) != BLOCK:
                continue
            if isinstance(bound, ast.Name):
                block = Block(opening, bound.id)
                for node in (node for own in statement.body for node in nodes_in(own)):
                    if isinstance(node, ast.Call) and _receiver(node) == bound.id:
                        block.calls.append(node)
                        found[id(node)] = block
    return found


def convention_of(opening: Arguments) -> Convention | None:
    """Return what a block's copy calls constraints without a name; None where it is not known."""
    node = opening.node("naming_convention")
    if not opening.is_whole:
        return None
    if node is None:
        return NO_CONVENTION
    if not isinstance(node, ast.Dict) or None in node.keys:
        return None
    texts = [name_in(own, opening.scope) for own in (*node.keys, *node.values) if own is not None]
    half = len(node.keys)
    pairs = dict(zip(map(str, texts[:half]), map(str, texts[half:]), strict=True))
    return None if any(UNKNOWN in text for text in texts) else pairs


def _receiver(call: ast.Call) -> str:
    owner = call.func.value if isinstance(call.func, ast.Attribute) else None
    return owner.id if isinstance(owner, ast.Name) else ""


def _needs_copy(call: ast.Call) -> bool:
    """Return whether SQLite has no plain statement for an operation in a block."""
    name = last_name(call.func)
    if name != "add_column":
        return name not in _PLAIN
    return any(_is_involved(node) for node in nodes_in(call) if node is not call)


def _is_involved(node: ast.AST) -> bool:
    """Return whether a part of a column keeps SQLite from adding it plainly."""
    if isinstance(node, ast.Call) and last_name(node.func) in _CONSTRAINING:
        return True
    if not isinstance(node, ast.keyword):
        return False
    if node.arg == "unique":
        return isinstance(node.value, ast.Constant) and node.value.value is True
    made = node.value if node.arg == "server_default" else None
    return isinstance(made, ast.Call) and last_name(made.func) not in _TEXTS
