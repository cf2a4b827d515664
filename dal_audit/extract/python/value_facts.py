"""What a module's names evidently stand for, and where it reads attributes that matter.

A second look at few files: those whose bytes hold an accessor's name, and those that say of which
class its receiver is. Which names matter comes from linking the project, never from a list.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import Final, TypeAlias, TypeGuard

from dal_audit.extract.python.annotations import TYPE_MAKERS, TypeReader
from dal_audit.extract.python.attribute_reads import Accesses, accessing_lines, reads_of_self
from dal_audit.extract.python.bindings import (
    bind_all,
    bind_parameters,
    bind_statements,
    open_type_parameters,
)
from dal_audit.extract.python.definitions import assignments, own_attribute, without_brackets
from dal_audit.extract.python.expression_uses import last_name
from dal_audit.extract.python.function_bodies import parse_cut
from dal_audit.extract.python.parse.import_places import MarkedLines, own_statements
from dal_audit.extract.python.parse.parser import parse
from dal_audit.extract.python.parse.walk import FUNCTIONS, Function, nodes_in
from dal_audit.extract.python.prefilter.attribute_marks import attributes_of, classes_of
from dal_audit.extract.python.scopes import Scope, imported_names, source_module
from dal_audit.extract.python.value_inference import Inference
from dal_audit.extract.source import Lines
from dal_audit.facts import (
    CALL,
    ITEM,
    OWN_MODULE,
    START,
    AbstractValue,
    AttributeRead,
    ValueFacts,
)

_PROPERTIES: Final = frozenset({"property", "cached_property"})
_GLOBAL: Final = re.compile(r"global\b")
_SETTING: Final = re.compile(r"self\.\w+\s*(?:\[[^\]\n]*\]\s*)?[:=]")
"""What a function does not say without setting what is seen outside of it."""

_Block: TypeAlias = tuple[Scope, list[ast.AST]]
"""A function's scope, and what lies in the function but not in those inside it."""


def evidence(
    tree: ast.Module, lines: Lines, words: AbstractSet[str], *, only_accesses: bool = False
) -> ValueFacts:
    """Return what a module's names stand for, and its accesses to attributes of these names.

    What a class reads of itself is an access where the module names one of the classes that are
    asked for, and where the class inherits something that it does not set itself.

    Where `only_accesses` are asked for, what the names stand for is left out, as nobody may ask
    for it, unless such a class is named: three files in four are read for nothing else. Raises
    RecursionError for a tree that is nested too deeply to walk.
    """
    attributes = attributes_of(words)
    marked = MarkedLines(accessing_lines(lines, attributes))
    heirs = _has_heirs(lines, words)
    alone = only_accesses and not heirs
    return _read(tree, _Reader(lines, attributes, marked, has_heirs=heirs, only_accesses=alone))


def evidence_of_accesses(
    lines: Lines, words: AbstractSet[str], *, may_cut: bool = True
) -> ValueFacts:
    """Return a module's accesses alone: of most files nobody asks for what the names stand for.

    Only functions with an access, or that bind names of the module, are parsed where the text
    `may_cut` be, and where it names no class whose heirs read of themselves: such a module is read
    whole. Raises as `parse` and `evidence` do.
    """
    attributes = attributes_of(words)
    marked = MarkedLines(accessing_lines(lines, attributes))
    heirs = _has_heirs(lines, words)
    if heirs or not may_cut:
        tree = parse(lines.text)
    else:
        binding = (lines.line_of(found.start()) for found in _GLOBAL.finditer(lines.text))
        tree = parse_cut(lines, MarkedLines((*marked.numbers, *binding)))
    alone = not heirs
    return _read(tree, _Reader(lines, attributes, marked, has_heirs=heirs, only_accesses=alone))


def _has_heirs(lines: Lines, words: AbstractSet[str]) -> bool:
    """Return whether a class may read of itself what it inherits from one that is asked for."""
    text = lines.text
    is_named = any(name in text for name in classes_of(words))
    return is_named and reads_of_self(text, attributes_of(words))


