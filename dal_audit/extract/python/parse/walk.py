"""Walk syntax trees: what `ast` does too, without looking at what holds no node."""

from __future__ import annotations

import ast
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Final, TypeAlias

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef)
"""The same for `isinstance`, which takes ten times as long for a union."""

BLOCKS: Final = (*FUNCTIONS, ast.ClassDef, ast.Lambda)
"""What has a block of its own."""

_LEAVES: Final = frozenset(
    {"attr", "conversion", "ctx", "id", "is_async", "kind", "level", "op", "ops", "type_comment"}
)
"""Fields of any node that hold a name, a number, an operator or a context: nothing to walk."""

_MIXED: Final = frozenset({"keys", "kw_defaults", "kwd_attrs"})
"""Fields whose lists hold other things than nodes, too."""


def children(node: ast.AST) -> list[ast.AST]:
    """Return the nodes right below one, in the order of its fields; operators are left out."""
    found: list[ast.AST] = []
    for name in _FIELDS[type(node)]:
        value = getattr(node, name, None)
        if isinstance(value, list):
            found += (
                [part for part in value if isinstance(part, ast.AST)] if name in _MIXED else value
            )
        elif isinstance(value, ast.AST):
            found.append(value)
    return found


def nodes_in(node: ast.AST) -> Iterator[ast.AST]:
    """Yield a node and all nodes below it, level by level, as `ast.walk` does."""
    waiting = deque([node])
    while waiting:
        inner = waiting.popleft()
        yield inner
        waiting.extend(children(inner))


def inside(body: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """Yield what lies in a block, but not in a function, class or lambda inside it."""
    waiting = list(reversed(list(body)))
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, BLOCKS):
            waiting.extend(reversed(children(node)))


class _Fields(dict[type[ast.AST], tuple[str, ...]]):
    """The fields of each class of nodes that can hold nodes."""

    def __missing__(self, kind: type[ast.AST]) -> tuple[str, ...]:
        self[kind] = found = tuple(name for name in kind._fields if name not in _LEAVES)
        return found


_FIELDS: Final = _Fields(
    {
        # Half of all nodes are one of these, and hold none.
        ast.Constant: (),
        ast.Name: (),
        ast.Global: (),
        ast.Nonlocal: (),
        ast.alias: (),
    }
)
