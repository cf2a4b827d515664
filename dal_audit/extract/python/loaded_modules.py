"""What a module reads of modules that it loads by their names: as if it had imported them."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct, field

from dal_audit.extract.python.expression_uses import NameUse
from dal_audit.extract.python.literal_values import follow_assignment
from dal_audit.extract.python.named_reads import reads
from dal_audit.extract.python.parse.import_places import node_span
from dal_audit.extract.python.parse.walk import nodes_in
from dal_audit.extract.python.scopes import Scope
from dal_audit.extract.source import Lines
from dal_audit.facts import Import, Reference, Span, Target, packed


class LoadedModule(Struct, frozen=True):
    """A call or look-up that gives a module: the names that it can have, and where they stand."""

    node: ast.expr
    names: tuple[str, ...]
    span: Span
    statement: Span
    type_checking: bool = False


class LoadedModules(Struct):
    """Collects loads of modules, and finds what is read of them."""

    lines: Lines
    loads: list[LoadedModule] = field(default_factory=list)

    def imports(self, tree: ast.Module, uses: Sequence[NameUse], module: Scope) -> Iterator[Import]:
        """Yield the loads of a name as one import, with what is read of the module."""
        by_node = {id(load.node): load for load in self.loads}
        read: dict[int, list[Reference]] = {}
        self._direct(tree, by_node, module, read)
        for use in uses:
            self._named(use, by_node, read)
        by_name: dict[str, list[LoadedModule]] = {}
        for load in self.loads:
            for name in load.names:
                by_name.setdefault(name, []).append(load)
        for name, loads in by_name.items():
            references = sorted(
                {
                    Reference(part.span, name + part.name, part.role)
                    for load in loads
                    for part in read.get(id(load.node), ())
                },
                key=lambda reference: reference.span,
            )
            first = loads[0]
            target = Target(first.span, name, name, packed(references))
            yield Import(
                first.statement, (target,), type_checking=first.type_checking, is_call=True
            )

    def _direct(
        self,
        tree: ast.AST,
        by_node: Mapping[int, LoadedModule],
        scope: Scope,
        read: dict[int, list[Reference]],
    ) -> None:
        """Note what is read of a load where it stands (`import_module("x").y`)."""
        for node in nodes_in(tree):
            if not isinstance(node, (ast.Attribute, ast.Call)):
                continue
            for owner, attribute in reads(node, scope):
                if id(owner) in by_node:
                    span = node_span(self.lines, node)
                    found = Reference(span, f".{attribute}", "value")
                    read.setdefault(id(owner), []).append(found)

    def _named(
        self, use: NameUse, by_node: Mapping[int, LoadedModule], read: dict[int, list[Reference]]
    ) -> None:
        """Note what is read of a name that a load is assigned to."""
        first, _, rest = use.dotted.partition(".")
        value = follow_assignment(ast.Name(first), use.scope)
        if rest and id(value) in by_node:
            span = node_span(self.lines, use.node)
            read.setdefault(id(value), []).append(Reference(span, f".{rest}", use.role))
