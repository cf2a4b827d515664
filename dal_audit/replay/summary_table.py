"""The table at the end: what became of each set on each engine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from dal_audit.catalogue.engine_names import ENGINE_TITLES
from dal_audit.replay.breaches import Replayed
from dal_audit.replay.model import Failure, Outcome, Step

HEAD = ("set", "engine", "ups", "each again", "all again", "downs", "ups once more", "schemas")
"""The columns: what is run, in the order in which it is."""


def table(replayed: Iterable[Replayed], differing: dict[str, int]) -> str:
    """Return the table; `differing` counts what differs, by the root of each set."""
    rows = [HEAD, *(row for own in replayed for row in _rows(own, differing))]
    widths = [max(len(row[index]) for row in rows) for index in range(len(HEAD))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(lines) + "\n"


def _rows(replayed: Replayed, differing: dict[str, int]) -> Iterator[tuple[str, ...]]:
    count = differing.get(replayed.root)
    parity = "not compared" if count is None else f"{count} differ" if count else "same"
    for number, (engine, outcome) in enumerate(replayed.outcomes.items()):
        yield (
            "" if number else replayed.root,
            f"{ENGINE_TITLES[engine]} {outcome.version}",
            *row_cells(outcome, replayed.steps[engine]),
            "" if number else parity,
        )


def row_cells(outcome: Outcome, steps: Sequence[Step]) -> tuple[str, ...]:
    """Return what became of each run, a few words each; `-` for what was not run."""
    failed = {failure.step for failure in outcome.applied}
    ran = len(outcome.made) if outcome.steps else len(steps)
    good = ran - len(failed)
    unsafe = outcome.unsafe()
    downs = "-"
    if outcome.undone is not None:
        left, otherwise = len(outcome.left or ()), len(outcome.unrestored)
        kept = f"{left} left" if left else f"{otherwise} otherwise" if otherwise else "ok"
        downs = _failed(outcome.undone) or kept
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
    count = len({failure.step for failure in failures})
    return f"{count} failed" if count else ""
