"""From what engines said to breaches: each with the rule that it proves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from itertools import chain

from msgspec import Struct, field

from dal_audit.catalogue.engine_names import ENGINE_TITLES, ENGINES, Engine
from dal_audit.facts import START, Place
from dal_audit.judge.breach import Breach, Related
from dal_audit.replay.differences import listed, shown
from dal_audit.replay.model import Change, Command, Failure, Outcome, Step
from dal_audit.replay.rule_of_error import (
    causing_statement,
    is_forbidden,
    judged,
    named_in,
    root_causes,
    rule_of,
)


class Replayed(Struct, frozen=True):
    """A set that was run: its steps by engine, and what came of them."""

    root: str
    steps: dict[Engine, tuple[Step, ...]]
    outcomes: dict[Engine, Outcome]
    paired: tuple[str, ...] = ()
    """The roots of the sets that make the same schema on other engines."""


class _Said(Struct):
    """What was said of one place under one rule, by the words and then by the engines."""

    place: Place
    rule: str
    words: dict[str, list[Engine]] = field(default_factory=lambda: defaultdict(list))
    extent: tuple[int, int] | None = None
    after: list[Failure] = field(default_factory=list)

    def breach(self) -> Breach:
        """Return one breach of all that was said."""
        parts: dict[tuple[Engine, ...], list[str]] = {}
        for words, engines in self.words.items():
            parts.setdefault(tuple(dict.fromkeys(engines)), []).append(words)
        messages = [
            f"on {' and '.join(map(ENGINE_TITLES.__getitem__, engines))} {', '.join(words)}"
            for engines, words in parts.items()
        ]
        hanging = {failure.command.place: failure.refusal.message for failure in self.after}
        named = set(chain.from_iterable(parts))
        engines_named = tuple(engine for engine in ENGINES if engine in named)
        is_later = self.rule in {"DAL402", "DAL403", "DAL404"}
        return Breach(
            self.place,
            "; ".join(messages),
            extent=self.extent,
            related=tuple(
                Related(place, f"so this fails, too: {message}")
                for place, message in sorted(hanging.items())
            ),
            fails_on=() if is_later else engines_named,
            fails_later_on=engines_named if is_later else (),
        )


def breaches(replayed: Replayed) -> Iterator[tuple[str, Breach]]:
    """Yield what a set's runs prove, each with the id of the rule; one finding a place and rule."""
    book = _Book(replayed)
    for engine in replayed.outcomes:
        book.first_runs(engine)
        book.second_runs(engine)
        book.downs(engine)
    for said in book.said.values():
        yield said.rule, said.breach()


def forbidden(replayed: Replayed) -> Iterator[str]:
    """Yield sentences on the statements that a replay's role may not run, and a tool's may."""
    for engine, outcome in replayed.outcomes.items():
        failure = next(filter(is_forbidden, (*outcome.applied, *outcome.again)), None)
        if failure is not None:
            place = failure.command.place
            yield (
                f"not judged on {ENGINE_TITLES[engine]}: what comes after {place.path}:"
                f"{place.span.line}, for a replay's role may not run it: {failure.refusal.message}"
            )


