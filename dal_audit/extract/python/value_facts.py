"""What a module's names evidently stand for, and where it reads attributes that matter.

A second look at few files: those whose bytes hold an accessor's name, and those that say of which
class its receiver is. Which names matter comes from linking the project, never from a list.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import Final

from dal_audit.extract.python.annotations import TypeReader
from dal_audit.extract.python.attribute_reads import Accesses
from dal_audit.extract.python.constant_folding import imported_name
from dal_audit.extract.python.expression_uses import last_name
from dal_audit.extract.python.parse.import_places import MarkedLines, own_statements
from dal_audit.extract.python.parse.walk import FUNCTIONS, Function, children
from dal_audit.extract.python.scopes import Imported
from dal_audit.extract.python.value_inference import (
    Block,
    Values,
    bind_parameters,
    bind_statement,
    is_own,
)
from dal_audit.extract.source import Lines
from dal_audit.facts import CALL, Evidence, Known, Span

_PROPERTIES: Final = frozenset({"property", "cached_property"})
_BLOCKS: Final = (*FUNCTIONS, ast.ClassDef, ast.Lambda)
_SETTING: Final = (re.compile(r"self\.\w+\s*[:=]"), re.compile(r"global\b"))
"""What a function does not say without setting what is seen outside of it."""


def evidence(tree: ast.Module, lines: Lines, words: AbstractSet[str]) -> Evidence:
    """Return what a module's names stand for, and its accesses to attributes of these names.

    Raises RecursionError for a tree that is nested too deeply to walk.
    """
    reader = _Reader(lines, words)
    reader.imports(tree)
    reader.block(tree.body, Block(), "")
    return Evidence(
        Span(1, 1, 1, 1),
        tuple((name, tuple(dict.fromkeys(found))) for name, found in reader.values.items()),
        tuple(reader.classes.items()),
        tuple(reader.stars),
        tuple(reader.accesses.found),
    )


class _Reader:
    def __init__(self, lines: Lines, words: AbstractSet[str]) -> None:
        self.lines = lines
        self.words = words
        self.values: dict[str, list[Known]] = {}
        self.classes: dict[str, tuple[str, ...]] = {}
        self.stars: list[str] = []
        self.yields = "yield" in self.lines.text
        self.types = TypeReader(self.lines)
        self.of = Values(self.types)
        self.accesses = Accesses(self.lines, self.words, self.of)
        setting = (
            self.lines.line_of(one.start())
            for pattern in _SETTING
            for one in pattern.finditer(self.lines.text)
        )
        self.marked = MarkedLines((*self.accesses.marked.numbers, *setting))

    def imports(self, tree: ast.Module) -> None:
        """Note the imports of the module's own block, also below `if`, `try` and `with`."""
        for node in _inside(tree.body):
            if not isinstance(node, (ast.Import, ast.ImportFrom)):
                continue
            for alias in node.names:
                if alias.name == "*" and isinstance(node, ast.ImportFrom):
                    self.stars.append("." * node.level + (node.module or ""))
                    continue
                origin = imported_name(Imported(node, alias))
                name = alias.asname or alias.name.partition(".")[0]
                self.types.imported.setdefault(name, []).append(origin)
                self.note(name, [Known(origin)])

    def note(self, name: str, found: Iterable[Known]) -> None:
        self.values.setdefault(name, []).extend(found)

    # Blocks

    def block(self, body: Sequence[ast.stmt], block: Block, owner: str) -> None:
        """Read the module's block, or the block of the class `owner`."""
        nodes = list(_inside(body))
        if owner:
            for node in nodes:
                bind_statement(node, self.of, block)
        for node in nodes:
            if isinstance(node, (ast.Assign, ast.AnnAssign, ast.With, ast.AsyncWith)):
                self.named(node, block, owner)
        self.inner(nodes, block, owner)
        self.accesses.read(body, block)

    def inner(self, nodes: Iterable[ast.AST], block: Block, owner: str) -> None:
        """Read the functions and classes in a module's or a class's block."""
        for node in nodes:
            if isinstance(node, FUNCTIONS):
                self.function(node, block, owner)
            elif isinstance(node, ast.ClassDef):
                name = f"{owner}.{node.name}" if owner else node.name
                heads = [one.value if isinstance(one, ast.Subscript) else one for one in node.bases]
                self.classes[name] = tuple(o for head in heads for o in self.types.origins(head))
                self.block(node.body, Block(block, is_class=True), name)

    def named(
        self, node: ast.Assign | ast.AnnAssign | ast.With | ast.AsyncWith, block: Block, owner: str
    ) -> None:
        """Note what a name of the module or of a class is set to."""
        pairs: list[tuple[ast.expr, ast.expr | None]] = []
        annotated: list[Known] = []
        if isinstance(node, ast.Assign):
            pairs = [(target, node.value) for target in node.targets]
        elif isinstance(node, ast.AnnAssign):
            pairs = [(node.target, node.value)]
            annotated = list(self.of.annotated(node.annotation))
        else:
            pairs = [
                (item.optional_vars, item.context_expr)
                for item in node.items
                if item.optional_vars is not None
            ]
        for target, value in pairs:
            if isinstance(target, ast.Name):
                name = f"{owner}.{target.id}" if owner else target.id
                self.note(name, annotated or self.meant(value, block))

    def meant(self, value: ast.expr | None, block: Block) -> list[Known]:
        """Return what a value is, or which types an alias of types stands for."""
        if isinstance(value, (ast.Subscript, ast.BinOp)):
            return [Known(origin) for origin in self.types.origins(value)]
        return list(self.of.of(value, block))

    def function(self, node: Function, outer: Block, owner: str = "") -> None:
        """Read a function: what it returns, what it sets on its object, what it accesses.

        `owner` is the class whose method it is. Where nothing in it matters, it is not walked.
        """
        is_named = bool(owner) or outer.parent is None
        touched = self.marked.touch(node)
        if is_named and node.returns is not None:
            self.note(_result(node, owner), self.of.annotated(node.returns))
        tells = is_named and node.returns is None
        if tells and not touched and not self.gives(node):
            self.note(_result(node, owner), [])
            return
        if not touched and not tells:
            return
        block = Block(outer)
        bind_parameters(node, self.of, block, owner)
        nodes = list(_inside(node.body))
        for one in nodes:
            bind_statement(one, self.of, block)
        if tells:
            self.returned(_result(node, owner), nodes, block)
        if touched:
            self.effects(nodes, block, owner)
            self.accesses.read(node.body, block)

    def gives(self, node: Function) -> bool:
        """Return whether a function may return or yield a value."""
        return self.yields or any(
            isinstance(one, ast.Return) and one.value is not None for one in own_statements(node)
        )

    def effects(self, nodes: Iterable[ast.AST], block: Block, owner: str) -> None:
        """Read what a function does beyond its own block, and the functions in it."""
        if owner:
            self.set_on_object(nodes, block, owner)
        for one in nodes:
            if isinstance(one, FUNCTIONS):
                self.function(one, block)
            elif isinstance(one, ast.ClassDef):
                inside = Block(block, is_class=True)
                for method in one.body:
                    if isinstance(method, FUNCTIONS):
                        self.function(method, inside)
            elif isinstance(one, ast.Global):
                self.module_names(one, nodes, block)

    def returned(self, name: str, nodes: Iterable[ast.AST], block: Block) -> None:
        """Note what a function without annotation returns or yields."""
        self.note(name, [])
        for one in nodes:
            if isinstance(one, (ast.Return, ast.Yield)):
                self.note(name, self.of.of(one.value, block))

    def set_on_object(self, nodes: Iterable[ast.AST], block: Block, owner: str) -> None:
        """Note what a method sets on its object."""
        for one in nodes:
            if isinstance(one, (ast.Assign, ast.AnnAssign)):
                targets = one.targets if isinstance(one, ast.Assign) else [one.target]
                for target in targets:
                    if _is_of_self(target):
                        name = f"{owner}.{target.attr}"  # type: ignore[attr-defined]
                        if isinstance(one, ast.AnnAssign):
                            self.note(name, self.of.annotated(one.annotation))
                        else:
                            self.note(name, self.of.of(one.value, block))

    def module_names(self, node: ast.Global, nodes: Iterable[ast.AST], block: Block) -> None:
        """Note what a function sets names of the module to."""
        for one in nodes:
            if isinstance(one, ast.Assign):
                for target in one.targets:
                    if isinstance(target, ast.Name) and target.id in node.names:
                        self.note(target.id, self.of.of(one.value, block))


def _inside(body: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """Yield what lies in a block, but not in a function, class or lambda inside it."""
    waiting = list(reversed(list(body)))
    while waiting:
        one = waiting.pop()
        yield one
        if not isinstance(one, _BLOCKS):
            waiting.extend(reversed(children(one)))


def _result(node: Function, owner: str) -> str:
    """Return the name of what a function returns; a property's is the name itself."""
    name = f"{owner}.{node.name}" if owner else node.name
    is_property = not _PROPERTIES.isdisjoint(map(last_name, node.decorator_list))
    return name if is_property else name + CALL


def _is_of_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and is_own(node.value)
