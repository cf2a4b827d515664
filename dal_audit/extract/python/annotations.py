"""Types as annotations and aliases name them."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from dal_audit.extract.python.expression_uses import last_name
from dal_audit.extract.python.parse.import_places import node_span
from dal_audit.extract.python.parse.walk import Function
from dal_audit.extract.source import Lines
from dal_audit.facts import CALL, ITEM, OWN_MODULE, TypeName

TYPE_MAKERS: Final = frozenset({"NewType", "TypeAliasType", "TypeVar", "cast"})
"""Calls whose result stands for the type that they are handed."""


_LITERALS: Final[Mapping[type, str]] = {
    ast.List: "list",
    ast.ListComp: "list",
    ast.Tuple: "tuple",
    ast.Dict: "dict",
    ast.DictComp: "dict",
    ast.Set: "set",
    ast.SetComp: "set",
    ast.JoinedStr: "str",
}


_CONTAINERS: Final = frozenset(
    {"list", "dict", "set", "frozenset", "tuple", "deque", "defaultdict", "OrderedDict"}
    | {"List", "Dict", "Set", "FrozenSet", "Tuple", "Deque", "DefaultDict", "Collection"}
    | {"Sequence", "MutableSequence", "Mapping", "MutableMapping", "Iterable", "AsyncIterable"}
)
"""The generic types whose arguments are types of what they hold."""


_MAPPINGS: Final = frozenset(
    {"dict", "defaultdict", "OrderedDict", "Dict", "DefaultDict", "Mapping", "MutableMapping"}
)


class TypeReader:
    """Reads which names an expression stands for, by a module's own imports."""

    def __init__(self, lines: Lines) -> None:
        """Begin with no imports; whoever reads the module adds them to `imported`."""
        self.lines = lines
        self.imported: dict[str, list[str]] = {}

    def names(self, node: ast.expr) -> Iterator[TypeName]:
        """Yield the types that an annotation names, each once, with their places."""
        seen: set[str] = set()
        for origin, place in self._placed(node, node):
            if origin not in seen:
                seen.add(origin)
                yield TypeName(node_span(self.lines, place), origin)

    def own_names(self, node: ast.expr) -> Iterator[str]:
        """Yield the types that an object of an annotation can be: what a container holds is none.

        An iterator's elements are, as functions that yield are annotated by them.
        """
        for origin, _ in self._placed(node, node, with_items=False):
            yield origin

    def item_names(self, node: ast.expr | None, *, is_value: bool = False) -> Iterator[str]:
        """Yield the types of what a container of this annotation holds; of a mapping, the keys'.

        `is_value` asks for a mapping's values instead.
        """
        for part in _alternatives(node) if node is not None else ():
            if isinstance(part, ast.Subscript) and _holds_items(part):
                arguments = part.slice.elts if isinstance(part.slice, ast.Tuple) else [part.slice]
                if last_name(part.value) in _MAPPINGS:
                    arguments = arguments[-1:] if is_value else arguments[:1]
                for argument in arguments:
                    yield from self.own_names(argument)

    def origins(self, node: ast.expr) -> Iterator[str]:
        """Yield the dotted names that an expression, read as a type or as a value, stands for."""
        for origin, _ in self._placed(node, node):
            yield origin

    def literal(self, node: ast.expr | None, *, is_annotation: bool = False) -> Iterator[TypeName]:
        """Yield the type of a value that says it: `None` in an annotation, a number, a list."""
        name = _LITERALS.get(type(node))
        if name is not None and node is not None:
            yield TypeName(node_span(self.lines, node), name)
        elif isinstance(node, ast.Constant) and not (is_annotation and isinstance(node.value, str)):
            name = "None" if node.value is None else type(node.value).__name__
            yield TypeName(node_span(self.lines, node), name)

    def called(self, node: ast.expr | None) -> Iterator[str]:
        """Yield the origins of what an expression calls for its value."""
        value = awaited(node)
        if isinstance(value, ast.Call):
            func = value.func
            yield from self.dotted(func) if isinstance(func, ast.Call) else self.origins(func)

    def value(self, node: ast.expr) -> Iterator[str]:
        """Yield the dotted names of what a value is; a text is a text, and names nothing."""
        if not isinstance(node, ast.Constant):
            yield from self.dotted(node) if isinstance(node, ast.Call) else self.origins(node)

    def bounds(self, node: ast.ClassDef | Function) -> Iterator[TypeName]:
        """Yield the types that a class's or a function's own type parameters are bound by."""
        for parameter in getattr(node, "type_params", ()):
            if getattr(parameter, "bound", None) is not None:
                yield from self.names(parameter.bound)

    def _placed(
        self, whole: ast.expr, place: ast.expr, *, with_items: bool = True
    ) -> Iterator[tuple[str, ast.expr]]:
        """Yield names with the expression where each stands; in a string, that is the string.

        Without recursion: generators that nest pass each name up through all of them.
        """
        waiting = [(whole, place)]
        while waiting:
            node, place = waiting.pop()
            if isinstance(node, (ast.Name, ast.Attribute)):
                for origin in self.dotted(node):
                    yield origin, place
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                read = type_of_text(node.value)
                if read is not None:
                    waiting.append((read, place))
            elif not with_items and _holds_items(node):
                continue
            else:
                parts = [(part, part if place is node else place) for part in _parts(node)]
                waiting += reversed(parts)

    def dotted(self, node: ast.expr) -> Iterator[str]:
        """Yield what a dotted name stands for; a name of the module itself is marked `OWN_MODULE`.

        Calls and items in it are parts of the name (`create_engine.().connect`).
        """
        parts: list[str] = []
        first = node
        while (step := _step(first)) is not None:
            part, first = step
            parts.append(part)
        if not isinstance(first, ast.Name):
            return
        rest = "".join(f".{part}" for part in reversed(parts) if part)
        for origin in self.imported.get(first.id) or [OWN_MODULE + first.id]:
            yield origin + rest


