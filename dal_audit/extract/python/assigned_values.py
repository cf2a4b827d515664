"""What assignments give to what: parts that are taken apart, and what conditions choose between."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from dal_audit.extract.python.definitions import chosen
from dal_audit.extract.python.expression_uses import last_name

SAME_VALUE: Final = frozenset(
    {"aclosing", "closing", "enter_async_context", "enter_context", "nullcontext"}
    | {"shield", "wait_for", "copy", "deepcopy", "proxy"}
)
"""Functions of contextlib, asyncio, copy and weakref whose result is their first argument, or does
what that does: it is awaited or entered in its place."""

_NONE: Final[Mapping[str, ast.expr]] = {}


def values(node: ast.expr | None, named: Mapping[str, ast.expr] = _NONE) -> Iterator[ast.expr]:
    """Yield what a value can be, and what it holds where it is a collection that is written out.

    What a collection is filled from (`list(rows)`, `[*rows]`) is not in it. `named` are the values
    of names that are assigned once.
    """
    waiting = [] if node is None else [node]
    seen: set[str] = set()
    while waiting:
        for part in branches(waiting.pop()):
            if isinstance(part, ast.Name) and part.id in named and part.id not in seen:
                seen.add(part.id)
                waiting.append(named[part.id])
            elif isinstance(part, (ast.Tuple, ast.List, ast.Set)):
                waiting += [held for held in reversed(part.elts) if not _is_starred(held)]
            elif isinstance(part, ast.Dict):
                waiting += reversed(part.values)
            elif isinstance(part, ast.Call) and part.args and last_name(part.func) in SAME_VALUE:
                waiting.append(part.args[0])
            else:
                yield part


def pairs(target: ast.expr, value: ast.expr) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Yield each single target with what is assigned to it, where that is written out."""
    if not isinstance(target, (ast.Tuple, ast.List)):
        yield target, value
    elif isinstance(value, (ast.Tuple, ast.List)) and not any(map(_is_starred, value.elts)):
        for side in _sides(target.elts):
            for part, single in zip(target.elts[side], value.elts[side], strict=False):
                yield from pairs(part, single)


def _sides(targets: Sequence[ast.expr]) -> Iterator[slice]:
    """Yield the targets before and behind a starred one, which takes the rest; all without one."""
    stars = [index for index, part in enumerate(targets) if _is_starred(part)]
    head = stars[0] if stars else len(targets)
    yield slice(head)
    tail = len(targets) - head - 1
    if tail > 0:
        yield slice(-tail, None)


def branches(value: ast.expr) -> Iterator[ast.expr]:
    """Yield what a value can be, where conditions or `or` choose; what is awaited is the value."""
    waiting = [value]
    while waiting:
        node = waiting.pop()
        if isinstance(node, (ast.Await, ast.NamedExpr)):
            waiting.append(node.value)
        elif isinstance(node, (ast.IfExp, ast.BoolOp)):
            waiting += reversed(chosen(node))
        else:
            yield node


def _is_starred(node: ast.expr) -> bool:
    return isinstance(node, ast.Starred)
