"""What has become of a schema, in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from dal_audit.replay.model import Objects

PARENTS = ("column ", "constraint ", "index ", "trigger ", "policy ", "sequence ")
"""The kinds that go with a table, and come with it."""

SHOWN = 3
"""How many changes a message names."""


def changes(before: Objects, after: Objects) -> dict[str, str]:
    """Return how one schema differs from another: by the object, in words that follow a subject.

    What comes or goes with its table is not named by itself.
    """
    gone = list(_chief(before.keys() - after.keys()))
    new = list(_chief(after.keys() - before.keys()))
    other = [name for name in before.keys() & after.keys() if before[name] != after[name]]
    return {
        **{name: f"makes {shown(name)}" for name in sorted(new)},
        **{name: f"drops {shown(name)}" for name in sorted(gone)},
        **{name: f"changes {shown(name)}" for name in sorted(other)},
    }


def renamed(before: Objects, after: Objects) -> set[str]:
    """Return the constraints, old and new, that came back under another name and say the same."""
    gone = {
        (_parent(name), before[name]): name
        for name in before.keys() - after.keys()
        if name.startswith("constraint ")
    }
    found: set[str] = set()
    for name in after.keys() - before.keys():
        old = gone.get((_parent(name), after[name]))
        if old is not None and name.startswith("constraint "):
            found |= {old, name}
    return found


def _parent(name: str) -> str:
    return name.partition(" ")[2].rpartition(".")[0]


def listed(words: Sequence[str]) -> str:
    """Return several changes as one message tells them: the first few, and how many more."""
    more = len(words) - SHOWN
    if more <= 1:
        return ", ".join(words)
    return f"{', '.join(words[:SHOWN])}, and {more} more"


def shown(name: str) -> str:
    """Return an object as a message names it: its kind, and its name in backticks."""
    kind, _, rest = name.partition(" ")
    return f"{kind} `{rest}`"


def left_over(objects: Iterable[str]) -> list[str]:
    """Return what is left in a database, without what belongs to a table that is left, too."""
    return sorted(_chief(objects))


def _chief(objects: Iterable[str]) -> Iterator[str]:
    known = set(objects)
    tables = {title.partition(" ")[2] for title in known if title.startswith("table ")}
    for title in known:
        name = title.partition(" ")[2]
        if title.startswith(PARENTS) and name.rpartition(".")[0] in tables:
            continue
        yield title
