"""What a module's names evidently stand for, and where it reads attributes that matter.

A second look at few files: those whose bytes hold an accessor's name, and those that say of which
class its receiver is. Which names matter comes from linking the project, never from a list.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from dal_audit.extract.expressions import last_name
from dal_audit.extract.fold import imported_name
from dal_audit.extract.scopes import Imported
from dal_audit.extract.source import Lines
from dal_audit.extract.statements import node_span
from dal_audit.extract.types import TypeReader
from dal_audit.extract.values import (
    Block,
    Function,
    Values,
    bind_parameters,
    bind_statement,
    read_by_name,
)
from dal_audit.facts import CALL, Access, Evidence, Known, Span

_PROPERTIES = frozenset({"property", "cached_property"})
_OWN = "self"
"""The receiver that is not looked at: what an object reads from itself stays where it is."""


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
        tuple(reader.accesses),
    )


@dataclass(slots=True)
class _Place:
    """Where the reader is.

    It is in a statement, of which a part counts for the end, and perhaps in an f-string, whose
    inside has no places of its own.
    """

    statement: ast.stmt
    part: ast.AST
    string: ast.expr | None = None

    @property
    def lines(self) -> tuple[int, int]:
        """The first and the last line of the statement, of a compound one up to the part."""
        first = self.statement.lineno
        ends = (getattr(one, "end_lineno", None) or first for one in ast.walk(self.part))
        return first, max(ends, default=first)


@dataclass(slots=True)
class _Reader:
    lines: Lines
    words: AbstractSet[str]
    values: dict[str, list[Known]] = field(default_factory=dict)
    classes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    stars: list[str] = field(default_factory=list)
    accesses: list[Access] = field(default_factory=list)
    types: TypeReader = field(init=False)
    of: Values = field(init=False)

    def __post_init__(self) -> None:
        self.types = TypeReader(self.lines)
        self.of = Values(self.types)

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
        self.read(body, block)

    def inner(self, nodes: Iterable[ast.AST], block: Block, owner: str) -> None:
        """Read the functions and classes in a module's or a class's block."""
        for node in nodes:
            if isinstance(node, Function):
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

        `owner` is the class whose method it is.
        """
        block = Block(outer)
        bind_parameters(node, self.of, block, owner)
        nodes = list(_inside(node.body))
        for one in nodes:
            bind_statement(one, self.of, block)
        if owner or outer.parent is None:
            self.returned(node, nodes, block, owner)
        if owner:
            self.set_on_object(nodes, block, owner)
        for one in nodes:
            if isinstance(one, Function):
                self.function(one, block)
            elif isinstance(one, ast.ClassDef):
                inside = Block(block, is_class=True)
                for method in one.body:
                    if isinstance(method, Function):
                        self.function(method, inside)
            elif isinstance(one, ast.Global):
                self.module_names(one, nodes, block)
        self.read(node.body, block)

    def returned(self, node: Function, nodes: Iterable[ast.AST], block: Block, owner: str) -> None:
        """Note what a function returns or yields: its annotation says it, else its values."""
        decorators = {last_name(one) for one in node.decorator_list}
        name = f"{owner}.{node.name}" if owner else node.name
        if not decorators & _PROPERTIES:
            name += CALL
        if node.returns is not None:
            self.note(name, self.of.annotated(node.returns))
            return
        for one in nodes:
            if isinstance(one, (ast.Return, ast.Yield)):
                self.note(name, self.of.of(one.value, block))
        self.note(name, [])

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

    # Accesses

    def read(self, body: Sequence[ast.stmt], block: Block) -> None:
        """Note the accesses in a block, without the functions and classes in it."""
        for statement in body:
            for child in _expressions(statement):
                part = child if hasattr(statement, "body") else statement
                self.expression(child, block, _Place(statement, part))
            for inner in _bodies(statement):
                self.read(inner, block)

    def expression(self, node: ast.AST, block: Block, place: _Place) -> None:
        if isinstance(node, ast.JoinedStr) and place.string is None:
            # Before Python 3.12, `ast` misplaces what lies in an f-string: its own place serves.
            place = _Place(place.statement, place.part, node)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            if node.attr in self.words and not _is_own(node.value):
                self.access(node, node.value, node.attr, block, place)
        elif isinstance(node, ast.Call):
            attribute = read_by_name(node)
            if attribute in self.words and attribute is not None and not _is_own(node.args[0]):
                self.access(node, node.args[0], attribute, block, place)
        for child in ast.iter_child_nodes(node):
            self.expression(child, block, place)

    def access(
        self, node: ast.expr, receiver: ast.expr, attribute: str, block: Block, place: _Place
    ) -> None:
        span = node_span(self.lines, place.string or node)
        if place.string is None and isinstance(node, ast.Attribute):
            end = self.lines.offset(
                node.end_lineno or node.lineno, node.end_col_offset or node.col_offset
            )
            start = end - len(attribute)
            if self.lines.text[start - 1 : start] != ".":
                return  # The prefilter looks for the name right behind its dot.
            if span.line != span.end_line:
                span = self.lines.span(start, end)
        found = tuple(dict.fromkeys(self.of.of(receiver, block)))
        shown = ast.unparse(receiver)
        self.accesses.append(Access(span, place.lines, attribute, shown, found))


def _inside(body: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """Yield what lies in a block, but not in a function, class or lambda inside it."""
    waiting = list(reversed(list(body)))
    while waiting:
        one = waiting.pop()
        yield one
        if not isinstance(one, (*Function.__args__, ast.ClassDef, ast.Lambda)):
            waiting.extend(reversed(list(ast.iter_child_nodes(one))))


def _expressions(statement: ast.stmt) -> Iterator[ast.AST]:
    """Yield what a statement reads itself, in its block: not the statements in it."""
    if isinstance(statement, Function):
        yield from statement.decorator_list
        yield from statement.args.defaults
        yield from (one for one in statement.args.kw_defaults if one is not None)
        return
    for child in ast.iter_child_nodes(statement):
        if isinstance(child, (ast.ExceptHandler, ast.match_case)):
            yield from (one for one in ast.iter_child_nodes(child) if isinstance(one, ast.expr))
        elif not isinstance(child, ast.stmt):
            yield child


def _bodies(statement: ast.stmt) -> Iterator[Sequence[ast.stmt]]:
    """Yield the blocks of a compound statement that are no scope of their own."""
    if isinstance(statement, (*Function.__args__, ast.ClassDef)):
        return
    for name in ("body", "orelse", "finalbody"):
        yield getattr(statement, name, [])
    for part in (*getattr(statement, "handlers", ()), *getattr(statement, "cases", ())):
        yield part.body


def _is_own(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == _OWN


def _is_of_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and _is_own(node.value)
