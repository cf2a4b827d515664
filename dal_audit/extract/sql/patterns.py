"""Recognise the catalogue's features in the tokens of a statement.

A feature's pattern (`rules/catalogue/portability/`) is compiled into a few instructions. Three
things keep matching as cheap as the statement is long, however many patterns there are: a pattern
is looked at only where the statement holds one of its rarest words; it is tried only where its
first word stands; and what follows a `…` is looked for once at each place, whoever asks (`visits`
counts it, and a test holds the count to be linear). So nothing here can blow up by backtracking.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Final, NamedTuple

import msgspec
from msgspec import Struct

from dal_audit.catalogue.portability import PORTABILITY, features
from dal_audit.catalogue.resources import kept_form, prepared
from dal_audit.extract.sql.pattern_language import Instruction, Op, Program, parse
from dal_audit.extract.sql.pattern_view import INDEXED_CLASSES, View
from dal_audit.extract.sql.tokens import Token


class Match(NamedTuple):
    """A feature seen in a statement: its id, and the range of tokens, the end exclusive."""

    feature: str
    start: int
    end: int


class Pattern(Struct, frozen=True, array_like=True, omit_defaults=True):
    """A feature's pattern, compiled; `within` is another that the statement must begin with."""

    feature: str
    program: Program
    within: Program | None = None


def compile_pattern(feature: str, match: str, within: str = "") -> Pattern:
    """Compile a pattern; raises ValueError where it cannot be read or has nothing to look for."""
    try:
        program = parse(match, INDEXED_CLASSES)
        context = parse(f"^ {within}", INDEXED_CLASSES, is_context=True) if within else None
    except ValueError as error:
        raise ValueError(f"the pattern of `{feature}`: {error}") from None
    return Pattern(feature, program, context)


class Matcher:
    """Finds where patterns match; made once, and used for every statement.

    `visits` counts the instructions that were carried out, for the test of cost.
    """

    def __init__(self, patterns: Sequence[Pattern]) -> None:
        """Index the patterns by the words that none of them matches without."""
        self.patterns = patterns
        self.visits = 0
        index: dict[tuple[str, str], list[int]] = {}
        keys: set[str] = set()
        for number, pattern in enumerate(self.patterns):
            program = pattern.program
            keys.update(key for key, _ in program.starts)
            keys.update(program.gate, program.words, *program.needs)
            for key in program.gate:
                index.setdefault(("".join(program.head[:1]), key), []).append(number)
        self._numbers = {key: tuple(numbers) for key, numbers in index.items()}
        self.keys = frozenset(keys)
        self._ways: dict[int, Mapping[str, tuple[int, ...]]] = {}  # By the id of an instruction.

    def view(self, tokens: Sequence[Token]) -> View:
        """Return a statement's tokens as the patterns see them."""
        return View(tokens, self.keys)

    def matches(self, tokens: Sequence[Token]) -> list[Match]:
        """Return every match in a statement's tokens, by place and then by feature."""
        return self.matches_in(self.view(tokens))

    def matches_in(self, view: View) -> list[Match]:
        """Return every match in a view of this matcher's, by place and then by feature."""
        candidates = self._candidates(view)
        found: list[Match] = []
        contexts: dict[str, bool] = {}
        for number in candidates:
            pattern = self.patterns[number]
            if not _may_match(pattern.program, view):
                continue
            if pattern.within is not None:
                text = pattern.within.text
                if text not in contexts:
                    contexts[text] = self._run(pattern.within, view, (0,)) is not None
                if not contexts[text]:
                    continue
            found += self._matches(pattern, view)
        return sorted(found, key=lambda match: (match.start, match.end, match.feature))

    def _candidates(self, view: View) -> set[int]:
        """Return the numbers of the patterns whose rarest word a statement holds, or one of them.

        Those that say how a statement begins are looked up by its first word as well.
        """
        numbers, first = self._numbers, view.key(0)
        found: set[int] = set()
        for key in view.where:
            found.update(numbers.get(("", key), ()), numbers.get((first, key), ()))
        return found

    def _matches(self, pattern: Pattern, view: View) -> Iterator[Match]:
        """Yield a pattern's matches, at most one for each place where it can begin."""
        known: dict[tuple[int, int], int | None] = {}
        for start in _starts(pattern.program, view):
            end = self._end(pattern.program, view, 0, start, known)
            if end is not None:
                yield Match(pattern.feature, start, end)

    def _run(self, program: Program, view: View, starts: Iterable[int]) -> int | None:
        """Return where a program's first match ends."""
        known: dict[tuple[int, int], int | None] = {}
        for start in starts:
            end = self._end(program, view, 0, start, known)
            if end is not None:
                return end
        return None

    def _end(
        self,
        program: Program,
        view: View,
        line: int,
        place: int,
        known: dict[tuple[int, int], int | None],
    ) -> int | None:
        """Return where a match from this instruction and token on ends; None where there is none.

        The depth of the calls is bounded by the pattern's length, not by the statement's.
        """
        instructions = program.instructions
        keys = view.keys
        while True:
            self.visits += 1
            step = instructions[line]
            if step.op is Op.WORD:  # most are, so this comes first and without a call
                if place >= len(keys) or keys[place] != step.text:
                    return None
                place += 1
                line += 1
                continue
            if step.op is Op.DONE:
                return place
            if step.op is Op.EITHER:
                targets = self._targets(step, view.key(place))
                if len(targets) != 1:
                    return self._either(program, view, targets, place, known)
                line = targets[0]
                continue
            if step.op is Op.SKIP:
                return self._skip(program, view, line, place, known)
            if step.op is Op.NOT:
                if self._end(program, view, line + 1, place, known) is not None:
                    return None
                line = step.targets[0]
                continue
            after = _advance(step, view, place)
            if after is None:
                return None
            place = after
            line = step.targets[0] if step.op is Op.JUMP else line + 1

    def _either(
        self,
        program: Program,
        view: View,
        targets: Iterable[int],
        place: int,
        known: dict[tuple[int, int], int | None],
    ) -> int | None:
        """Try alternatives in order."""
        for target in targets:
            end = self._end(program, view, target, place, known)
            if end is not None:
                return end
        return None

    def _targets(self, step: Instruction, key: str) -> tuple[int, ...]:
        """Return the alternatives in order, but for those that begin with another word."""
        ways = self._ways.get(id(step))
        if ways is None:
            ways = self._ways[id(step)] = _by_first_word(step)
        return ways[key] if key in ways else ways[_ANY_OTHER]

    def _skip(
        self,
        program: Program,
        view: View,
        line: int,
        place: int,
        known: dict[tuple[int, int], int | None],
    ) -> int | None:
        """Try what follows a `…` at each token of this depth, up to the closing parenthesis.

        What the skip does not pass ends it, too, after it was tried.

        All places that were passed on the way have the same answer, and none is asked twice.
        """
        barrier = program.instructions[line].text
        first = program.instructions[line].firsts[0]
        passed = []
        end: int | None = None
        while (line, place) not in known:
            passed.append(place)
            if not first or view.key(place) in first:
                end = self._end(program, view, line + 1, place, known)
            following = view.following(place)
            if end is not None or following is None or (barrier and view.key(place) == barrier):
                break
            place = following
        else:
            end = known[line, place]
        for position in passed:
            known[line, position] = end
        return end


