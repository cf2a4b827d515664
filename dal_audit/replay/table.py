"""The table at the end: what became of each set on each engine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from dal_audit.facts.replay import TITLES
from dal_audit.replay.model import Failure, Outcome, Step
from dal_audit.replay.verdicts import Replayed

HEAD = ("set", "engine", "ups", "each again", "all again", "downs", "ups once more", "schemas")
"""The columns: what is run, in the order in which it is."""


def table(replayed: Iterable[Replayed], differing: dict[str, int]) -> str:
    """Return the table; `differing` counts what differs, by the root of each set."""
    rows = [HEAD, *(row for one in replayed for row in _rows(one, differing))]
    widths = [max(len(row[index]) for row in rows) for index in range(len(HEAD))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(lines) + "\n"


def _rows(one: Replayed, differing: dict[str, int]) -> Iterator[tuple[str, ...]]:
    count = differing.get(one.root)
    parity = "not compared" if count is None else f"{count} differ" if count else "same"
    for number, (engine, outcome) in enumerate(one.outcomes.items()):
        yield (
            "" if number else one.root,
            f"{TITLES[engine]} {outcome.version}",
            *cells(outcome, one.steps[engine]),
            "" if number else parity,
        )


def cells(outcome: Outcome, steps: Sequence[Step]) -> tuple[str, ...]:
    """Return what became of each run, a few words each; `-` for what was not run."""
    failed = {one.step for one in outcome.applied}
    good = len(steps) - len(failed)
    unsafe = {one.step for one in outcome.again} | {one.step for one in outcome.changed}
    downs = "-"
    if outcome.undone is not None:
        left = len(outcome.left or ())
        downs = _failed(outcome.undone) or (f"{left} left" if left else "ok")
    return (
        f"{good} of {len(steps)}",
        f"{good - len(unsafe)} of {good}",
        _ran(outcome.whole, len(outcome.whole_changed)),
        downs,
        _ran(outcome.once_more, len(outcome.differs)),
    )


def _ran(failures: tuple[Failure, ...] | None, changes: int) -> str:
    if failures is None:
        return "-"
    return _failed(failures) or (f"{changes} changed" if changes else "ok")


def _failed(failures: tuple[Failure, ...]) -> str:
    count = len({one.step for one in failures})
    return f"{count} failed" if count else ""
