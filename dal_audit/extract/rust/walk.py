"""The walk over a file's tree, top down, which takes down what each node says.

It keeps its own stack: a chain of calls may be nested deeper than Python lets functions be.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Final, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from dal_audit.extract.rust.engines import GATES, Engines, gate, narrowed
from dal_audit.extract.rust.paths import path_of
from dal_audit.extract.rust.syntax import RustSource, kinds_of_nodes
from dal_audit.facts import UseKind
from dal_audit.facts.rust import (
    RustFile,
    RustImpl,
    RustItem,
    RustPath,
    RustRead,
    RustScope,
    RustShape,
    RustSql,
    RustText,
    RustUse,
    RustValue,
    ScopeKind,
)

if TYPE_CHECKING:
    from tree_sitter import Node


class Context(Struct, frozen=True):
    """Where a node stands: its scope, the part that paths play there, and what names stand for.

    `known` are the values of local names, and `texts` their texts; `owner` is the type of `self`,
    `together` the first line of a `match`, `statement` the statement around, and a
    member is one of a trait or an `impl` block, and no item of the scope. `engines` are those that
    run what stands here.
    """

    scope: int
    known: dict[str, RustValue]
    texts: dict[str, KnownText]
    role: UseKind = "value"
    owner: RustValue | None = None
    together: int = 0
    statement: Node | None = None
    is_member: bool = False
    engines: Engines = None


class KnownText(Struct, frozen=True):
    """A text, with the place that shows it; or the path of the constant that holds it.

    What is kept in a variable that changes may grow: it is open.
    """

    text: str
    constant: str
    node: Node | None
    is_open: bool = False


def outermost(scope: int) -> Context:
    """Return where nothing is known yet."""
    return Context(scope, {}, {})


def begins_name(letter: int) -> bool:
    """Return whether a name alone may be that of an item: a variable's begins in small letters."""
    return 65 <= letter <= 90  # noqa: PLR2004  # `A` to `Z`


Handler: TypeAlias = "Callable[[Walk, Node, Context], None]"

_DULL: Final = frozenset(
    {"integer_literal", "float_literal", "boolean_literal", "char_literal", "primitive_type"}
    | {"mutable_specifier", "field_identifier", "shorthand_field_identifier", "lifetime", "label"}
    | {"line_comment", "visibility_modifier", "function_modifiers", "unit_type", "unit_expression"}
    | {"super", "crate", "metavariable", "empty_statement", "string_content", "escape_sequence"}
    | {"fragment_specifier", "never_type", "extern_modifier", "continue_expression", "self"}
)
"""Kinds of nodes in which nothing stands that is taken down."""
_ATTRIBUTES: Final = frozenset({"attribute_item", "inner_attribute_item"})
_STATEMENTS: Final = frozenset(
    {"expression_statement", "let_declaration", "const_item", "static_item", "field_declaration"}
    | {"enum_variant", "match_arm", "function_signature_item", "type_item", "attribute_item"}
)


