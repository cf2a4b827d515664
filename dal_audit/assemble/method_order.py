"""The order in which Python looks for a member in what a class inherits (C3)."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Protocol, TypeVar


class _HasName(Protocol):
    @property
    def name(self) -> str: ...


Named = TypeVar("Named", bound=_HasName)


def merged(orders: Sequence[Sequence[Named]]) -> Iterable[Named]:
    """Return classes in the order that Python gives them (C3); where there is none, the next one.

    The last of the orders are the bases themselves.
    """
    whole, heads = orders[0], orders[-1]
    if len(heads) == 1 and whole[0].name == heads[0].name:
        return whole  # One base, as nearly all have: its order is that of what inherits it.
    return _merged(orders)


def _merged(orders: Iterable[Sequence[Named]]) -> Iterator[Named]:
    waiting = [deque(order) for order in orders if order]
    later = _later(waiting)
    while waiting:
        first = (order[0] for order in waiting)
        head = next((found for found in first if not later[found.name]), waiting[0][0])
        yield head
        if later[head.name]:  # There is no such order.
            waiting = [deque(_without(head, order)) for order in waiting]
            later = _later(waiting)
        else:
            _take(head, waiting, later)
        waiting = [order for order in waiting if order]


def _without(head: Named, order: Iterable[Named]) -> Iterator[Named]:
    return (found for found in order if found.name != head.name)


def _take(head: Named, orders: Iterable[deque[Named]], later: Counter[str]) -> None:
    """Take a class, which stands behind no other one, off the beginning of all orders."""
    for order in orders:
        if order[0].name == head.name:
            order.popleft()
            later[order[0].name if order else ""] -= 1


def _later(orders: Iterable[deque[Named]]) -> Counter[str]:
    """Return how often each class stands behind another one."""
    return Counter(found.name for order in orders for found in islice(order, 1, None))
