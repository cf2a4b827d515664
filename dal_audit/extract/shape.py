"""The shape of a module: which names it offers to others, and what each stands for.

A fact of one file alone; names are followed across files when the project is assembled. Every
binding counts, conditional and repeated ones too: a name is the union of what is bound to it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from dal_audit.extract.expressions import last_name
from dal_audit.extract.fold import imported_name
from dal_audit.extract.scopes import Imported
from dal_audit.extract.source import Lines
from dal_audit.extract.statements import node_span
from dal_audit.facts import LOCAL, Export, Made, Shape, Span

_TYPE_MAKERS = frozenset({"NewType", "TypeVar", "cast"})
"""Calls whose result stands for the type that they are handed."""


def shape_of(tree: ast.Module, lines: Lines) -> Shape:
    """Return the shape of a module."""
    reader = _Shaper(lines)
    reader.statements(tree.body)
    reader.globals_of_functions(tree)
    used = {
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }
    exports = tuple(
        Export(one.name, one.span, one.made, one.origins, one.name in used, one.renamed)
        for one in reader.exports
    )
    return Shape(Span(1, 1, 1, 1), exports, tuple(reader.stars), reader.offered)


class _Shaper:
    def __init__(self, lines: Lines) -> None:
        self.lines = lines
        self.exports: list[Export] = []
        self.stars: list[str] = []
        self.offered: tuple[str, ...] | None = None
        self.imported: dict[str, list[str]] = {}

    def statements(self, body: list[ast.stmt]) -> None:
        """Read statements of the module's own block, also below `if`, `try`, `with` and loops."""
        for statement in body:
            if isinstance(statement, (ast.Import, ast.ImportFrom)):
                self.imports(statement)
            elif isinstance(statement, ast.ClassDef):
                # `class Store(Base[Connection])` is a `Base`, whatever it is told in brackets.
                heads = [b.value if isinstance(b, ast.Subscript) else b for b in statement.bases]
                bases = [name for head in heads for name in self.origins(head)]
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
            self.imported.setdefault(name, []).append(origin)
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
                self.named(targets, "annotation", self.origins(statement.annotation))
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
        if isinstance(inner, ast.Call) and last_name(inner.func) not in _TYPE_MAKERS:
            self.named(targets, "call", self.origins(inner.func))
        else:
            plain = isinstance(inner, (ast.Name, ast.Attribute, ast.IfExp, ast.BoolOp))
            self.named(targets, "alias" if plain else "type", self.origins(inner))

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
        if "global" not in self.lines.text:
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

    def origins(self, node: ast.expr) -> Iterator[str]:
        """Yield the dotted names that an expression, read as a type or as a value, stands for."""
        if isinstance(node, (ast.Name, ast.Attribute)):
            yield from self.dotted(node)
        elif isinstance(node, ast.Subscript):
            yield from self.subscript(node)
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
            yield from self.origins(node.left)
            yield from self.origins(node.right)
        elif isinstance(node, (ast.Tuple, ast.List)):
            for element in node.elts:
                yield from self.origins(element)
        elif isinstance(node, (ast.IfExp, ast.BoolOp)):
            values = [node.body, node.orelse] if isinstance(node, ast.IfExp) else node.values
            for value in values:
                yield from self.origins(value)
        elif isinstance(node, ast.Call) and last_name(node.func) in _TYPE_MAKERS:
            for argument in (*node.args, *(keyword.value for keyword in node.keywords)):
                yield from self.origins(argument)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from self.string(node.value)

    def subscript(self, node: ast.Subscript) -> Iterator[str]:
        """Yield what a generic type stands for; `Literal`'s values and metadata are no types."""
        name = last_name(node.value)
        yield from self.origins(node.value)
        if name == "Literal":
            return
        if name == "Annotated" and isinstance(node.slice, ast.Tuple) and node.slice.elts:
            yield from self.origins(node.slice.elts[0])
        else:
            yield from self.origins(node.slice)

    def string(self, text: str) -> Iterator[str]:
        """Yield what a string stands for where it is read as a type; a plain text is none."""
        if not text.replace(".", "").replace("_", "").isalnum():
            return
        try:
            inner = ast.parse(text, mode="eval").body
        except (SyntaxError, ValueError):
            return
        if isinstance(inner, (ast.Name, ast.Attribute)):
            yield from self.dotted(inner)

    def dotted(self, node: ast.expr) -> Iterator[str]:
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return
        rest = "".join(f".{part}" for part in reversed(parts))
        found = self.imported.get(node.id)
        for origin in found or [LOCAL + node.id]:
            yield origin + rest


def _alias_span(lines: Lines, alias: ast.alias) -> Span:
    start = lines.offset(alias.lineno, alias.col_offset)
    return lines.span(start, start + len(alias.name))
