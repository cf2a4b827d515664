"""The types of a class's members as an interface writes them: plain ones for a driver's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any, Final

import libcst as cst
from libcst.helpers import get_full_name_for_node

from dal_audit.extract.python.import_block import Needed
from dal_audit.facts import OWN_MODULE

PLAIN: Final = "Any"
"""What is written for a driver's type: whatever it becomes, the class keeps to it meanwhile."""


ANY: Final = Needed("typing", "Any")


class TypeWriter:
    """Writes the types of one module; `needed` and `own` are the names that they take."""

    def __init__(
        self,
        imported: Mapping[str, Needed],
        defined: AbstractSet[str],
        renamed: Mapping[str, str],
        driver_name: Callable[[str], str],
    ) -> None:
        """Take what the module imports and defines, and what some of its names become.

        `driver_name` returns a driver's own name for a dotted name, and an empty text for others.
        """
        self.imported = imported
        self.defined = defined
        self.renamed = renamed
        self.driver_name = driver_name
        self.needed: set[Needed] = set()
        self.own: set[str] = set()
        self.leaks: list[str] = []

    def written(self, node: cst.BaseExpression) -> cst.BaseExpression:
        """Return an annotation as the interface has it."""
        return _visited(node, self)

    def is_drivers(self, node: cst.BaseExpression) -> bool:
        """Return whether a dotted name is a driver's."""
        origin = self._origin(get_full_name_for_node(node) or "")
        return bool(origin and self.driver_name(origin))

    def _origin(self, dotted: str) -> str:
        """Return what a dotted name means; empty where the module neither has nor imports it."""
        first, _, rest = dotted.partition(".")
        needed = self.imported.get(first)
        if needed is not None:
            return _joined(needed.origin, rest)
        return OWN_MODULE + dotted if first in self.defined else ""

    def bounded(self, parameters: cst.TypeParameters | None) -> cst.TypeParameters | None:
        """Return type parameters (PEP 695) with their bounds as the interface has them."""
        found: Any = None if parameters is None else parameters.visit(_Names(self))
        return found if isinstance(found, cst.TypeParameters) else parameters

    def named(self, node: cst.BaseExpression) -> cst.BaseExpression:
        """Return what is written for a dotted name, and note what that needs."""
        dotted = get_full_name_for_node(node) or ""
        if dotted in self.renamed:
            return cst.Name(self.renamed[dotted])
        origin = self._origin(dotted)
        if not origin:
            return node
        first = dotted.partition(".")[0]
        needed = self.imported.get(first)
        if drivers := self.driver_name(origin):
            self.leaks.append(drivers)
            self.needed.add(ANY)
            return cst.Name(PLAIN)
        if needed is None:
            self.own.add(first)
        else:
            self.needed.add(needed)
        return node


class _Names(cst.CSTTransformer):
    """Rewrites the names in an annotation."""

    def __init__(self, writer: TypeWriter) -> None:
        super().__init__()
        self.writer = writer

    def visit_Attribute(self, node: cst.Attribute) -> bool:
        return False

    def leave_Attribute(
        self,
        original_node: cst.Attribute,
        updated_node: cst.Attribute,
    ) -> cst.BaseExpression:
        return self.writer.named(updated_node)

    def leave_Name(
        self,
        original_node: cst.Name,
        updated_node: cst.Name,
    ) -> cst.BaseExpression:
        return self.writer.named(updated_node)

    def visit_Subscript(self, node: cst.Subscript) -> bool:
        name = get_full_name_for_node(node.value) or ""
        if name.rpartition(".")[2] != "Literal":
            return True
        self.writer.named(node.value)
        return False

    def leave_Subscript(
        self,
        original_node: cst.Subscript,
        updated_node: cst.Subscript,
    ) -> cst.BaseExpression:
        """Leave no brackets behind what was replaced: it takes none."""
        is_plain = isinstance(updated_node.value, cst.Name) and updated_node.value.value == PLAIN
        return updated_node.value if is_plain else updated_node

    def leave_SimpleString(
        self,
        original_node: cst.SimpleString,
        updated_node: cst.SimpleString,
    ) -> cst.BaseExpression:
        """Read a string as the type that it names."""
        text = updated_node.evaluated_value
        try:
            read = cst.parse_expression(text.strip()) if isinstance(text, str) else updated_node
        except cst.ParserSyntaxError:
            return updated_node
        return _visited(read, self.writer)


def _visited(node: cst.BaseExpression, writer: TypeWriter) -> cst.BaseExpression:
    found: Any = node.visit(_Names(writer))
    return found if isinstance(found, cst.BaseExpression) else node


def _joined(origin: str, rest: str) -> str:
    return f"{origin}.{rest}" if rest else origin