def awaited(node: ast.expr | None) -> ast.expr | None:
    """Return what an `await` waits for, or the expression itself."""
    return node.value if isinstance(node, ast.Await) else node


def _alternatives(node: ast.expr) -> Iterator[ast.expr]:
    """Yield the alternatives of an annotation (`list[A] | None`), a string read as what it says."""
    waiting = [node]
    while waiting:
        part = waiting.pop()
        if isinstance(part, ast.BinOp):
            waiting += [part.right, part.left]
        elif isinstance(part, ast.Constant) and isinstance(part.value, str):
            waiting += filter(None, [type_of_text(part.value)])
        elif isinstance(part, ast.Subscript) and last_name(part.value) == "Optional":
            waiting.append(part.slice)
        else:
            yield part


def _holds_items(node: ast.expr) -> bool:
    return isinstance(node, ast.Subscript) and last_name(node.value) in _CONTAINERS


def _step(node: ast.expr) -> tuple[str, ast.expr] | None:
    """Return the last part of a dotted name, and what stands before it; an `await` is none."""
    if isinstance(node, ast.Attribute):
        return node.attr, node.value
    if isinstance(node, ast.Call):
        # `sessionmaker[Session](engine)` calls what stands before the brackets.
        return CALL, node.func.value if isinstance(node.func, ast.Subscript) else node.func
    if isinstance(node, ast.Subscript):
        return ITEM, node.value
    return ("", node.value) if isinstance(node, ast.Await) else None


def _parts(node: ast.expr) -> list[ast.expr]:
    """Return the expressions whose types an expression stands for, in their order."""
    if isinstance(node, ast.BinOp):
        return [node.left, node.right] if isinstance(node.op, ast.BitOr) else []
    if isinstance(node, ast.Call):
        keywords = (keyword.value for keyword in node.keywords)
        return [*node.args, *keywords] if last_name(node.func) in TYPE_MAKERS else []
    parts = _PARTS.get(type(node))
    return parts(node) if parts is not None else []


def _type_arguments(node: ast.Subscript) -> Iterator[ast.expr]:
    """Yield what a generic type is made of; `Literal`'s values and metadata are no types."""
    yield node.value
    name = last_name(node.value)
    if name == "Annotated" and isinstance(node.slice, ast.Tuple) and node.slice.elts:
        yield node.slice.elts[0]
    elif name != "Literal":
        yield node.slice


def type_of_text(text: str) -> ast.expr | None:
    """Read a string as a type; text that could not be one is not tried."""
    if not text.isprintable() or " " in text.strip().replace(" | ", "").replace(", ", ""):
        return None
    try:
        return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


_PARTS: Final[dict[type, Callable[[Any], list[ast.expr]]]] = {
    ast.BoolOp: lambda node: list(node.values),
    ast.IfExp: lambda node: [node.body, node.orelse],
    ast.List: lambda node: list(node.elts),
    ast.Starred: lambda node: [node.value],
    ast.Subscript: lambda node: list(_type_arguments(node)),
    ast.Tuple: lambda node: list(node.elts),
}
