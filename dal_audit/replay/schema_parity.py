"""Whether two engines have made the same schema of one set."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from dal_audit.catalogue.engine_names import POSTGRESQL, SQLITE, Engine
from dal_audit.facts import START, Place
from dal_audit.facts.replay import SchemaDifference
from dal_audit.replay.breaches import Replayed
from dal_audit.replay.model import Aspects
from dal_audit.replay.rule_of_error import causing_statement

_LARGER: Final = ("table", "view", "column", "index")
"""Kinds that are there or not; what belongs to one that is missing is not spoken of."""


def pairs(replayed: Sequence[Replayed]) -> Iterator[Replayed]:
    """Yield the sets to compare, and those as one that are kept side by side for an engine each."""
    by_root = {own.root: own for own in replayed}
    for own in replayed:
        others = [by_root[root] for root in own.paired if root in by_root]
        if len(own.outcomes) > 1 or not others:
            yield own
            continue
        for other in others:
            if own.outcomes.keys() == {SQLITE} and other.outcomes.keys() == {POSTGRESQL}:
                steps = {**own.steps, **other.steps}
                yield Replayed(own.root, steps, {**own.outcomes, **other.outcomes})


def is_comparable(replayed: Replayed) -> bool:
    """Return whether two engines ran all of a set."""
    schemas = [outcome.aspects is not None for outcome in replayed.outcomes.values()]
    return len(schemas) > 1 and all(schemas)


def differences(replayed: Replayed) -> Iterator[tuple[str, SchemaDifference]]:
    """Yield what differs, with the path of the file in which its cause stands."""
    (first, outcome), (second, other) = replayed.outcomes.items()
    left, right = outcome.aspects, other.aspects
    if left is None or right is None:
        return
    for aspect in sorted(left.keys() | right.keys()):
        values = left.get(aspect), right.get(aspect)
        if values[0] != values[1] and not _belongs_to_missing(aspect, left, right):
            place = _place(replayed, first, aspect)
            kind, _, subject = aspect.partition(" ")
            yield (
                place.path,
                SchemaDifference(
                    place.span, kind, subject, ((first, values[0]), (second, values[1]))
                ),
            )


def _belongs_to_missing(aspect: str, left: Aspects, right: Aspects) -> bool:
    kind, _, subject = aspect.partition(" ")
    if kind in {"table", "view"}:
        return False
    value = left.get(aspect) or right.get(aspect) or ""
    table = value.partition("on ")[2].partition(" ")[0] if kind == "index" else subject
    candidates = [f"table {table}", f"table {table.rpartition('.')[0]}"]
    if kind not in _LARGER:
        candidates.append(f"column {subject}")
    return any((name in left) != (name in right) for name in candidates)


def _place(replayed: Replayed, engine: Engine, aspect: str) -> Place:
    steps = replayed.steps[engine]
    subject = aspect.partition(" ")[2]
    for names in ([subject], [subject.rpartition(".")[0]]):
        command = causing_statement(steps, names) if names != [""] else None
        if command is not None:
            return command.place
    return Place(steps[0].path, START)
