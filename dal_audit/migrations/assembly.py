"""From migrations to a set: their order, what gives it, and what they are meant for."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence

from dal_audit.migrations.model import Migration, Role, Series

_ROLES: Mapping[Role, int] = {"baseline": 0, "versioned": 0, "repeatable": 1, "hook": 2}


def in_order(migrations: Iterable[Migration]) -> tuple[Migration, ...]:
    """Return migrations by their versions as numbers, then by their files.

    Those without a version follow by name; repeatable ones and hooks come last.
    """
    return tuple(sorted(migrations, key=_key))


def _key(migration: Migration) -> tuple[int, bool, tuple[int, ...], bool, str, str]:
    late = migration.role != "baseline"  # A baseline stands for its own version, too.
    return (
        _ROLES[migration.role],
        not migration.version,
        migration.version,
        late,
        migration.id,
        migration.path,
    )


def series_of(migrations: Sequence[Migration]) -> Series:
    """Say what gives migrations their order: what most of them are numbered by."""
    numbered = [migration for migration in migrations if migration.version]
    if not numbered:
        return "named"
    stamps = sum(migration.stamped for migration in numbered)
    if stamps * 2 >= len(numbered):
        return "timestamps"
    is_versioned = any(len(migration.version) > 1 for migration in numbered)
    return "versions" if is_versioned else "integers"


def by_graph(migrations: Sequence[Migration]) -> tuple[Migration, ...]:
    """Return migrations with each after those that it names, otherwise in the order given.

    Of migrations that wait for each other in a circle, the first given goes first.
    """
    waits = _waits(migrations)
    followers = _followers(waits)
    left = list(map(len, waits))
    ready = [index for index, count in enumerate(left) if count == 0]
    heapq.heapify(ready)
    placed: dict[int, None] = {}  # An ordered set.
    stuck = (index for index in range(len(migrations)) if index not in placed)
    while len(placed) < len(migrations):
        index = heapq.heappop(ready) if ready else next(stuck)
        placed[index] = None
        for follower in followers[index]:
            left[follower] -= 1
            if left[follower] == 0 and follower not in placed:
                heapq.heappush(ready, follower)
    return tuple(map(migrations.__getitem__, placed))


def by_walk(migrations: Sequence[Migration]) -> tuple[Migration, ...]:
    """Return migrations as Django runs them on an empty database; they are given by name.

    It walks from those that no other one names: each comes after those that it names, of which the
    last by name is gone into first. Source: `iterative_dfs` of its `db/migrations/graph.py`.
    """
    waits = _waits(migrations)
    followers = _followers(waits)
    starts = sorted(range(len(migrations)), key=lambda index: bool(followers[index]))
    stack = [(index, False) for index in reversed(starts)]
    entered: set[int] = set()
    placed = []
    while stack:
        index, is_left = stack.pop()
        if is_left:
            placed.append(index)
        elif index not in entered:
            entered.add(index)
            stack.append((index, True))
            stack += [(parent, False) for parent in sorted(waits[index])]
    return tuple(map(migrations.__getitem__, placed))


def _followers(waits: Sequence[Iterable[int]]) -> list[list[int]]:
    """Return for each migration the indexes of those that wait for it."""
    found: list[list[int]] = [[] for _ in waits]
    for index, parents in enumerate(waits):
        for parent in parents:
            found[parent].append(index)
    return found


def _waits(migrations: Sequence[Migration]) -> list[set[int]]:
    """Return for each migration the indexes of those that it names, but for itself."""
    at = {migration.id: index for index, migration in reversed(list(enumerate(migrations)))}
    return [
        {at[parent] for parent in migration.parents if parent in at} - {index}
        for index, migration in enumerate(migrations)
    ]


def common_backends(migrations: Sequence[Migration]) -> tuple[str, ...] | None:
    """Return the backends that migrations are meant for, if each of them names its own."""
    if not migrations or any(migration.backends is None for migration in migrations):
        return None
    return tuple(
        sorted({backend for migration in migrations for backend in migration.backends or ()})
    )
