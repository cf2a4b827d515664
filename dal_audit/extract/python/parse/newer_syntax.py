"""Nodes of grammar that the `ast` of an older Python lacks; LibCST's trees are lowered to them."""

from __future__ import annotations

import ast
from typing import Final


class TryStar(ast.Try):
    """`try … except*`, which `ast` of Python 3.10 lacks."""


class TypeAlias(ast.stmt):
    """`type X = …` (PEP 695), which `ast` lacks before Python 3.12."""

    _fields = ("name", "type_params", "value")


class TypeParameter(ast.AST):
    """A type parameter (PEP 695), which `ast` lacks before Python 3.12."""

    _fields = ("name", "bound", "default_value")


TRIES: Final[tuple[type[ast.AST], ...]] = tuple(
    {ast.Try: None, TryStar: None, getattr(ast, "TryStar", TryStar): None}
)
"""All classes of `try` statements."""

TYPE_ALIASES: Final[tuple[type[ast.AST], ...]] = tuple(
    {TypeAlias: None, getattr(ast, "TypeAlias", TypeAlias): None}
)
"""All classes of `type` statements."""