class Walk:
    """Takes down what a file says, node by node."""

    def __init__(self, source: RustSource, handlers: Mapping[str, Handler]) -> None:
        """Begin with the file's own module."""
        self.source = source
        self._handlers = _by_numbers(handlers)
        self._dull = _numbers_of(_DULL | {""})
        self._names = _numbers_of(frozenset({"identifier"}))
        self._statements = _numbers_of(_STATEMENTS)
        self._attributes = _numbers_of(_ATTRIBUTES)
        bound = _bound_in(source.data)
        self._idle = PRELUDE - bound
        self._idle_macros = MACROS - bound
        self._is_gated = GATES.search(source.data) is not None
        self.scopes = [RustScope("module", "", -1)]
        self.uses: list[RustUse] = []
        self.items: list[RustItem] = []
        self.paths: list[RustPath] = []
        self.shapes: list[RustShape] = []
        self.impls: list[RustImpl] = []
        self.reads: list[RustRead] = []
        self.calls: list[RustSql] = []
        self.texts: list[RustText] = []
        self.literals: list[tuple[int, int, Node | None]] = []
        """The texts that may be URLs: from which byte to which, in which statement."""
        self._waiting: list[tuple[Node, Context]] = []

    def run(self) -> None:
        """Walk over the whole tree."""
        waiting = self._waiting
        handlers = self._handlers
        waiting.append((self.source.root, outermost(0)))
        while waiting:
            node, context = waiting.pop()
            handler = handlers.get(node.kind_id)
            if handler is None:
                self.children(node, context)
            else:
                handler(self, node, context)

    def children(self, node: Node, context: Context, *, but: Iterable[Node | None] = ()) -> None:
        """Walk over what lies directly below a node, later, in the order of the text."""
        if node.kind_id in self._statements:
            context = replace(context, statement=node)
        listed = _without(node.children, but) if but else node.children
        if self._is_gated and self._has_attribute(listed):
            dull = self._dull
            listed = [child for child in listed if child.kind_id not in dull]
            self._waiting += reversed(list(self._gated(listed, context)))
        else:
            self._wait(listed, context)

    def _wait(self, nodes: Sequence[Node], context: Context) -> None:
        """Have nodes wait in the order of the text, but those that say nothing."""
        dull, names, data = self._dull, self._names, self.source.data
        waiting = self._waiting
        for node in reversed(nodes):
            kind = node.kind_id
            if kind in dull:
                continue
            if kind in names and not 65 <= data[node.start_byte] <= 90:  # noqa: PLR2004  # `A` to `Z`
                continue
            waiting.append((node, context))

    def holds(self, node: Node, kinds: frozenset[str]) -> bool:
        """Return whether one of some kinds lies directly below a node."""
        numbers = _numbers_of(kinds)
        return any(child.kind_id in numbers for child in node.children)

    def _has_attribute(self, nodes: Iterable[Node]) -> bool:
        return any(node.kind_id in self._attributes for node in nodes)

    def _gated(self, children: Iterable[Node], context: Context) -> Iterator[tuple[Node, Context]]:
        """Yield nodes with where they stand: what follows a `cfg` is built under its condition."""
        here = context
        for child in children:
            yield child, here
            kind = child.type
            if kind in _ATTRIBUTES:
                engines = gate(self.source.text(child))
                if engines is not None:
                    here = replace(here, engines=narrowed(here.engines, engines))
                if kind == "inner_attribute_item":
                    context = here  # It is about all that follows.
            elif "comment" not in kind:
                here = context

    def later(self, node: Node | None, context: Context) -> None:
        """Walk over a node, before what is waiting."""
        if node is not None:
            self._waiting.append((node, context))

    def literal(self, start: int, end: int, statement: Node | None) -> None:
        """Note a text that may be a URL."""
        if b":" in self.source.data[start:end]:
            self.literals.append((start, end, statement))

    def scope(self, kind: ScopeKind, name: str, parent: int) -> int:
        """Return the number of a new scope."""
        self.scopes.append(RustScope(kind, name, parent))
        return len(self.scopes) - 1

    def is_idle(self, path: str, *, is_macro: bool = False) -> bool:
        """Return whether a path is a name of the language, and of nothing that is used here."""
        return path in (self._idle_macros if is_macro else self._idle)

    def path(self, node: Node, context: Context, role: UseKind | None = None) -> str:
        """Take a path down; return it."""
        spelled = path_of(node, self.source)
        if spelled and not self.is_idle(spelled):
            span = self.source.span(node)
            self.paths.append(
                RustPath(context.scope, spelled, span, role or context.role, context.together)
            )
        return spelled

    def facts(self) -> RustFile:
        """Return all that was taken down."""
        return RustFile(
            tuple(self.scopes),
            tuple(self.uses),
            tuple(self.items),
            tuple(self.paths),
            tuple(self.shapes),
            tuple(self.impls),
            tuple(self.reads),
            tuple(self.calls),
            tuple(self.texts),
        )


def _without(nodes: Iterable[Node], others: Iterable[Node | None]) -> list[Node]:
    """Return some nodes without others, each of which may be a further object of its node."""
    skipped = {other.id for other in others if other is not None}
    return [node for node in nodes if node.id not in skipped]


_handlers: dict[int, dict[int, Handler]] = {}
"""The tables of handlers by nodes' numbers, each made once."""


def _by_numbers(handlers: Mapping[str, Handler]) -> dict[int, Handler]:
    if id(handlers) not in _handlers:
        numbered = enumerate(kinds_of_nodes())
        _handlers[id(handlers)] = {
            number: handlers[kind] for number, kind in numbered if kind in handlers
        }
    return _handlers[id(handlers)]


@cache
def _numbers_of(kinds: frozenset[str]) -> frozenset[int]:
    return frozenset(number for number, kind in enumerate(kinds_of_nodes()) if kind in kinds)


def _bound_in(data: bytes) -> frozenset[str]:
    """Return the words of all `use` statements, whose names may hide those of the language."""
    statements = b"".join(_USE.findall(data))
    return frozenset(word.decode() for word in frozenset(_WORD.findall(statements)))


_USE: Final = re.compile(rb"use(?<!\wuse)\s[^;]*;")
"""A statement; it begins with plain letters, for which the search is made fast."""
_WORD: Final = re.compile(rb"\w+", re.ASCII)

PRELUDE: Final = frozenset(
    {
        "Some",
        "None",
        "Ok",
        "Err",
        "Option",
        "Result",
        "Vec",
        "String",
        "Box",
        "Self",
        "Send",
        "Sync",
    }
    | {"Sized", "Copy", "Drop", "Fn", "FnMut", "FnOnce", "Into", "From", "Default", "Clone"}
    | {"Iterator", "IntoIterator", "ToString", "ToOwned", "AsRef", "AsMut", "PartialEq", "Eq"}
    | {"PartialOrd", "Ord", "Debug", "Hash", "Future", "Unpin", "_", "self", "super", "crate"}
)
"""Names that are in scope everywhere (`std::prelude`), and words of the language."""

MACROS: Final = frozenset(
    {"assert", "assert_eq", "assert_ne", "debug_assert", "eprintln", "format", "matches", "panic"}
    | {"println", "print", "todo", "unimplemented", "unreachable", "vec", "write", "writeln"}
)
"""Macros that are in scope everywhere."""
