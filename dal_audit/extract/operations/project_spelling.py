"""Types of the project's own in a migration, put into SQLAlchemy's words where they are used."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Final

from dal_audit.extract.python.expression_uses import dotted_name
from dal_audit.extract.python.scopes import imported_names

_LIBRARY: Final = "sqlalchemy"


def spell_types(tree: ast.Module, types: Mapping[str, str]) -> None:
    """Put expressions in the place of types, which are known by the dotted names they come from.

    In the expressions `sqlalchemy` means the library, whatever the module calls it.
    """
    origins = {
        imported.name: imported.origin
        for statement in ast.walk(tree)
        if isinstance(statement, (ast.Import, ast.ImportFrom))
        for imported in imported_names(statement)
    }
    speller = _Speller(origins, types)
    speller.visit(tree)
    if speller.is_used:
        library = ast.parse(f"import {_LIBRARY}").body
        tree.body[:0] = library


class _Speller(ast.NodeTransformer):
    """Replaces types by what they come to."""

    def __init__(self, origins: Mapping[str, str], types: Mapping[str, str]) -> None:
        self._origins = origins
        self._types = types
        self.is_used = False

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """Return what a call makes: a type with its own arguments where it is a plain class."""
        spelled = self._type(node.func)
        if not spelled:
            return self.generic_visit(node)
        if (node.args or node.keywords) and spelled.endswith("()"):
            function = self._written(spelled.removesuffix("()"), node.func)
            return ast.copy_location(ast.Call(function, node.args, node.keywords), node)
        return self._written(spelled, node)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """Return what a class comes to that is named without a call."""
        spelled = self._type(node)
        return self._written(spelled, node) if spelled else node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        """Return what a class comes to that is named by its module."""
        spelled = self._type(node)
        return self._written(spelled, node) if spelled else self.generic_visit(node)

    def _type(self, node: ast.expr) -> str:
        first, dot, rest = dotted_name(node).partition(".")
        origin = self._origins.get(first, "")
        return self._types.get(f"{origin}{dot}{rest}", "") if origin else ""

    def _written(self, spelled: str, place: ast.expr) -> ast.expr:
        """Return an expression that stands where another one does."""
        self.is_used = True
        found = ast.parse(spelled, mode="eval").body
        for node in ast.walk(found):
            if isinstance(node, ast.expr):
                ast.copy_location(node, place)
            for keyword in getattr(node, "keywords", ()):
                ast.copy_location(keyword, place)
        return found
