"""The shape of a module: which names it offers to others, and what each stands for.

A fact of one file alone; names are followed across files when the project is assembled. Every
binding counts, conditional and repeated ones too: a name is the union of what is bound to it.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import Final

from dal_audit.extract.python.annotations import TYPE_MAKERS, TypeReader
from dal_audit.extract.python.assigned_values import branches, pairs
from dal_audit.extract.python.classes import class_shapes
from dal_audit.extract.python.definitions import assignments, collected, without_brackets
from dal_audit.extract.python.error_translations import error_translations
from dal_audit.extract.python.export_lists import list_removals
from dal_audit.extract.python.expression_uses import last_name
from dal_audit.extract.python.function_results import FunctionResults
from dal_audit.extract.python.handed_sql import ExecutedParameters
from dal_audit.extract.python.namespace_entries import (
    IN_FUNCTIONS,
    NamespaceEntries,
    names_namespace,
)
from dal_audit.extract.python.on_demand import NamesOnDemand, attached
from dal_audit.extract.python.parse.import_places import (
    MarkedLines,
    imported_span,
    name_span,
    node_span,
    nodes_on,
    own_statements,
)
from dal_audit.extract.python.parse.walk import FUNCTIONS, Function, children, nodes_in
from dal_audit.extract.python.scopes import Scope, imported_names, source_module
from dal_audit.extract.source import Lines
from dal_audit.facts import (
    BindingKind,
    CaughtTuple,
    ClassDefinition,
    ErrorTranslation,
    Export,
    HandlerTies,
    ModuleExports,
    Span,
)

_LAZY_LOADER: Final = "lazy_loader."
_NAMESPACES: Final = frozenset({"SimpleNamespace", "Namespace"})
"""Classes of types and argparse whose objects have the attributes that they are made with."""

_TAKEN: Final = frozenset({"import", "alias"})
"""How a module comes by names that are others'."""
_GLOBAL: Final = re.compile(r"global\b")


def shapes_of(
    tree: ast.Module, lines: Lines, used: AbstractSet[str], module: Scope
) -> Iterator[ModuleExports | ClassDefinition | ErrorTranslation | CaughtTuple | HandlerTies]:
    """Yield the shape of a module, of its classes, and what its handlers do.

    `used` are the names that the module itself reads, `module` is its outermost scope.
    """
    reader = _Shaper(lines)
    reader.statements(tree)
    reader.globals_of_functions(tree)
    reader.results(tree, module)
    exports = tuple(
        Export(found.name, found.span, found.made, found.origins, found.name in used, found.renamed)
        for found in reader.exports
    )
    yield ModuleExports(
        Span(1, 1, 1, 1),
        exports,
        tuple(reader.stars),
        reader.offered,
        tuple(reader.star_spans),
        reader.lists_more,
        tuple(reader.executing),
        reader.is_dynamic,
        removals=tuple(reader.removals()),
        defines=bool(reader.functions) or any(own.made == "class" for own in exports),
    )
    yield from class_shapes(tree, lines, reader.types, reader.executed)
    yield from error_translations(tree, lines, reader.types)


