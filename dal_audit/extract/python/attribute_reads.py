"""Where a module reads attributes that matter, and what is known of the receivers."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from functools import lru_cache
from itertools import islice
from typing import Final

from ahocorasick_rs import AhoCorasick
from msgspec import Struct

from dal_audit.extract.python.bindings import bind_all, defaults, scoped_children
from dal_audit.extract.python.expression_uses import last_name
from dal_audit.extract.python.handed_sql import sql_argument
from dal_audit.extract.python.named_reads import reads
from dal_audit.extract.python.parse.import_places import MarkedLines, node_span
from dal_audit.extract.python.parse.newer_syntax import TRIES
from dal_audit.extract.python.parse.walk import FUNCTIONS, children
from dal_audit.extract.python.prefilter.attribute_marks import SPECIAL
from dal_audit.extract.python.prefilter.sql_marks import executes
from dal_audit.extract.python.scopes import Scope
from dal_audit.extract.python.value_inference import Inference, is_own
from dal_audit.extract.source import Lines, occurrences, spells_plainly
from dal_audit.facts import AbstractValue, AttributeRead, Span

_WORD: Final = re.compile(r"\w")
_GETTERS: Final = ("attrgetter", "methodcaller")
_BY_NAME: Final = ("getattr", *_GETTERS, "__dict__", "vars")
_GETTER: Final = re.compile(r"\b(\w+)\s*=\s*(?:\w+\.)?(?:attrgetter|methodcaller)\s*\(")
_BEHIND_SELF: Final = re.compile(r"(?:[\s)\\]|#[^\n]*\n)*")
"""What may stand between an object and the dot behind it."""
_ITERATING: Final = ("__iter__", "__aiter__")
_ENTERING: Final = ("__enter__", "__aenter__")
MAX_SHOWN: Final = 200
"""The most nodes of a receiver that is shown whole: a chain of accesses has a receiver for each."""


class _Place(Struct):
    """Where the reader is.

    It is in a statement, of which a part counts for the end, and perhaps in an f-string, whose
    inside has no places of its own.
    """

    statement: ast.stmt
    part: ast.AST
    string: ast.expr | None = None


def accessing_lines(lines: Lines, words: AbstractSet[str]) -> Iterator[int]:
    """Yield the lines with what looks like an access to an attribute of one of these names."""
    text = lines.text
    yield from map(lines.line_of, occurrences(text, _BY_NAME))
    for mark in _marks(words, text):
        yield from (lines.line_of(found.start()) for found in re.finditer(mark, text))
    yield from map(lines.line_of, _named(text, words))


def reads_of_self(text: str, words: AbstractSet[str]) -> bool:
    """Return whether an object may read an attribute of one of these names of itself."""
    if not spells_plainly(text):
        return True
    if "self" not in text:
        return False
    return any(name in text for name in _BY_NAME) or any(
        _BEHIND_SELF.fullmatch(text, text.rfind("self", 0, start) + 4, start)
        for start in _named(text, words)
    )


def _named(text: str, words: AbstractSet[str]) -> Iterator[int]:
    """Yield where these names stand behind a dot or a quote."""
    found = _automaton(frozenset(words)).find_matches_as_indexes(text, overlapping=True)
    return (start for _, start, end in found if not _WORD.match(text, end))


def _marks(words: AbstractSet[str], text: str) -> Iterator[str]:
    """Yield the patterns of what reads attributes without their names behind a dot."""
    # Most texts hold no getter, and looking for an assignment of one takes long.
    if any(getter in text for getter in _GETTERS) and (getters := set(_GETTER.findall(text))):
        yield rf"\b(?:{'|'.join(sorted(getters))})\s*\("
    if "match" in text:
        yield r"case\b"
    yield from {SPECIAL[word] for word in words if word in SPECIAL}


@lru_cache(maxsize=2)
def _automaton(words: frozenset[str]) -> AhoCorasick:
    """Return a search for many names at once, ten times as fast as a regular expression."""
    return AhoCorasick([before + word for word in sorted(words) for before in ".\"'"])


class Accesses:
    """Finds the accesses to attributes of some names; they are kept in `found`."""

    def __init__(
        self, lines: Lines, words: AbstractSet[str], values: Inference, marked: MarkedLines
    ) -> None:
        """Begin with none; `marked` are the lines that look like one."""
        self.lines = lines
        self.words = words
        self.values = values
        self.marked = marked
        self.found: list[AttributeRead] = []
        self.of_self = False
        """Whether what an object reads of itself counts, for its class inherits something."""
        self._lines: dict[int, tuple[int, int]] = {}

    def _extent(self, place: _Place) -> tuple[int, int]:
        """Return the first and the last line of a statement, of a compound one up to the part."""
        key = id(place.part)
        if key not in self._lines:
            first = place.statement.lineno
            ends = (getattr(node, "end_lineno", None) or first for node in ast.walk(place.part))
            self._lines[key] = first, max(ends, default=first)
        return self._lines[key]

    def read(self, body: Sequence[ast.stmt], scope: Scope) -> None:
        """Note the accesses in a block, without the functions and classes in it."""
        for statement in body:
            if not self.marked.touch(statement):
                continue
            for child in _expressions(statement):
                part = child if hasattr(statement, "body") else statement
                self.expression(child, scope, _Place(statement, part))
            if isinstance(statement, (ast.With, ast.AsyncWith)):
                entering = _ENTERING[isinstance(statement, ast.AsyncWith)]
                for item in statement.items:
                    place = _Place(statement, item)
                    self.special(item.context_expr, entering, scope, place)
            elif isinstance(statement, (ast.For, ast.AsyncFor)):
                looping = _ITERATING[isinstance(statement, ast.AsyncFor)]
                self.special(statement.iter, looping, scope, _Place(statement, statement.iter))
            elif isinstance(statement, ast.Match):
                self.matched(statement)
            for inner in _bodies(statement):
                self.read(inner, scope)

    def expression(self, node: ast.AST, scope: Scope, place: _Place) -> None:
        """Note the accesses in an expression."""
        if isinstance(node, ast.JoinedStr) and place.string is None:
            # Before Python 3.12, `ast` misplaces what lies in an f-string: its own place serves.
            place = _Place(place.statement, place.part, node)
        if isinstance(node, (ast.Attribute, ast.Call, ast.Subscript)):
            self.access(node, scope, place)
        for generator in getattr(node, "generators", ()):
            self.special(generator.iter, _ITERATING[generator.is_async], scope, place)
        for child, where in scoped_children(node, scope):
            if isinstance(node, ast.Lambda) and where is not scope:
                bind_all([child], where)
            self.expression(child, where, place)

    def access(
        self, node: ast.Attribute | ast.Call | ast.Subscript, scope: Scope, place: _Place
    ) -> None:
        """Note what is an access; its place is the narrowest text on one line."""
        for receiver, named in reads(node, scope):
            self.path(node, receiver, named, scope, place)
        if isinstance(node, ast.Call):
            self.handed(node, scope, place)
            self.special(node.func, "__call__", scope, place, node)
        elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
            self.special(node.value, "__getitem__", scope, place, node)

    def path(
        self, node: ast.expr, receiver: ast.expr, named: str, scope: Scope, place: _Place
    ) -> None:
        """Note an access to an attribute, or to one behind others (`attrgetter("store.pool")`)."""
        before: tuple[str, ...] = ()
        for attribute in named.split("."):
            if attribute in self.words and (self.of_self or before or not is_own(receiver)):
                self.note(node, receiver, (attribute, before), scope, place)
            before = (*before, attribute)

    def handed(self, node: ast.Call, scope: Scope, place: _Place) -> None:
        """Note SQL that a method is handed which may hand it on; what executes it is none."""
        func = node.func
        if not isinstance(func, ast.Attribute) or func.attr not in self.words:
            return
        if executes(func.attr.lstrip("_")):
            return
        handed = sql_argument(node, scope)
        if handed is not None:
            argument, sql = handed
            known = tuple(dict.fromkeys(self.values.infer(func.value, scope)))
            span, extent = node_span(self.lines, argument), self._extent(place)
            shown = _shown(func.value)
            self.found.append(AttributeRead(span, extent, func.attr, shown, known, sql))

    def special(
        self,
        receiver: ast.expr,
        method: str,
        scope: Scope,
        place: _Place,
        node: ast.expr | None = None,
    ) -> None:
        """Note what calls a special method: a call, brackets, a loop, a `with`."""
        if method in self.words and not is_own(receiver):
            self.note(node or receiver, receiver, (method, ()), scope, place)

    def note(
        self,
        node: ast.expr,
        receiver: ast.expr,
        attribute: tuple[str, tuple[str, ...]],
        scope: Scope,
        place: _Place,
    ) -> None:
        """Note an access to an attribute, with those that are read of the receiver before it."""
        name, before = attribute
        span = self.place_of(node, place)
        if span is None:
            return
        known = tuple(
            AbstractValue(found.origin, found.is_object, (*found.steps, *before))
            for found in dict.fromkeys(self.values.infer(receiver, scope))
        )
        shown = ".".join((_shown(receiver), *before))
        by_self = is_own(receiver) or _is_super(receiver)
        caught = isinstance(place.statement, TRIES)
        self.found.append(
            AttributeRead(
                span, self._extent(place), name, shown, known, by_self=by_self, caught=caught
            )
        )

    def matched(self, statement: ast.Match) -> None:
        """Note what class patterns read of the object that they match."""
        for case in statement.cases:
            for pattern in ast.walk(case.pattern):
                if isinstance(pattern, ast.MatchClass):
                    self.pattern(pattern)

    def pattern(self, node: ast.MatchClass) -> None:
        """Note the attributes that a class pattern reads."""
        known = tuple(self.values.annotated(node.cls))
        span = node_span(self.lines, node.cls)
        for attribute in node.kwd_attrs:
            if attribute in self.words:
                extent = (node.lineno, node.end_lineno or node.lineno)
                shown = ast.unparse(node.cls)
                self.found.append(AttributeRead(span, extent, attribute, shown, known))

    def place_of(self, node: ast.expr, place: _Place) -> Span | None:
        """Return the place of an access; None where white space parts the name from its dot.

        The prefilter looks for the name right behind its dot.
        """
        span = node_span(self.lines, place.string or node)
        if place.string is not None or not isinstance(node, ast.Attribute):
            return span
        end = self.lines.offset(
            node.end_lineno or node.lineno, node.end_col_offset or node.col_offset
        )
        start = end - len(node.attr)
        if self.lines.text[start - 1 : start] != ".":
            return None
        return span if span.line == span.end_line else self.lines.span(start, end)


def _is_super(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and last_name(node.func) == "super"


def _shown(receiver: ast.expr) -> str:
    """Return a receiver as code, in brackets if it needs them; of a large one, what it ends in."""
    if sum(1 for _ in islice(ast.walk(receiver), MAX_SHOWN + 1)) <= MAX_SHOWN:
        read = ast.Attribute(value=receiver, attr="a", ctx=ast.Load())
        return ast.unparse(read).removesuffix(".a").rstrip()
    called = isinstance(receiver, ast.Call)
    named = receiver.func if isinstance(receiver, ast.Call) else receiver
    step = f".{named.attr}" if isinstance(named, ast.Attribute) else ""
    return f"…{step}{'()' if called else ''}"


def _expressions(statement: ast.stmt) -> Iterator[ast.AST]:
    """Yield what a statement reads itself, in its block: not the statements in it."""
    if isinstance(statement, FUNCTIONS):
        yield from statement.decorator_list
        yield from defaults(statement.args)
        return
    for child in children(statement):
        if isinstance(child, (ast.ExceptHandler, ast.match_case)):
            yield from (part for part in children(child) if isinstance(part, ast.expr))
        elif not isinstance(child, ast.stmt):
            yield child


def _bodies(statement: ast.stmt) -> Iterator[Sequence[ast.stmt]]:
    """Yield the blocks of a compound statement that are no scope of their own."""
    if isinstance(statement, (*FUNCTIONS, ast.ClassDef)):
        return
    for name in ("body", "orelse", "finalbody"):
        yield getattr(statement, name, [])
    for part in (*getattr(statement, "handlers", ()), *getattr(statement, "cases", ())):
        yield part.body
