"""What becomes of the constructs of a statement, each told once.

One construct, one verdict: what speaks for the whole statement speaks for all in it that the same
backends reject, and what speaks for a construct speaks for what lies in that.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from dal_audit.catalogue.portability import Feature
from dal_audit.facts.sql import SqlConstruct

WHOLE_STATEMENTS = frozenset({"statements", "triggers"})
"""The kinds of rows that, at the beginning of a statement, speak for all that stands in it."""

DIVERGENCE = "DAL309"
FUNCTION = "DAL302"


class PortabilityVerdict(Struct, frozen=True):
    """What becomes of a construct: the backends that reject it, of those that run it.

    Where none does, all take it and do not treat it alike. `late` are those that take it where it
    is written and fail when it is used, or when the table has rows.
    """

    construct: SqlConstruct
    feature: Feature
    backends: tuple[str, ...]
    fails_on: tuple[str, ...]
    late: tuple[str, ...] = ()

    @property
    def rule_id(self) -> str:
        """The rule that reports it: what an old version lacks does not run everywhere."""
        if self.feature.rule == DIVERGENCE and (self.fails_on or self.late):
            return FUNCTION
        return self.feature.rule

    @property
    def use(self) -> str:
        """When those that take it where it is written fail."""
        return "where the table has rows" if self.feature.needs_rows else "when it is used"


def without_echoes(found: list[PortabilityVerdict]) -> list[PortabilityVerdict]:
    """Leave out the verdicts that only repeat what another one says of the same text."""
    found.sort(
        key=lambda verdict: (verdict.construct.first, -verdict.construct.last, verdict.feature.id)
    )
    whole = {name for verdict in found if _is_whole(verdict) for name in verdict.fails_on}
    echoes = _echoes(found)
    return [
        verdict
        for index, verdict in enumerate(found)
        if _is_whole(verdict)
        or (index not in echoes and not (whole and whole >= set(verdict.fails_on)))
    ]


def _echoes(ordered: Sequence[PortabilityVerdict]) -> set[int]:
    """Return the indexes of the verdicts that another one makes needless."""
    echoes: set[int] = set()
    around: list[int] = []
    for index, verdict in enumerate(ordered):
        first = verdict.construct.first
        around = [other for other in around if ordered[other].construct.last > first]
        if any(_repeats(verdict, ordered[other]) for other in around):
            echoes.add(index)
        echoes.update(other for other in around if _says_less(ordered[other], verdict))
        around.append(index)
    return echoes


def _repeats(inner: PortabilityVerdict, outer: PortabilityVerdict) -> bool:
    """Return whether what lies in a construct is told by what is told of that construct.

    A row that is matched from the statement's beginning on is about its last words: it tells
    nothing of what lies between.
    """
    if outer.construct.last < inner.construct.last:
        return False
    from_start = outer.construct.first == 0
    if not inner.fails_on and outer.fails_on:
        return not from_start
    same_text = inner.construct.first == outer.construct.first and (
        not from_start or inner.construct.last == outer.construct.last
    )
    return (
        (same_text or not from_start)
        and inner.rule_id == outer.rule_id != DIVERGENCE
        and set(inner.fails_on) <= set(outer.fails_on)
    )


def _says_less(outer: PortabilityVerdict, inner: PortabilityVerdict) -> bool:
    """Return whether a construct fails for what it ends in: `DEFAULT now()` for `now()`."""
    return (
        0 < outer.construct.first < inner.construct.first
        and outer.construct.last <= inner.construct.last
        and outer.rule_id != inner.rule_id
        and bool(outer.fails_on)
        and set(outer.fails_on) <= set(inner.fails_on)
    )


def _is_whole(verdict: PortabilityVerdict) -> bool:
    """Return whether a verdict speaks for all that stands in its statement."""
    return verdict.construct.first == 0 and verdict.feature.kind in WHOLE_STATEMENTS
