"""Stamps of many places at once: what tells, without opening a file, that nothing changed.

A place's stamp are four numbers: size in bytes, time of its content and time of its entry in
nanoseconds, inode. What cannot be looked at has the error's number, below zero. A folder's stamp
changes with the names in it, a link's with what it leads to.
"""

from __future__ import annotations

import os
from itertools import islice
from struct import Struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Sequence
    from typing import Final

_FORM = Struct("<4q")

_MOST = (1 << 63) - 1
"""The greatest number that is kept; some file systems have greater inodes."""

_AT_ONCE = 256
"""So many places are compared before the next are looked at: most changes show early."""


def stamps(places: Iterable[str], root: int) -> bytes:
    """Return the stamps of places, 32 bytes each; relative ones count from an open folder."""
    return b"".join([_FORM.pack(*_stamp(place, root)) for place in places])


def are_as_before(places: Sequence[str], kept: bytes, root: int) -> bool:
    """Return whether all places have the stamps that are kept of them."""
    if len(kept) != _FORM.size * len(places):
        return False
    start = 0
    for several in _parts(iter(places)):
        end = start + _FORM.size * len(several)
        if stamps(several, root) != kept[start:end]:
            return False
        start = end
    return True


def changes(places: Sequence[str], kept: bytes, root: int, limit: int) -> list[int] | None:
    """Return which places have another stamp than is kept of them, by their numbers.

    None where there are more than a limit, or where the kept stamps are of other places.
    """
    if len(kept) != _FORM.size * len(places):
        return None
    found: list[int] = []
    for start in range(0, len(places), _AT_ONCE):
        several = places[start : start + _AT_ONCE]
        now = stamps(several, root)
        if now != kept[_FORM.size * start : _FORM.size * (start + len(several))]:
            found += [
                start + number
                for number in range(len(several))
                if stamp_at(now, number) != stamp_at(kept, start + number)
            ]
        if len(found) > limit:
            return None
    return found


def stamp_at(found: bytes, number: int) -> bytes:
    """Return the stamp of a place by its number."""
    return found[_FORM.size * number : _FORM.size * (number + 1)]


def with_others(found: bytes, numbers: Sequence[int], others: bytes) -> bytes:
    """Return stamps of which those by some numbers are others, in the order of the numbers."""
    parts = bytearray(found)
    for place, number in enumerate(numbers):
        parts[_FORM.size * number : _FORM.size * (number + 1)] = stamp_at(others, place)
    return bytes(parts)


UNSETTLED: Final = _FORM.pack(-_MOST, 0, 0, 0)
"""The stamp of a place that may change once more without a new one: no place has it."""


def with_unsettled(found: bytes, begun: int, repeatable: Container[int]) -> bytes | None:
    """Return stamps of which the unsettled ones are marked: those that are no older than a time.

    None where one of them is not among the `repeatable` places, by their numbers.
    """
    if latest(found) < begun:
        return found
    parts = [stamp_at(found, number) for number in range(len(found) // _FORM.size)]
    young = [number for number, stamp in enumerate(parts) if latest(stamp) >= begun]
    for number in young:
        if number not in repeatable:
            return None
        parts[number] = UNSETTLED
    return b"".join(parts)


def latest(found: bytes) -> int:
    """Return the latest time in some stamps, in nanoseconds; 0 where there is none."""
    times = (max(content, entry) for _, content, entry, _ in _FORM.iter_unpack(found))
    return max(times, default=0)


def _parts(places: Iterator[str]) -> Iterator[list[str]]:
    while several := list(islice(places, _AT_ONCE)):
        yield several


def _stamp(place: str, root: int) -> tuple[int, int, int, int]:
    try:
        status = os.stat(place, dir_fd=root)
    except (OSError, ValueError) as error:
        return -(getattr(error, "errno", None) or 1), 0, 0, 0
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino & _MOST