class _Shaper:
    def __init__(self, lines: Lines) -> None:
        self.lines = lines
        self.exports: list[Export] = []
        self.stars: list[str] = []
        self.star_spans: list[Span] = []
        self.listed: list[str] | None = None
        self.lists_more = False
        self.listings: list[ast.List | ast.Tuple | ast.Set] = []
        self.is_dynamic = False
        self.types = TypeReader(lines)
        self.executed = ExecutedParameters(lines)
        self.only: AbstractSet[str] | None = None
        """The names that count, None for all."""
        self.functions: list[Function] = []
        self.executing: list[str] = []
        self.attachments: list[ast.Call] = []
        self.lambdas: list[tuple[ast.Name, ast.Lambda]] = []
        self._walrus = ":=" in lines.text

    @property
    def offered(self) -> tuple[str, ...] | None:
        """The names in `__all__`; None where there is none."""
        return None if self.listed is None else tuple(self.listed)

    def removals(self) -> Iterator[tuple[str, Span]]:
        """Yield the names that `__all__` lists once and the module took from others."""
        counted = Counter(self.listed or ())
        made = {export.name: export.made for export in self.exports}
        for node in self.listings:
            for name, span in list_removals(node, self.lines):
                if counted[name] == 1 and made.get(name, "import") in _TAKEN:
                    yield name, span

    def statements(self, node: ast.Module | Function) -> None:
        """Read the statements of a block, also below `if`, `try`, `with`, `match` and loops."""
        for statement in own_statements(node):
            if isinstance(statement, (ast.Import, ast.ImportFrom)):
                self.imports(statement)
            elif isinstance(statement, ast.ClassDef):
                bases = without_brackets(statement.bases)
                origins = [name for base in bases for name in self.types.origins(base)]
                self.add(statement.name, name_span(self.lines, statement), "class", origins)
                if self.only is None:
                    self.in_class(statement, statement.name)
            elif isinstance(statement, FUNCTIONS):
                if self.only is None:
                    self.function(statement)
            else:
                self.assigned(statement)

    def in_class(self, node: ast.ClassDef, owner: str) -> None:
        """Read what a class's names stand for; what it calls for one is an attribute's value."""
        for statement in own_statements(node):
            if isinstance(statement, ast.ClassDef):
                self.in_class(statement, f"{owner}.{statement.name}")
                continue
            for targets, value, _ in assignments(statement):
                made, origins = self.meant(value) if value is not None else ("call", [])
                for target in targets if made != "call" and origins else ():
                    if isinstance(target, ast.Name):
                        span = node_span(self.lines, target)
                        self.add(f"{owner}.{target.id}", span, made, origins)

    def function(self, node: Function) -> None:
        self.is_dynamic = self.is_dynamic or node.name == "__getattr__"
        self.functions.append(node)

    def namespace(self, tree: ast.Module, module: Scope) -> None:
        """Read what any block binds of the module's names by `globals()`."""
        if not names_namespace(self.lines.text):
            return
        binding = MarkedLines.of_words(self.lines, IN_FUNCTIONS)
        functions = (node for node in nodes_on(tree, binding) if isinstance(node, FUNCTIONS))
        for node in (tree, *functions):
            entries = NamespaceEntries(module, in_function=node is not tree)
            for statement in own_statements(node):
                for place, name, value in entries.of(statement):
                    target = ast.copy_location(ast.Name(name, ast.Store()), place)
                    self.bind([target], value)

    def results(self, tree: ast.Module, module: Scope) -> None:
        """Read what functions give, by all the imports that the module has."""
        self.namespace(tree, module)
        reader = FunctionResults(self.types, module)
        for call in self.attachments:
            self.attached(call, module)
        for node in self.functions:
            if any(self.executed.of(node)):
                self.executing.append(node.name)
            if node.name == "__getattr__":
                self.on_demand(node, module)
                continue
            origins = list(reader.of(node))
            if origins:
                self.add(node.name, name_span(self.lines, node), "function", origins)
        for target, value in self.lambdas:
            self.named([target], "function", reader.of_lambda(value))

    def attached(self, call: ast.Call, module: Scope) -> None:
        """Read what a package lets `lazy_loader` answer (SPEC 1 of Scientific Python)."""
        if not any(name.startswith(_LAZY_LOADER) for name in self.types.called(call)):
            return
        self.is_dynamic = True
        for name, origin in attached(call, module):
            self.add(name, node_span(self.lines, call), "on-demand", [origin])

    def on_demand(self, node: Function, module: Scope) -> None:
        """Read what the module's `__getattr__` answers."""
        span = name_span(self.lines, node)
        for name, origins in NamesOnDemand(self.types, module).of(node):
            self.add(name, span, "on-demand", origins)

    def imports(self, statement: ast.Import | ast.ImportFrom) -> None:
        if isinstance(statement, ast.ImportFrom) and statement.names[0].name == "*":
            self.stars.append(source_module(statement))
            self.star_spans.append(imported_span(self.lines, statement.names[0]))
        for imported in imported_names(statement):
            name, alias = imported.name, imported.alias
            if self.only is not None and name not in self.only:
                continue
            self.types.imported.setdefault(name, []).append(imported.origin)
            span = imported_span(self.lines, alias)
            renamed = alias.asname == alias.name
            self.exports.append(Export(name, span, "import", (imported.origin,), renamed=renamed))

    def assigned(self, statement: ast.stmt) -> None:
        """Read what a statement sets names to."""
        for targets, value, annotation in assignments(statement):
            if annotation is not None and last_name(annotation) != "TypeAlias":
                self.named(targets, "annotation", self.types.origins(annotation))
            if value is not None:
                self.bind(targets, value)
            if isinstance(value, ast.Call) and last_name(value.func) == "attach":
                self.attachments.append(value)
        self.listing(statement)
        if self._walrus:
            for part in children(statement):
                if isinstance(part, ast.expr):
                    self.named_in(part)

    def named_in(self, node: ast.expr) -> None:
        """Read the names that an expression binds by `:=`."""
        for inner in nodes_in(node):
            if isinstance(inner, ast.NamedExpr):
                self.bind([inner.target], inner.value)

    def bind(self, targets: Sequence[ast.expr], value: ast.expr) -> None:
        for target in targets:
            for single, given in pairs(target, value):
                chosen = list(branches(given))
                is_made = any(isinstance(branch, ast.Call) for branch in chosen)
                for branch in chosen if is_made or len(chosen) == 1 else [given]:
                    self.bind_single(single, branch)

    def bind_single(self, target: ast.expr, value: ast.expr) -> None:
        if isinstance(value, ast.Lambda) and isinstance(target, ast.Name):
            self.lambdas.append((target, value))
            return
        made, origins = self.meant(value)
        self.named([target], made, origins)
        if isinstance(value, ast.Call) and last_name(value.func) in _NAMESPACES:
            self.in_namespace(target, value)

    def in_namespace(self, target: ast.expr, value: ast.Call) -> None:
        """Read what the attributes of an object stand for that is made of nothing else."""
        for keyword in value.keywords if isinstance(target, ast.Name) else ():
            made, origins = self.meant(keyword.value)
            if keyword.arg and origins:
                name = f"{last_name(target)}.{keyword.arg}"
                self.add(name, node_span(self.lines, keyword.value), made, origins)

    def meant(self, value: ast.expr) -> tuple[BindingKind, list[str]]:
        """Return how a value is made, and what of."""
        elements = collected(value)
        if elements is not None:
            return "collection", [name for part in elements for name in self.types.value(part)]
        if isinstance(value, ast.Call) and last_name(value.func) == "partial" and value.args:
            return self.meant(value.args[0])  # It is called in its place.
        if isinstance(value, ast.Call) and last_name(value.func) not in TYPE_MAKERS:
            return "call", list(self.types.called(value))
        is_plain = isinstance(value, (ast.Name, ast.Attribute, ast.IfExp, ast.BoolOp))
        return "alias" if is_plain else "type", list(self.types.origins(value))

    def named(self, targets: Sequence[ast.expr], made: BindingKind, origins: Iterable[str]) -> None:
        found = list(origins)
        for target in targets:
            if isinstance(target, ast.Name) and found:
                self.add(target.id, node_span(self.lines, target), made, found)

    def add(self, name: str, span: Span, made: BindingKind, origins: list[str]) -> None:
        if self.only is None or name in self.only:
            self.exports.append(Export(name, span, made, tuple(dict.fromkeys(origins))))

    def listing(self, statement: ast.stmt) -> None:
        """Read what a statement does to `__all__`; several lists are taken together."""
        if isinstance(statement, (ast.Assign, ast.AnnAssign, ast.AugAssign)):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            if statement.value is not None and any(map(_is_all, targets)):
                self.list_names(statement.value)
        elif isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
            self.listing_call(statement.value)

    def listing_call(self, call: ast.Call) -> None:
        """Read what `__all__.append(…)`, `__all__.extend(…)` and their like list."""
        if isinstance(call.func, ast.Attribute) and _is_all(call.func.value):
            for argument in call.args:
                self.list_names(argument)

    def list_names(self, value: ast.expr) -> None:
        """Add the names in a list, or in several that are added; what is not known is noted."""
        self.listed = self.listed or []
        waiting = [value]
        while waiting:
            node = waiting.pop(0)
            if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
                waiting[:0] = node.elts
                self.listings.append(node)
            elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
                waiting[:0] = [node.left, node.right]
            elif isinstance(node, ast.Starred):
                waiting.insert(0, node.value)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                self.listed.append(node.value)
            else:
                self.lists_more = True

    def globals_of_functions(self, tree: ast.Module) -> None:
        """Read what functions bind of the module's names (`global pool; pool = …`)."""
        lines = self.lines
        found = _GLOBAL.finditer(lines.text) if "global" in lines.text else ()
        for node in nodes_on(tree, MarkedLines(lines.line_of(word.start()) for word in found)):
            if isinstance(node, FUNCTIONS):
                self.only = _globals(node)
                if self.only:
                    self.statements(node)
        self.only = None


def _is_all(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "__all__"


def _globals(node: Function) -> set[str]:
    """Return the names that a function declares `global` in its own block."""
    return {
        name
        for statement in own_statements(node)
        if isinstance(statement, ast.Global)
        for name in statement.names
    }
