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

from dal_audit.extract.classes import class_shapes
from dal_audit.extract.expressions import last_name
from dal_audit.extract.fold import imported_name
from dal_audit.extract.scopes import Imported
from dal_audit.extract.source import Lines
from dal_audit.extract.statements import node_span
from dal_audit.extract.types import TYPE_MAKERS, TypeReader
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
    yield Shape(Span(1, 1, 1, 1), exports, tuple(reader.stars), reader.offered)
    yield from class_shapes(tree, lines, reader.types)


class _Shaper:
    def __init__(self, lines: Lines) -> None:
        self.lines = lines
        self.exports: list[Export] = []
        self.stars: list[str] = []
        self.offered: tuple[str, ...] | None = None
        self.types = TypeReader(lines)

    def statements(self, body: list[ast.stmt]) -> None:
        """Read statements of the module's own block, also below `if`, `try`, `with` and loops."""
        for statement in body:
            if isinstance(statement, (ast.Import, ast.ImportFrom)):
                self.imports(statement)
            elif isinstance(statement, ast.ClassDef):
                # `class Store(Base[Connection])` is a `Base`, whatever it is told in brackets.
                heads = [b.value if isinstance(b, ast.Subscript) else b for b in statement.bases]
                bases = [name for head in heads for name in self.types.origins(head)]
                self.add(statement.name, statement, "class", bases)
            elif not isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
                self.assignments(statement)
                for inner in ("body", "orelse", "finalbody"):
                    self.statements(getattr(statement, inner, []))
                for handler in getattr(statement, "handlers", []):
                    self.statements(handler.body)

    def imports(self, statement: ast.Import | ast.ImportFrom) -> None:
        for alias in statement.names:
            if alias.name == "*" and isinstance(statement, ast.ImportFrom):
                self.stars.append("." * statement.level + (statement.module or ""))
                continue
            origin = imported_name(Imported(statement, alias))
            name = alias.asname or alias.name.partition(".")[0]
            self.types.imported.setdefault(name, []).append(origin)
            span = _alias_span(self.lines, alias)
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
        if any(isinstance(one, ast.Name) and one.id == "__all__" for one in targets):
            self.all_names(value)

    def bind(self, targets: list[ast.expr], value: ast.expr) -> None:
        inner = value.value if isinstance(value, ast.Await) else value
        if isinstance(inner, ast.Call) and last_name(inner.func) not in TYPE_MAKERS:
            self.named(targets, "call", self.types.origins(inner.func))
        else:
            plain = isinstance(inner, (ast.Name, ast.Attribute, ast.IfExp, ast.BoolOp))
            self.named(targets, "alias" if plain else "type", self.types.origins(inner))

    def named(self, targets: list[ast.expr], made: Made, origins: Iterator[str]) -> None:
        found = list(origins)
        for target in targets:
            if isinstance(target, ast.Name) and found:
                self.add(target.id, target, made, found)

    def add(self, name: str, node: ast.expr | ast.stmt, made: Made, origins: list[str]) -> None:
        if isinstance(node, ast.expr):
            span = node_span(self.lines, node)
        else:
            start = self.lines.offset(node.lineno, node.col_offset)
            start = self.lines.text.find(name, start)
            span = self.lines.span(start, start + len(name))
        unique = tuple(dict.fromkeys(origins))
        self.exports.append(Export(name, span, made, unique))

    def all_names(self, value: ast.expr | None) -> None:
        """Read a literal `__all__`; several are taken together."""
        if isinstance(value, (ast.List, ast.Tuple)):
            names = [one.value for one in value.elts if isinstance(one, ast.Constant)]
            self.offered = (*(self.offered or ()), *(n for n in names if isinstance(n, str)))

    def globals_of_functions(self, tree: ast.Module) -> None:
        """Read what functions assign to the module's names (`global pool; pool = …`)."""
        if not _GLOBAL.search(self.lines.text):
            return
        for node in ast.walk(tree):
            if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                continue
            inner = list(ast.walk(node))
            names = {name for one in inner if isinstance(one, ast.Global) for name in one.names}
            for one in inner:
                if isinstance(one, ast.Assign) and names:
                    targets = [t for t in one.targets if isinstance(t, ast.Name) and t.id in names]
                    self.bind(list(targets), one.value)


def _alias_span(lines: Lines, alias: ast.alias) -> Span:
    start = lines.offset(alias.lineno, alias.col_offset)
    return lines.span(start, start + len(alias.name))
