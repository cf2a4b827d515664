"""Whether two engines have made the same schema of one set."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from dal_audit.facts import Place, Span
from dal_audit.facts.replay import SchemaDifference
from dal_audit.replay.model import Aspects, Engine
from dal_audit.replay.verdicts import Replayed
from dal_audit.replay.words import origin

_LARGER: Final = ("table", "view", "column", "index")
"""Kinds that are there or not; what belongs to one that is missing is not spoken of."""


def pairs(replayed: Sequence[Replayed]) -> Iterator[Replayed]:
    """Yield the sets to compare, and those as one that are kept side by side for an engine each."""
    by_root = {one.root: one for one in replayed}
    for one in replayed:
        others = [by_root[root] for root in one.paired if root in by_root]
        if len(one.outcomes) > 1 or not others:
            yield one
            continue
        for other in others:
            if one.outcomes.keys() == {"sqlite"} and other.outcomes.keys() == {"postgresql"}:
                steps = {**one.steps, **other.steps}
                yield Replayed(one.root, steps, {**one.outcomes, **other.outcomes})


def is_comparable(replayed: Replayed) -> bool:
    """Return whether two engines ran all of a set."""
    schemas = [one.aspects is not None for one in replayed.outcomes.values()]
    return len(schemas) > 1 and all(schemas)


def differences(replayed: Replayed) -> Iterator[tuple[str, SchemaDifference]]:
    """Yield what differs, with the path of the file in which its cause stands."""
    (first, one), (second, other) = replayed.outcomes.items()
    if one.aspects is None or other.aspects is None:
        return
    for aspect in sorted(one.aspects.keys() | other.aspects.keys()):
        values = one.aspects.get(aspect), other.aspects.get(aspect)
        if values[0] != values[1] and not _belongs_to_missing(aspect, one.aspects, other.aspects):
            place = _place(replayed, first, aspect)
            kind, _, subject = aspect.partition(" ")
            yield (
                place.path,
                SchemaDifference(
                    place.span, kind, subject, ((first, values[0]), (second, values[1]))
                ),
            )


def _belongs_to_missing(aspect: str, one: Aspects, other: Aspects) -> bool:
    kind, _, subject = aspect.partition(" ")
    if kind in {"table", "view"}:
        return False
    value = one.get(aspect) or other.get(aspect) or ""
    table = value.partition("on ")[2].partition(" ")[0] if kind == "index" else subject
    candidates = [f"table {table}", f"table {table.rpartition('.')[0]}"]
    if kind not in _LARGER:
        candidates.append(f"column {subject}")
    return any((name in one) != (name in other) for name in candidates)


def _place(replayed: Replayed, engine: Engine, aspect: str) -> Place:
    steps = replayed.steps[engine]
    subject = aspect.partition(" ")[2]
    for names in ([subject], [subject.rpartition(".")[0]]):
        command = origin(steps, names) if names != [""] else None
        if command is not None:
            return command.place
    return Place(steps[0].path, Span(1, 1, 1, 1))
