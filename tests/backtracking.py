"""Regular expressions whose work can be counted: a matcher that backtracks as `re` does, in steps.

`re` tells nobody what it tries, and a clock tells it only on a machine that is idle. So an expression
is taken apart by `re`'s own parser and tried here in the same order: a step is a character that is
compared, or a part of the expression that is begun at a place. It is slow, and meant for short texts.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Any, Final

if sys.version_info >= (3, 11):
    from re import _parser as parser  # type: ignore[attr-defined]
else:
    import sre_parse as parser

_CATEGORIES: Final = {
    "CATEGORY_DIGIT": r"\d",
    "CATEGORY_NOT_DIGIT": r"\D",
    "CATEGORY_SPACE": r"\s",
    "CATEGORY_NOT_SPACE": r"\S",
    "CATEGORY_WORD": r"\w",
    "CATEGORY_NOT_WORD": r"\W",
}
_SINGLE: Final = frozenset({"LITERAL", "NOT_LITERAL", "ANY", "IN"})

Node = tuple[Any, Any]

compiled: Final[Callable[..., re.Pattern[Any]]] = re._compile  # type: ignore[attr-defined]
"""What compiles for `re`, also while tests put something else in its place."""


class Expression:
    """A pattern of `re` that counts the steps of its matcher in `steps`."""

    def __init__(self, pattern: re.Pattern[Any]) -> None:
        self.real = pattern
        self.steps = 0
        self.kinds: dict[tuple[int, int], re.Pattern[Any]] = {}

    @cached_property
    def nodes(self) -> list[Node]:
        """The parsed pattern."""
        parsed: Any = parser.parse(self.real.pattern, self.real.flags)
        return list(parsed)

    def ends(self, text: Any, start: int, limit: int) -> Iterator[int]:
        """Yield where matches at a place end, in the order in which `re` would come to them."""
        matcher = _Matcher(self, text, limit, self.real.flags)
        yield from matcher.sequence(self.nodes, 0, start)

    def first(self, text: Any, start: int, limit: int) -> tuple[int, int] | None:
        """Return the first match from a place on: where it begins and ends."""
        for begin in range(start, limit + 1):
            for end in self.ends(text, begin, limit):
                return begin, end
        return None


class _Matcher:
    """One attempt: the text, what groups hold, and the steps that are counted."""

    def __init__(self, owner: Expression, text: Any, limit: int, flags: int) -> None:
        self.owner, self.text, self.limit, self.flags = owner, text, limit, flags
        self.groups: dict[int, tuple[int, int]] = {}

    def sequence(self, nodes: Sequence[Node], index: int, place: int) -> Iterator[int]:
        self.owner.steps += 1
        if index == len(nodes):
            yield place
            return
        for end in self.node(nodes[index], place):
            yield from self.sequence(nodes, index + 1, end)

    def node(self, node: Node, place: int) -> Iterator[int]:
        """Yield where a part of the expression can end that begins at a place."""
        name, value = str(node[0]), node[1]
        if name in _SINGLE:
            if self.is_single(node, place):
                yield place + 1
        elif name in {"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"}:
            least, most, nodes = value
            yield from self.repeated(name, least, most, nodes, place)
        else:
            yield from getattr(self, f"_{name.lower()}")(value, place)

    def is_single(self, node: Node, place: int) -> bool:
        """Return whether one character at a place is of a kind."""
        self.owner.steps += 1
        if place >= self.limit:
            return False
        return self.kind(node).match(self.text, place, place + 1) is not None

    def kind(self, node: Node) -> re.Pattern[Any]:
        """Return an expression of `re` for what takes one character."""
        key = (id(node), self.flags)
        if key not in self.owner.kinds:
            written = _text(str(node[0]), node[1])
            is_bytes = isinstance(self.owner.real.pattern, bytes)
            kept = self.flags & ~(re.VERBOSE | re.DEBUG)
            self.owner.kinds[key] = compiled(
                written.encode("latin-1") if is_bytes else written, kept
            )
        return self.owner.kinds[key]

    def repeated(
        self, name: str, least: int, most: int, nodes: Sequence[Node], place: int
    ) -> Iterator[int]:
        body = list(nodes)
        if len(body) == 1 and str(body[0][0]) in _SINGLE:
            ends = self.run(name, least, most, body[0], place)
        elif name == "MIN_REPEAT":
            ends = self.lazily(body, least, most, place, 0)
        else:
            ends = self.greedily(body, least, most, place, 0)
        if name == "POSSESSIVE_REPEAT":
            yield from _one(ends)
        else:
            yield from ends

    def run(self, name: str, least: int, most: int, node: Node, place: int) -> Iterator[int]:
        """Repeat what takes one character, without a call for each."""
        if name == "MIN_REPEAT":
            end = place
            while end - place < least or end - place <= most:
                if end - place >= least:
                    yield end
                if not self.is_single(node, end):
                    return
                end += 1
            return
        end = place
        while end - place < most and self.is_single(node, end):
            end += 1
        yield from range(end, place + least - 1, -1)

    def greedily(
        self, body: Sequence[Node], least: int, most: int, place: int, done: int
    ) -> Iterator[int]:
        if done < most:
            for end in self.sequence(body, 0, place):
                if end > place or done < least:
                    yield from self.greedily(body, least, most, end, done + 1)
        if done >= least:
            yield place

    def lazily(
        self, body: Sequence[Node], least: int, most: int, place: int, done: int
    ) -> Iterator[int]:
        if done >= least:
            yield place
        if done < most:
            for end in self.sequence(body, 0, place):
                if end > place or done < least:
                    yield from self.lazily(body, least, most, end, done + 1)

    def _branch(self, value: Any, place: int) -> Iterator[int]:
        for alternative in value[1]:
            yield from self.sequence(list(alternative), 0, place)

    def _subpattern(self, value: Any, place: int) -> Iterator[int]:
        group, added, removed, nodes = value
        before, held = self.flags, self.groups.get(group)
        self.flags = (before | added) & ~removed
        for end in self.sequence(list(nodes), 0, place):
            inner, self.flags = self.flags, before
            if group is not None:
                self.groups[group] = (place, end)
            yield end
            self.flags = inner
        self.flags = before
        if group is not None and held is not None:
            self.groups[group] = held

    def _atomic_group(self, value: Any, place: int) -> Iterator[int]:
        yield from _one(self.sequence(list(value), 0, place))

    def _assert(self, value: Any, place: int) -> Iterator[int]:
        if self.holds(value, place):
            yield place

    def _assert_not(self, value: Any, place: int) -> Iterator[int]:
        if not self.holds(value, place):
            yield place

    def holds(self, value: Any, place: int) -> bool:
        direction, nodes = value
        start = place if direction > 0 else place - nodes.getwidth()[0]
        return start >= 0 and any(
            direction > 0 or end == place for end in self.sequence(list(nodes), 0, start)
        )

    def _groupref(self, value: Any, place: int) -> Iterator[int]:
        if value not in self.groups:
            return
        start, end = self.groups[value]
        self.owner.steps += end - start
        if self.text[start:end] == self.text[place : place + end - start]:
            yield place + end - start

    def _groupref_exists(self, value: Any, place: int) -> Iterator[int]:
        group, held, missing = value
        nodes = held if group in self.groups else missing
        yield from self.sequence(list(nodes or []), 0, place)

    def _at(self, value: Any, place: int) -> Iterator[int]:
        self.owner.steps += 1
        written = {
            "AT_BEGINNING": "^",
            "AT_BEGINNING_STRING": r"\A",
            "AT_BOUNDARY": r"\b",
            "AT_NON_BOUNDARY": r"\B",
            "AT_END": "$",
            "AT_END_STRING": r"\Z",
        }[str(value)]
        is_bytes = isinstance(self.text, bytes)
        kept = self.flags & (re.MULTILINE | re.ASCII)
        here = compiled(written.encode() if is_bytes else written, kept)
        if here.match(self.text, place, self.limit) is not None:
            yield place


def _one(ends: Iterator[int]) -> Iterator[int]:
    """Yield the first end alone: what is matched so is not tried otherwise."""
    yield from ([end] if (end := next(ends, -1)) >= 0 else [])


def _text(name: str, value: Any) -> str:
    """Write a part that takes one character as an expression again."""
    if name == "LITERAL":
        return _escaped(value)
    if name == "NOT_LITERAL":
        return f"[^{_escaped(value)}]"
    if name == "ANY":
        return "."
    negated = bool(value) and str(value[0][0]) == "NEGATE"
    members = "".join(_member(str(kind), held) for kind, held in value[negated:])
    return f"[{'^' * negated}{members}]"


def _member(kind: str, held: Any) -> str:
    if kind == "LITERAL":
        return _escaped(held)
    if kind == "RANGE":
        return f"{_escaped(held[0])}-{_escaped(held[1])}"
    return _CATEGORIES[str(held)]


def _escaped(code: int) -> str:
    return re.escape(chr(code)) if not chr(code).isalnum() else chr(code)
