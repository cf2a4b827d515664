"""What checks say: breaches, and the findings and uses that triage makes of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from dal_audit.catalogue.rulebook import Rule, Severity
from dal_audit.facts import Place, Suppression, UseKind
from dal_audit.fix.model import Fix
from dal_audit.policy import Waiver

if TYPE_CHECKING:
    from dal_audit.assemble.driver_objects import ReexportStep

ROLE_WORDS: Mapping[UseKind, str] = {
    "annotation": "used in an annotation",
    "base": "subclassed",
    "call": "called",
    "except": "caught",
    "value": "used",
    "isinstance": "tested for",
    "issubclass": "tested for",
    "cast": "cast to",
    "pattern": "matched",
    "type": "tested for",
    "dependency": "handed to what calls it",
    "derive": "derived",
    "downcast": "gone down to",
}


class Related(Struct, frozen=True, order=True):
    """A place that belongs to a breach, and what happens there."""

    place: Place
    message: str
    name: str = ""
    """What a step of a way hands on, as its module calls it; empty for other places."""


def with_article(words: str) -> str:
    """Return words behind `an` where they begin with a vowel, or behind `a`."""
    return f"an {words}" if words.lstrip("`")[:1].upper() in set("AEIOU") else f"a {words}"


def flow_of(steps: Iterable[ReexportStep]) -> tuple[Related, ...]:
    """Return the way on which a driver's object was handed on, as places of a breach.

    Of a long way the beginning and the end are told, and how much lies between.
    """
    told = tuple(Related(step.place, step.message, step.name) for step in steps)
    if len(told) <= MAX_FLOW:
        return told
    first, *rest = told[0], *told[1 - MAX_FLOW :]
    between = f"{len(told) - MAX_FLOW} steps later, {rest[0].message}"
    return (first, Related(rest[0].place, between, rest[0].name), *rest[1:])


MAX_FLOW: Final = 24
"""The most steps that are told of a way; each finding has its own, in every format."""


def and_more(count: int) -> str:
    """Return how many others a message speaks of, behind the first that it names."""
    return f" (and {count} more)" if count else ""


class Breach(Struct, frozen=True):
    """A place where the law is broken, as a check sees it.

    `message` is one sentence without a full stop; `label` says what the marked text is; `extent`
    are the first and the last line of the statement, on which a suppression may stand; `related`
    are the places that hang on this one.
    """

    place: Place
    message: str
    label: str = ""
    extent: tuple[int, int] | None = None
    related: tuple[Related, ...] = ()
    severity: Severity | None = None
    """Where a check tells one severity from another; None takes the rule's."""
    flow_length: int = 0
    """How many of the related places, from the first on, are the way by which it came here."""
    fails_on: tuple[str, ...] | None = None
    """The backends that reject the SQL at the place; empty where all run it and differ in what it
    means, None where the breach is not about SQL."""
    fails_later_on: tuple[str, ...] = ()
    """The backends that take the SQL at the place, and fail at it when its migration is run a
    second time."""
    run: Literal["", "again", "all-again"] = ""
    """At which run it shows: when its migration is run again at once, or all are run again."""
    remedy: str = ""
    """How to fix this very place, in one sentence; empty where the rule's own remedy says it."""
    driver: str = ""
    """The catalogue's name of the driver that is reached from here; empty where there is none."""
    fix: Fix | None = None
    """How to fix it by program, where that can be said."""

    @property
    def lines(self) -> tuple[int, int]:
        """The first and the last line on which a suppression of this breach may stand."""
        return self.extent or (self.place.span.line, self.place.span.line)


_RUST_NAME: Final = re.compile(r"`::([\w.#*-]+)`")


def in_rust(breach: Breach) -> Breach:
    """Return a breach whose names of Rust are spelled as Rust does, with `::` between its parts."""
    return replace(
        breach,
        message=_spelled(breach.message),
        label=_spelled(breach.label),
        remedy=_spelled(breach.remedy),
        related=tuple(
            replace(related, message=_spelled(related.message)) for related in breach.related
        ),
    )


def _spelled(text: str) -> str:
    return _RUST_NAME.sub(lambda found: f"`{found[1].replace('.', '::')}`", text)


FindingStatus: TypeAlias = Literal["open", "suppressed", "waived", "baselined"]
"""Whether a finding counts, or what accepted it: a comment or the configuration, a waiver, or the
baseline."""


class Origin(Struct, frozen=True):
    """Where findings of several files have one cause: what is handed on there, and on to whom.

    `name` is what is handed on, with its module (`app.db.SessionDep`); `place` and `message` are
    those of the step of the way on which it leaves the storage package, or the file that made it.
    """

    name: str
    place: Place
    message: str


class Finding(Struct, frozen=True):
    """A breach with its rule, severity and standing; `justification` says why it does not count."""

    rule: Rule
    severity: Severity
    breach: Breach
    standing: FindingStatus = "open"
    justification: str = ""
    in_source: bool = False
    """Whether a comment in the source suppresses it, and not the configuration."""
    origin: Origin | None = None
    """What handed it on to here from another file; None where nothing did."""

    @property
    def place(self) -> Place:
        """Where the law is broken."""
        return self.breach.place

    @property
    def remedy(self) -> str:
        """How to fix it, in one sentence: for this very place where the check can say it."""
        return self.breach.remedy or self.rule.remedy

    def moved(self, to: Callable[[str], str]) -> Finding:
        """Return the finding with its paths rewritten."""

        def move(place: Place) -> Place:
            return Place(to(place.path), place.span)

        related = tuple(
            replace(relation, place=move(relation.place)) for relation in self.breach.related
        )
        breach = replace(self.breach, place=move(self.breach.place), related=related)
        origin = self.origin and replace(self.origin, place=move(self.origin.place))
        return replace(self, breach=breach, origin=origin)


class SuppressionUse(Struct, frozen=True):
    """A suppression after triage: which of its rules are in force, and which hid a finding.

    `known` maps what is written between the brackets to a rule's id, where there is such a rule.
    """

    suppression: Suppression
    known: tuple[tuple[str, str], ...]
    in_force: frozenset[str]
    hid: frozenset[str]


class WaiverUse(Struct, frozen=True):
    """A waiver after triage; `index` is its place among the configured ones.

    `flaw` says why it does not hold, empty where it does; `idle` tells that it holds, that every
    rule it names was in force, and that it lifted nothing.
    """

    index: int
    waiver: Waiver
    flaw: str
    idle: bool


class EntryUse(Struct, frozen=True):
    """An entry of the baseline that accepts fewer findings than it counts.

    `place` is its line in the baseline; `found` of `count` findings are still there.
    """

    place: Place
    rule_id: str
    path: str
    found: int
    count: int


AcceptanceUse: TypeAlias = SuppressionUse | WaiverUse | EntryUse
"""What accepts findings, once all of them were seen."""