class _Book:
    """Collects what the engines say of one set."""

    def __init__(self, replayed: Replayed) -> None:
        self.replayed = replayed
        self.said: dict[tuple[Place, str], _Said] = {}

    def say(self, rule: str, command: Command | Place, words: str, engine: Engine) -> _Said:
        """Note what an engine says of a statement, or of a file as a whole."""
        place = command if isinstance(command, Place) else command.place
        said = self.said.setdefault((place, rule), _Said(place, rule))
        said.extent = (place.span.line, place.span.end_line)
        if engine not in said.words[words]:
            said.words[words].append(engine)
        return said

    def first_runs(self, engine: Engine) -> None:
        """Say which statements an engine does not take at all."""
        outcomes = self.replayed.outcomes
        refused = {
            name: {failure.command.place for failure in judged(outcome.applied)}
            for name, outcome in outcomes.items()
        }
        for failure, after in root_causes(judged(outcomes[engine].applied)):
            everywhere = all(failure.command.place in places for places in refused.values())
            rule = rule_of(failure, everywhere=everywhere)
            said = self.say(rule, failure.command, f"this fails: {_message(failure)}", engine)
            said.after += after

    def second_runs(self, engine: Engine) -> None:
        """Say what a second run fails at, or changes."""
        outcome = self.replayed.outcomes[engine]
        made = [failure for failure in outcome.again if failure.command.is_made]
        # Django's operations can have no guard: what is said of one, holds for all.
        for failure in (each for each in judged(outcome.again) if each not in made[1:]):
            self.say("DAL404", failure.command, f"a second run fails: {_message(failure)}", engine)
        changed: dict[Command, list[str]] = {}
        for change in outcome.changed:
            changed.setdefault(change.command, []).append(change.what)
        for command, several in changed.items():
            self.say("DAL404", command, f"a second run {listed(several)}", engine)
        self.second_run_of_all(engine, outcome.unsafe())

    def second_run_of_all(self, engine: Engine, known: Collection[int]) -> None:
        """Say what a second run of all migrations fails at, or changes.

        `known` are the migrations of which a second run by themselves has told already: where one
        of them comes before what fails, or fails itself, that is the cause.
        """
        outcome = self.replayed.outcomes[engine]
        first = min(known, default=len(self.replayed.steps[engine]))
        for failure, after in root_causes(outcome.whole or ()):
            if failure.step < first:
                words = f"a second run of all migrations fails: {_message(failure)}"
                self.say("DAL404", failure.command, words, engine).after += after
        if not known and not outcome.whole:
            before = "a second run of all migrations"
            self.say_changes("DAL404", before, outcome.whole_changed, engine)

    def downs(self, engine: Engine) -> None:
        """Say which downs fail, and what they leave."""
        outcome = self.replayed.outcomes[engine]
        found = False
        for failure, after in root_causes(outcome.undone or ()):
            found = True
            self.failed_down(engine, failure).after += after
        for change in outcome.unrestored:
            found = True
            self.unrestored(engine, change)
        for name in outcome.left or () if not outcome.unrestored else ():
            found = True
            self.leftover(engine, name)
        if found:
            return  # What a third run says only follows from it.
        for failure, after in root_causes(outcome.once_more or ()):
            found = True
            words = f"after all downs this fails: {_message(failure)}"
            self.say("DAL403", failure.command, words, engine).after += after
        if not found:
            before = "after all downs, a further run of the ups"
            self.say_changes("DAL403", before, outcome.differs, engine)

    def failed_down(self, engine: Engine, failure: Failure) -> _Said:
        """Say that a down fails; one that only raises is none."""
        step = self.replayed.steps[engine][failure.step]
        if step.down is None:
            words = f"nothing undoes this migration: {_message(failure)}"
            return self.say("DAL402", Place(step.path, step.undone_at), words, engine)
        words = f"the down fails: {_message(failure)}"
        return self.say("DAL403", failure.command, words, engine)

    def unrestored(self, engine: Engine, change: Change) -> None:
        """Say what is not as it was before an up, now that its down has run."""
        step = self.replayed.steps[engine][change.step]
        verb, _, rest = change.what.partition(" ")
        if step.down is None:
            words = f"nothing undoes this migration, which {MADE[verb]} {rest}"
            self.say("DAL402", Place(step.path, step.undone_at), words, engine)
        else:
            self.say("DAL403", change.command, UNRESTORED[verb].format(rest), engine)

    def leftover(self, engine: Engine, name: str) -> None:
        """Say what the downs leave, at the statement that makes it."""
        outcome, steps = self.replayed.outcomes[engine], self.replayed.steps[engine]
        makers = [index for index, made in enumerate(outcome.made) if name in made]
        for index in makers or range(len(steps)):
            command = causing_statement([steps[index]], named_in(name))
            if command is None:
                continue
            if steps[index].down is None:
                words = f"nothing undoes this migration, which leaves {shown(name)}"
                self.say("DAL402", Place(steps[index].path, START), words, engine)
            else:
                self.say("DAL403", command, f"the downs leave {shown(name)}", engine)
            return
        self.say("DAL403", Place(steps[-1].path, START), f"the downs leave {shown(name)}", engine)

    def say_changes(self, rule: str, before: str, several: Sequence[str], engine: Engine) -> None:
        """Say what has changed, at the statements that it comes from."""
        found: dict[Command | Place, list[str]] = {}
        for what in several:
            found.setdefault(self.origin(engine, what), []).append(what)
        for command, words in found.items():
            self.say(rule, command, f"{before} {listed(words)}", engine)

    def origin(self, engine: Engine, what: str) -> Command | Place:
        """Return where what is spoken of comes from: a statement, or the first file."""
        steps: Sequence[Step] = self.replayed.steps[engine]
        return causing_statement(steps, named_in(what)) or Place(steps[0].path, START)


MADE = {"makes": "leaves", "drops": "drops", "changes": "changes"}
"""How a change that stays is told of an up that nothing undoes."""

UNRESTORED = {
    "makes": "the down leaves {}",
    "drops": "the down does not bring back {}",
    "changes": "the down does not bring back {} as it was",
}
"""How a change that stays is told where there is a down."""


def _message(failure: Failure) -> str:
    return failure.refusal.message
