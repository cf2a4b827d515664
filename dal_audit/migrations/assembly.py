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


def _key(one: Migration) -> tuple[int, bool, tuple[int, ...], bool, str, str]:
    late = one.role != "baseline"  # A baseline stands for its own version, too.
    return (_ROLES[one.role], not one.version, one.version, late, one.id, one.path)


def series_of(migrations: Sequence[Migration]) -> Series:
    """Say what gives migrations their order: what most of them are numbered by."""
    numbered = [one for one in migrations if one.version]
    if not numbered:
        return "named"
    stamps = sum(one.stamped for one in numbered)
    if stamps * 2 >= len(numbered):
        return "timestamps"
    return "versions" if any(len(one.version) > 1 for one in numbered) else "integers"


def by_graph(migrations: Sequence[Migration]) -> tuple[Migration, ...]:
    """Return migrations with each after those that it names, otherwise in the order given.

    Of migrations that wait for each other in a circle, the first given goes first.
    """
    at = {one.id: index for index, one in reversed(list(enumerate(migrations)))}
    waits = [
        {at[parent] for parent in one.parents if parent in at} - {index}
        for index, one in enumerate(migrations)
    ]
    followers: dict[int, list[int]] = {}
    for index, parents in enumerate(waits):
        for parent in parents:
            followers.setdefault(parent, []).append(index)
    left = [len(one) for one in waits]
    ready = [index for index, count in enumerate(left) if count == 0]
    heapq.heapify(ready)
    placed: set[int] = set()
    order: list[int] = []
    stuck = 0
    while len(order) < len(migrations):
        if not ready:
            while stuck in placed:
                stuck += 1
            heapq.heappush(ready, stuck)
        index = heapq.heappop(ready)
        if index in placed:
            continue
        placed.add(index)
        order.append(index)
        for follower in followers.get(index, ()):
            left[follower] -= 1
            if left[follower] == 0 and follower not in placed:
                heapq.heappush(ready, follower)
    return tuple(migrations[index] for index in order)


def common_backends(migrations: Sequence[Migration]) -> tuple[str, ...] | None:
    """Return the backends that migrations are meant for, if each of them names its own."""
    if not migrations or any(one.backends is None for one in migrations):
        return None
    return tuple(sorted({backend for one in migrations for backend in one.backends or ()}))