def _read(tree: ast.Module, reader: _Reader) -> ValueFacts:
    module = Scope("module")
    try:
        reader.imports(tree)
        reader.block(tree, module, "")
    finally:
        module.forget()
    accesses = tuple(read for read in reader.accesses.found if reader.is_foreign(read))
    if reader.only_accesses:
        return ValueFacts(START, (), (), accesses=accesses, is_whole=False)
    return ValueFacts(
        START,
        tuple((name, tuple(dict.fromkeys(found))) for name, found in reader.values.items()),
        tuple(reader.classes.items()),
        tuple(reader.stars),
        accesses,
    )


class _Reader:
    def __init__(
        self,
        lines: Lines,
        attributes: AbstractSet[str],
        accessing: MarkedLines,
        *,
        has_heirs: bool,
        only_accesses: bool,
    ) -> None:
        self.has_heirs = has_heirs
        self.only_accesses = only_accesses
        self.values: dict[str, list[AbstractValue]] = {}
        self.classes: dict[str, tuple[str, ...]] = {}
        self.stars: list[str] = []
        self.yields = "yield" in lines.text
        self.rebinds = "nonlocal" in lines.text
        # Nothing else that matters lies in an expression.
        in_expressions = ":=" in lines.text or (self.yields and not only_accesses)
        self.bind = bind_all if in_expressions else bind_statements
        self.types = TypeReader(lines)
        self.inference = Inference(self.types)
        self.accesses = Accesses(lines, attributes, self.inference, accessing)
        setting = (
            lines.line_of(found.start())
            for pattern in ((_GLOBAL,) if self.only_accesses else (_GLOBAL, _SETTING))
            for found in pattern.finditer(lines.text)
        )
        self.marked = MarkedLines((*accessing.numbers, *setting))
        self.opened: dict[Function, _Block] = {}

    def imports(self, tree: ast.Module) -> None:
        """Note the imports of the module's own block, also below `if`, `try` and `with`."""
        for statement in own_statements(tree):
            if not isinstance(statement, (ast.Import, ast.ImportFrom)):
                continue
            for imported in imported_names(statement):
                self.types.imported.setdefault(imported.name, []).append(imported.origin)
                self.note(imported.name, [AbstractValue(imported.origin)])
            if isinstance(statement, ast.ImportFrom) and statement.names[0].name == "*":
                self.stars.append(source_module(statement))

    def note(self, name: str, found: Iterable[AbstractValue]) -> None:
        self.values.setdefault(name, []).extend(found)

    def is_foreign(self, read: AttributeRead) -> bool:
        """Return whether a class does not itself set what it reads of its own object."""
        owners = (found.origin.removeprefix(OWN_MODULE) for found in read.receivers)
        set_here = any(f"{owner}.{read.attribute}" in self.values for owner in owners)
        return not (read.by_self and set_here)

    # Blocks

    def block(self, node: ast.Module | ast.ClassDef, scope: Scope, owner: str) -> None:
        """Read the module's block, or the block of the class `owner`."""
        nodes = self.bind(node.body, scope)
        for part in () if self.only_accesses else nodes:
            self.named(part, scope, owner)
        for part in nodes:
            if isinstance(part, FUNCTIONS):
                self.function(part, scope, owner)
            elif isinstance(part, ast.ClassDef):
                self.definition(part, scope, owner)
        self.accesses.read(node.body, scope)

    def definition(self, node: ast.ClassDef, scope: Scope, owner: str) -> None:
        if self.only_accesses and not self.marked.touch(node):
            return
        name = _dotted(owner, node.name)
        bases = without_brackets(node.bases)
        self.classes[name] = tuple(o for base in bases for o in self.types.origins(base))
        self.block(node, open_type_parameters(node, scope).open("class"), name)

    def named(self, node: ast.AST, scope: Scope, owner: str) -> None:
        """Note what a name of the module or of a class is set to."""
        for targets, value, annotation in assignments(node):
            annotated = list(self.inference.annotated(annotation))
            for target in targets:
                if isinstance(target, ast.Name):
                    name = _dotted(owner, target.id)
                    self.note(name, annotated or self.meant(value, scope))
                    self.note_items(name, annotation, value, scope)
                elif isinstance(target, (ast.Tuple, ast.List)):
                    self.parts(target, scope, owner)
                elif isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name):
                    name = _dotted(owner, target.value.id)
                    self.note_some(name + ITEM, self.inference.infer(value, scope))

        if isinstance(node, (ast.For, ast.AsyncFor)):
            self.parts(ast.Tuple([node.target], ast.Store()), scope, owner)

    def parts(self, target: ast.Tuple | ast.List, scope: Scope, owner: str) -> None:
        """Note what the names stand for that take a value apart, or go through one."""
        names = [part.id for part in nodes_in(target) if isinstance(part, ast.Name)]
        for name in names:
            for binding in scope.lookup(name):
                self.note_some(_dotted(owner, name), self.inference.bound(binding))

    def meant(self, value: ast.expr | None, scope: Scope) -> Iterator[AbstractValue]:
        """Yield what a value is, or which types an alias or a variable of types stands for."""
        if isinstance(value, (ast.Subscript, ast.BinOp)) or _makes_type(value):
            yield from (AbstractValue(origin) for origin in self.types.origins(value))
        if not _makes_type(value):
            yield from self.inference.infer(value, scope)

    def note_items(
        self, name: str, annotation: ast.expr | None, value: ast.expr | None, scope: Scope
    ) -> None:
        """Note what the collection holds that a name is set to."""
        self.note_some(name + ITEM, self.inference.held(annotation))
        self.note_some(name + ITEM, self.inference.collected(value, scope))

    def note_some(self, name: str, found: Iterable[AbstractValue]) -> None:
        """Note what a name stands for, where that is known at all."""
        known = list(found)
        if known:
            self.note(name, known)

    # Functions

    def function(self, node: Function, outer: Scope, owner: str = "") -> None:
        """Read a function: what it returns, what it sets on its object, what it accesses.

        `owner` is the class whose method it is. Where nothing in it matters, it is not walked.
        """
        is_named = not self.only_accesses and (bool(owner) or outer.kind == "module")
        touched = self.marked.touch(node)
        if is_named:
            self.note(_result(node, owner), self.inference.annotated(node.returns))
            self.note_some(_result(node, owner) + ITEM, self.inference.held(node.returns))
        tells = is_named and node.returns is None and (touched or self.gives(node))
        if not touched and not tells:
            return
        scope, nodes = self.open(node, outer, owner)
        if tells:
            self.returned(_result(node, owner), nodes, scope)
        if touched:
            around = self.accesses.of_self
            self.accesses.of_self = self.inherits(owner) if owner else around
            self.effects(nodes, scope, owner)
            self.accesses.read(node.body, scope)
            self.accesses.of_self = around

    def inherits(self, owner: str) -> bool:
        """Return whether a class may inherit from one of those that are asked for."""
        return self.has_heirs and bool(self.classes.get(owner))

    def open(self, node: Function, outer: Scope, owner: str = "") -> _Block:
        """Return a function's scope, with all that is bound in it, and the nodes in it.

        What the functions inside it declare `nonlocal` they bind in it: they are opened with it.
        """
        if node in self.opened:
            return self.opened.pop(node)
        scope = open_type_parameters(node, outer).open("function")
        bind_parameters(node.args, scope)
        positional = [*node.args.posonlyargs, *node.args.args]
        decorators = {last_name(decorator) for decorator in node.decorator_list}
        if owner and positional and "staticmethod" not in decorators:
            is_object = "classmethod" not in decorators
            scope.bindings[positional[0].arg] = [AbstractValue(OWN_MODULE + owner, is_object)]
        nodes = self.bind(node.body, scope)
        for part in nodes if self.rebinds else ():
            if isinstance(part, FUNCTIONS):
                self.opened[part] = self.open(part, scope)
        return scope, nodes

    def gives(self, node: Function) -> bool:
        """Return whether a function may return or yield a value."""
        return self.yields or any(
            isinstance(statement, ast.Return) and statement.value is not None
            for statement in own_statements(node)
        )

    def effects(self, nodes: Sequence[ast.AST], scope: Scope, owner: str) -> None:
        """Read what a function does beyond its own block, and the functions in it."""
        if owner and not self.only_accesses:
            self.set_on_object(nodes, scope, owner)
        for node in nodes:
            if isinstance(node, FUNCTIONS):
                self.function(node, scope)
            elif isinstance(node, ast.ClassDef):
                self.inner_class(node, scope)
            elif isinstance(node, ast.Global) and not self.only_accesses:
                self.module_names(node, nodes, scope)

    def inner_class(self, node: ast.ClassDef, scope: Scope) -> None:
        """Read the methods of a class in a function, which has no name that others could use."""
        within = open_type_parameters(node, scope).open("class")
        for method in node.body:
            if isinstance(method, FUNCTIONS):
                self.function(method, within)

    def returned(self, name: str, nodes: Iterable[ast.AST], scope: Scope) -> None:
        """Note what a function without annotation returns or yields."""
        for node in nodes:
            if isinstance(node, (ast.Return, ast.Yield)):
                self.note(name, self.inference.infer(node.value, scope))
                self.note_some(name + ITEM, self.inference.collected(node.value, scope))

    def set_on_object(self, nodes: Iterable[ast.AST], scope: Scope, owner: str) -> None:
        """Note what a method sets on its object."""
        for node in nodes:
            if not isinstance(node, (ast.Assign, ast.AnnAssign)):
                continue
            for targets, value, annotation in assignments(node):
                for attribute in filter(None, map(own_attribute, targets)):
                    name = _dotted(owner, attribute)
                    self.note(name, self.set_to(value, annotation, scope))
                    self.note_items(name, annotation, value, scope)
                for target in targets:
                    entry = own_attribute(target.value) if isinstance(target, ast.Subscript) else ""
                    if entry:
                        found = self.inference.infer(value, scope)
                        self.note_some(_dotted(owner, entry) + ITEM, found)

    def set_to(
        self, value: ast.expr | None, annotation: ast.expr | None, scope: Scope
    ) -> Iterator[AbstractValue]:
        """Return what is set: what an annotation says, else what the value is."""
        if annotation is not None:
            return self.inference.annotated(annotation)
        return self.inference.infer(value, scope)

    def module_names(self, node: ast.Global, nodes: Iterable[ast.AST], scope: Scope) -> None:
        """Note what a function sets names of the module to."""
        setting = (part for part in nodes if isinstance(part, ast.Assign))
        for statement, target in ((part, target) for part in setting for target in part.targets):
            if isinstance(target, ast.Name) and target.id in node.names:
                self.note(target.id, self.inference.infer(statement.value, scope))


def _makes_type(value: ast.expr | None) -> TypeGuard[ast.Call]:
    """Return whether a call makes a type of others (`NewType`, `TypeVar` with a bound)."""
    return isinstance(value, ast.Call) and last_name(value.func) in TYPE_MAKERS - {"cast"}


def _dotted(owner: str, name: str) -> str:
    return f"{owner}.{name}" if owner else name


def _result(node: Function, owner: str) -> str:
    """Return the name of what a function returns; a property's is the name itself."""
    name = _dotted(owner, node.name)
    is_property = not _PROPERTIES.isdisjoint(map(last_name, node.decorator_list))
    return name if is_property else name + CALL
