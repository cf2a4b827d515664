"""The shape of a module: which names it offers to others, and what each stands for.

A fact of one file alone; names are followed across files when the project is assembled. Every
binding counts, conditional and repeated ones too: a name is the union of what is bound to it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from typing import Final

from dal_audit.extract.python.annotations import TYPE_MAKERS, TypeReader
from dal_audit.extract.python.classes import class_shapes
from dal_audit.extract.python.expression_uses import last_name
from dal_audit.extract.python.parse.import_places import (
    blocks_of,
    imported_span,
    name_span,
    node_span,
)
from dal_audit.extract.python.scopes import Imported
from dal_audit.extract.source import Lines
from dal_audit.facts import ClassShape, Export, Made, Shape, Span

_GLOBAL: Final = re.compile(r"^[ \t\f]*global\b", re.MULTILINE)


def shapes_of(
    tree: ast.Module, lines: Lines, used: AbstractSet[str]
) -> Iterator[Shape | ClassShape]:
    """Yield the shape of a module and of its classes.

    `used` are the names that the module itself reads.
    """
    reader = _Shaper(lines)
    reader.statements(tree.body)
    reader.globals_of_functions(tree)
    exports = tuple(
        Export(one.name, one.span, one.made, one.origins, one.name in used, one.renamed)
        for one in reader.exports
    )
    yield Shape(
        Span(1, 1, 1, 1),
        exports,
        tuple(reader.stars),
        reader.offered,
        tuple(reader.star_spans),
        reader.lists_more,
        reader.is_dynamic,
    )
    yield from class_shapes(tree, lines, reader.types)


class _Shaper:
    def __init__(self, lines: Lines) -> None:
        self.lines = lines
        self.exports: list[Export] = []
        self.stars: list[str] = []
        self.star_spans: list[Span] = []
        self.listed: list[str] | None = None
        self.lists_more = False
        self.is_dynamic = False
        self.types = TypeReader(lines)
        self.only: AbstractSet[str] | None = None
        """The names that count, None for all."""
        self._walrus = ":=" in lines.text

    @property
    def offered(self) -> tuple[str, ...] | None:
        """The names in `__all__`; None where there is none."""
        return None if self.listed is None else tuple(self.listed)

    def statements(self, body: list[ast.stmt]) -> None:
        """Read statements of a block, also below `if`, `try`, `with`, `match` and loops."""
        for statement in body:
            if isinstance(statement, (ast.Import, ast.ImportFrom)):
                self.imports(statement)
            elif isinstance(statement, ast.ClassDef):
                # `class Store(Base[Connection])` is a `Base`, whatever it is told in brackets.
                heads = [b.value if isinstance(b, ast.Subscript) else b for b in statement.bases]
                bases = [name for head in heads for name in self.types.origins(head)]
                self.add(statement.name, name_span(self.lines, statement), "class", bases)
            elif isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
                is_own = self.only is None
                self.is_dynamic = self.is_dynamic or (is_own and statement.name == "__getattr__")
            else:
                self.assignments(statement)
                for inner in blocks_of(statement):
                    self.statements(inner)

    def imports(self, statement: ast.Import | ast.ImportFrom) -> None:
        for alias in statement.names:
            if alias.name == "*" and isinstance(statement, ast.ImportFrom):
                self.stars.append("." * statement.level + (statement.module or ""))
                self.star_spans.append(imported_span(self.lines, alias))
                continue
            origin = Imported(statement, alias).origin
            name = alias.asname or alias.name.partition(".")[0]
            if self.only is not None and name not in self.only:
                continue
            self.types.imported.setdefault(name, []).append(origin)
            span = imported_span(self.lines, alias)
            renamed = alias.asname == alias.name
            self.exports.append(Export(name, span, "import", (origin,), renamed=renamed))

    def assignments(self, statement: ast.stmt) -> None:
        """Read an assignment to names."""
        value: ast.expr | None = None
        targets: list[ast.expr] = []
        if isinstance(statement, ast.Assign):
            value, targets = statement.value, statement.targets
        elif isinstance(statement, ast.AnnAssign):
            value, targets = statement.value, [statement.target]
            if last_name(statement.annotation) != "TypeAlias":
                self.named(targets, "annotation", self.types.origins(statement.annotation))
        elif type(statement).__name__ == "TypeAlias":
            value, targets = statement.value, [statement.name]  # type: ignore[attr-defined]
        elif isinstance(statement, (ast.With, ast.AsyncWith)):
            for item in statement.items:
                if item.optional_vars is not None:
                    self.bind([item.optional_vars], item.context_expr)
        if value is not None:
            self.bind(targets, value)
        self.listing(statement)
        if self._walrus:
            for part in ast.iter_child_nodes(statement):
                if isinstance(part, ast.expr):
                    self.named_in(part)

    def named_in(self, node: ast.expr) -> None:
        """Read the names that an expression binds by `:=`."""
        for inner in ast.walk(node):
            if isinstance(inner, ast.NamedExpr):
                self.bind([inner.target], inner.value)

    def bind(self, targets: list[ast.expr], value: ast.expr) -> None:
        pairs = [pair for target in targets for pair in _pairs(target, value)]
        for target, one in pairs:
            inner = one.value if isinstance(one, ast.Await) else one
            if isinstance(inner, ast.Call) and last_name(inner.func) not in TYPE_MAKERS:
                self.named([target], "call", self.types.origins(inner.func))
            else:
                plain = isinstance(inner, (ast.Name, ast.Attribute, ast.IfExp, ast.BoolOp))
                self.named([target], "alias" if plain else "type", self.types.origins(inner))

    def named(self, targets: list[ast.expr], made: Made, origins: Iterator[str]) -> None:
        found = list(origins)
        for target in targets:
            if isinstance(target, ast.Name) and found:
                self.add(target.id, node_span(self.lines, target), made, found)

    def add(self, name: str, span: Span, made: Made, origins: list[str]) -> None:
        if self.only is None or name in self.only:
            self.exports.append(Export(name, span, made, tuple(dict.fromkeys(origins))))

    def listing(self, statement: ast.stmt) -> None:
        """Read what a statement does to `__all__`; several lists are taken together."""
        if isinstance(statement, (ast.Assign, ast.AnnAssign, ast.AugAssign)):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            if statement.value is not None and any(_is_all(one) for one in targets):
                self.list_names(statement.value)
        elif isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
            call = statement.value
            if isinstance(call.func, ast.Attribute) and _is_all(call.func.value):
                for argument in call.args:
                    one = call.func.attr in {"append", "remove"}
                    self.list_names(ast.List([argument]) if one else argument)

    def list_names(self, value: ast.expr) -> None:
        """Add the names in a list, or in several that are added; what is not known is noted."""
        self.listed = self.listed or []
        waiting = [value]
        while waiting:
            one = waiting.pop(0)
            if isinstance(one, (ast.List, ast.Tuple, ast.Set)):
                waiting[:0] = one.elts
            elif isinstance(one, ast.BinOp) and isinstance(one.op, ast.Add):
                waiting[:0] = [one.left, one.right]
            elif isinstance(one, ast.Starred):
                waiting.insert(0, one.value)
            elif isinstance(one, ast.Constant) and isinstance(one.value, str):
                self.listed.append(one.value)
            else:
                self.lists_more = True

    def globals_of_functions(self, tree: ast.Module) -> None:
        """Read what functions bind of the module's names (`global pool; pool = …`)."""
        if "global" not in self.lines.text or not _GLOBAL.search(self.lines.text):
            return
        for node in ast.walk(tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                names = set(_globals(node.body))
                if names:
                    self.only = names
                    self.statements(node.body)
        self.only = None


def _pairs(target: ast.expr, value: ast.expr) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Yield each single target with what is assigned to it, where that is written out."""
    if not isinstance(target, (ast.Tuple, ast.List)):
        yield target, value
    elif isinstance(value, (ast.Tuple, ast.List)):
        if any(isinstance(one, ast.Starred) for one in value.elts):
            return
        stars = [index for index, one in enumerate(target.elts) if isinstance(one, ast.Starred)]
        head = stars[0] if stars else len(target.elts)
        tail = len(target.elts) - head - 1 if stars else 0
        for one, part in zip(target.elts[:head], value.elts[:head], strict=False):
            yield from _pairs(one, part)
        if tail:
            for one, part in zip(target.elts[-tail:], value.elts[-tail:], strict=False):
                yield from _pairs(one, part)


def _is_all(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "__all__"


def _globals(body: list[ast.stmt]) -> Iterator[str]:
    """Yield the names that a function declares `global` in its own block."""
    for statement in body:
        if isinstance(statement, ast.Global):
            yield from statement.names
        elif not isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            for inner in blocks_of(statement):
                yield from _globals(inner)
