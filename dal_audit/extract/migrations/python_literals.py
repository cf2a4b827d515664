"""The literals of a Python migration: names, lists of names, and SQL that it runs."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, TypeAlias

from dal_audit.facts import Span
from dal_audit.facts.migrations import EmbeddedSql

Names: TypeAlias = Mapping[str, ast.expr]
"""What each name of a module or a class is assigned; the last assignment counts."""

_RUNS: Final = frozenset({"execute", "exec_driver_sql", "executescript"})
"""Methods of Alembic's `op`, of connections and of cursors that run the text given to them."""

_WRAPS: Final = frozenset({"text", "dedent", "DDL"})
"""Calls whose first argument is the SQL: `sqlalchemy.text`, `DDL`, `textwrap.dedent`."""

_DEPTH: Final = 60
"""Text that is put together from more parts than this, one in another, is not followed."""


def names_of(body: Sequence[ast.stmt]) -> Names:
    """Return what the names of a body are assigned, outside any function or condition."""
    found: dict[str, ast.expr] = {}
    for one in body:
        if isinstance(one, ast.AnnAssign) and one.value is not None:
            if isinstance(one.target, ast.Name):
                found[one.target.id] = one.value
        elif isinstance(one, ast.Assign):
            for target in one.targets:
                if isinstance(target, ast.Name):
                    found[target.id] = one.value
    return found


def strings_in(node: ast.expr, names: Names) -> tuple[str, ...]:
    """Return the strings that an expression stands for: one, those of a sequence, or none."""
    for _hop in range(_DEPTH):
        if not isinstance(node, ast.Name) or node.id not in names:
            break
        node = names[node.id]
    if isinstance(node, ast.Constant):
        return (node.value,) if isinstance(node.value, str) else ()
    if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
        return tuple(
            one.value
            for one in node.elts
            if isinstance(one, ast.Constant) and isinstance(one.value, str)
        )
    return ()


def sql_in(
    node: ast.AST, names: Names, span: Callable[[ast.expr], Span], *, every: bool = False
) -> Iterator[EmbeddedSql]:
    """Return the SQL that a function runs, in the order of its text.

    With `every`, the node itself is SQL: a text, a list of texts, or of pairs of a text and its
    parameters (Django's `RunSQL`).
    """
    if every and isinstance(node, ast.expr):
        nodes = list(_statements(node, names))
    else:
        calls = [one for one in ast.walk(node) if isinstance(one, ast.Call) and one.args]
        calls.sort(key=lambda one: (one.lineno, one.col_offset))
        nodes = [
            one.args[0]
            for one in calls
            if isinstance(one.func, ast.Attribute) and one.func.attr in _RUNS
        ]
    for one in nodes:
        text, whole, at = _text(one, names, _DEPTH)
        if text is not None:
            yield EmbeddedSql(span(at), text, whole)


def _statements(node: ast.expr, names: Names) -> Iterator[ast.expr]:
    if isinstance(node, ast.Name) and node.id in names:
        node = names[node.id]
    if not isinstance(node, (ast.List, ast.Tuple)):
        yield node
        return
    for one in node.elts:
        pair = isinstance(one, (ast.Tuple, ast.List)) and one.elts
        yield pair[0] if pair else one


def _text(node: ast.expr, names: Names, depth: int) -> tuple[str | None, bool, ast.expr]:
    """Return a text as far as it is known, whether that is all, and where it is written.

    The text is None where nothing of it is known.
    """
    known: str | None = None
    whole = True
    at = node
    if depth <= 0:
        whole = False
    elif isinstance(node, ast.Constant):
        known = node.value if isinstance(node.value, str) else None
    elif isinstance(node, ast.JoinedStr):
        parts = [one.value for one in node.values if isinstance(one, ast.Constant)]
        whole = len(parts) == len(node.values)
        known = "".join(str(one) for one in parts)
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, left_whole, _at = _text(node.left, names, depth - 1)
        right, right_whole, _at = _text(node.right, names, depth - 1)
        if left is not None or right is not None:
            known = (left or "") + (right or "")
        whole = left_whole and right_whole and None not in {left, right}
    elif isinstance(node, ast.Name) and node.id in names:
        known, whole, at = _text(names[node.id], names, depth - 1)
    elif isinstance(node, ast.Call) and node.args and _last_name(node.func) in _WRAPS:
        known, whole, at = _text(node.args[0], names, depth - 1)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        # `text(…).bindparams(…)`, `"…".format(…)`, `"…".strip()`: the text that it is called on.
        known, whole, at = _text(node.func.value, names, depth - 1)
        whole = whole and node.func.attr in {"bindparams", "strip"}
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        known, _whole, at = _text(node.left, names, depth - 1)
        whole = False
    return known, whole, at


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