_ANY_OTHER: Final = "\0"
"""Stands for all words that no alternative begins with."""


def _by_first_word(step: Instruction) -> Mapping[str, tuple[int, ...]]:
    """Return which alternatives are left where a word stands, in their order."""
    ways = list(zip(step.targets, step.firsts, strict=True))
    words = {_ANY_OTHER}.union(*step.firsts)
    return {
        word: tuple(target for target, first in ways if not first or word in first)
        for word in words
    }


def _may_match(program: Program, view: View) -> bool:
    """Return whether a statement begins with a pattern's words, and holds all that it needs."""
    where = view.where
    if not program.words <= where.keys():
        return False
    head = program.head
    if head and tuple(view.keys[: len(head)]) != head:
        return False
    return not any(keys.isdisjoint(where) for keys in program.needs)


def _starts(program: Program, view: View) -> Iterable[int]:
    """Return the places at which a pattern can begin, in order."""
    if program.at_start:
        return (0,)
    if not program.starts:
        return sorted(view.type_places)
    places = {
        place - offset
        for key, offset in program.starts
        for place in view.where.get(key, ())
        if place >= offset
    }
    return sorted(places)


_TESTS: Final = frozenset({Op.START, Op.END, Op.TYPE, Op.JUMP})


def _advance(step: Instruction, view: View, place: int) -> int | None:
    """Return the place after what one instruction takes; None where it takes nothing."""
    if step.op in _TESTS:
        return place if _holds(step.op, view, place) else None
    if place >= len(view.tokens):
        return None
    if step.op is Op.CLASS:
        return place + 1 if step.text in view.classes(place) else None
    if step.op is Op.GROUP:
        return view.after_group(place)
    return view.after_call(place, step.text, step.least, step.most)


def _holds(test: Op, view: View, place: int) -> bool:
    """Return whether what takes no token holds at a place; a jump always does."""
    match test:
        case Op.START:
            return place == 0
        case Op.END:
            return view.is_end(place)
        case Op.TYPE:
            return place in view.type_places
        case _:
            return True


KEPT: Final = "portability.patterns"
"""The JSON beside the catalogue that keeps its patterns compiled: to compile them takes longer than
to match them in all of a small project."""


@cache
def shipped_matcher() -> Matcher:
    """Return the matcher of the shipped catalogue; what has no pattern is not looked for."""
    return Matcher(prepared(KEPT, PORTABILITY, tuple[Pattern, ...], _shipped))


def _shipped() -> tuple[Pattern, ...]:
    return tuple(
        compile_pattern(feature.id, feature.match, feature.within)
        for feature in features()
        if feature.match
    )


def kept_patterns() -> bytes:
    """Return what belongs into the JSON that keeps the patterns."""
    rows = (msgspec.json.encode(pattern, order="deterministic") for pattern in _shipped())
    return kept_form(PORTABILITY, rows)
