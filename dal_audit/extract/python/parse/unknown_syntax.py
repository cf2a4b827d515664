"""Syntax that no reader knows: kinds of nodes in the `ast` of a Python newer than dal-audit."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import Final

_KNOWN: Final = """
AnnAssign Assert Assign AsyncFor AsyncFunctionDef AsyncWith AugAssign Break ClassDef Continue Delete
Expr For FunctionDef Global If Import ImportFrom Match Nonlocal Pass Raise Return Try TryStar
TypeAlias While With
Attribute Await BinOp BoolOp Call Compare Constant Dict DictComp FormattedValue GeneratorExp IfExp
Interpolation JoinedStr Lambda List ListComp Name NamedExpr Set SetComp Slice Starred Subscript
TemplateStr Tuple UnaryOp Yield YieldFrom
MatchAs MatchClass MatchMapping MatchOr MatchSequence MatchSingleton MatchStar MatchValue
ExceptHandler ParamSpec TypeVar TypeVarTuple
"""
"""The kinds of nodes that the front end reads, of statements, expressions, patterns and the rest:
those of Python 3.10 to 3.15 (https://docs.python.org/3.15/library/ast.html)."""


def unknown_kinds() -> tuple[type[ast.AST], ...]:
    """Return the kinds of nodes of the running Python that no reader knows."""
    known = frozenset(_KNOWN.split())
    found = (kind for base in _bases() for kind in base.__subclasses__())
    return tuple(kind for kind in found if kind.__name__ not in known)


def _bases() -> Iterator[type[ast.AST]]:
    yield from (ast.stmt, ast.expr, ast.pattern, ast.excepthandler)
    if parameters := getattr(ast, "type_param", None):  # Python 3.12 and newer
        yield parameters


def first_unknown(tree: ast.AST, kinds: Iterable[type[ast.AST]]) -> ast.AST | None:
    """Return a node of one of these kinds in a tree; without kinds the tree is not walked."""
    wanted = tuple(kinds)
    if not wanted:
        return None
    return next((node for node in ast.walk(tree) if isinstance(node, wanted)), None)


UNKNOWN_KINDS: Final = unknown_kinds()
