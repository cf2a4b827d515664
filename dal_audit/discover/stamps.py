"""Stamps of many places at once: what tells, without opening a file, that nothing changed.

A place's stamp are four numbers: size in bytes, time of its content and time of its entry in
nanoseconds, inode. What cannot be looked at has the error's number, below zero. A folder's stamp
changes with the names in it, a link's with what it leads to.
"""

from __future__ import annotations

import os
import sys
from struct import Struct, pack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence
    from typing import Final

_FORM = Struct("=4q")

_MOST = (1 << 63) - 1
"""The greatest number that is kept; some file systems have greater inodes."""

_AT_ONCE = 256
"""So many places are compared at once: few of them changed."""

_PIPED = 1 << 20
"""So many bytes are read of a pipe at once."""

_WORTH_A_PROCESS = 8192
"""So many places are looked at by two processes: to fork one takes as long as 500 places."""


class Looked:
    """Places below a folder that were looked at, in their order, with the stamps that they had."""

    def __init__(self, root: str = "") -> None:
        """Begin with none; there is no folder where nothing will be looked at."""
        self.root = root
        self.places: Sequence[str] = ()
        self.stamps = b""

    def known(self, places: Sequence[str], kept: bytes) -> bytes:
        """Return the stamps of the first of some places, as far as they are the same ones.

        None are known where what is kept of them is cut.
        """
        if len(kept) != _FORM.size * len(places):
            return b""
        count = min(len(self.stamps) // _FORM.size, len(places))
        if list(self.places[:count]) != list(places[:count]):
            pairs = enumerate(zip(self.places, places, strict=False))
            count = next(number for number, (looked, asked) in pairs if looked != asked)
        return self.stamps[: _FORM.size * count]


def stamps(places: Iterable[str], root: int) -> bytes:
    """Return the stamps of places, 32 bytes each; relative ones count from an open folder."""
    numbers: list[int] = []
    for place in places:
        try:
            status = os.stat(place, dir_fd=root)
        except (OSError, ValueError) as error:
            numbers += (-(getattr(error, "errno", None) or 1), 0, 0, 0)
        else:
            times = status.st_mtime_ns, status.st_ctime_ns
            numbers += (status.st_size, *times, status.st_ino & _MOST)
    return pack(f"={len(numbers)}q", *numbers)


def are_as_before(places: Sequence[str], kept: bytes, root: int, looked: Looked) -> bool:
    """Return whether all places have the stamps that are kept of them.

    All are looked at, and noted: what is not as before is asked for next, place by place.
    """
    if len(kept) != _FORM.size * len(places):
        return False
    looked.places = places
    looked.stamps = _by_two(places, root)
    return looked.stamps == kept


def _by_two(places: Sequence[str], root: int) -> bytes:
    """Return the stamps of places, of many by two processes; fewer where the second one fails.

    Where none can be had, it is done by one.
    """
    half = len(places) // 2
    if half * 2 < _WORTH_A_PROCESS or not _may_fork():
        return stamps(places, root)
    try:
        process, reading, writing = _forked()
    except OSError:
        return stamps(places, root)
    if not process:
        try:
            found = memoryview(stamps(places[half:], root))
            while found:
                found = found[os.write(writing, found) :]
        finally:
            os._exit(0)  # Not sys.exit: what this process began is not the child's to end.
    os.close(writing)
    parts = [stamps(places[:half], root)]
    while parts[-1]:
        parts.append(os.read(reading, _PIPED))
    os.close(reading)
    os.waitpid(process, 0)
    return b"".join(parts)


def _forked() -> tuple[int, int, int]:
    """Fork, and return the process, 0 in the second one, and both ends of a pipe from it.

    Raises OSError where the system has no process or no pipe to give.
    """
    reading, writing = os.pipe()
    try:
        return os.fork(), reading, writing
    except OSError:
        os.close(reading)
        os.close(writing)
        raise


def _may_fork() -> bool:
    """Return whether a second process can help; macOS's system libraries forbid to fork."""
    is_possible = sys.platform == "linux" and len(os.sched_getaffinity(0)) > 1
    return is_possible and "threading" not in sys.modules


def changes(
    places: Sequence[str], kept: bytes, root: int, limit: int, looked: Looked
) -> list[int] | None:
    """Return which places have another stamp than is kept of them, by their numbers.

    None where there are more than a limit, or where the kept stamps are of other places. What was
    looked at just now is not looked at again.
    """
    if len(kept) != _FORM.size * len(places):
        return None
    if not looked.stamps and are_as_before(places, kept, root, looked):
        return []
    known = looked.known(places, kept)
    found: list[int] = []
    for start in range(0, len(places), _AT_ONCE):
        several = places[start : start + _AT_ONCE]
        part = slice(_FORM.size * start, _FORM.size * (start + len(several)))
        now = known[part] if len(known) >= part.stop else stamps(several, root)
        if now != kept[part]:
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


def with_others(found: bytes, numbers: Sequence[int], others: bytes = b"") -> bytes:
    """Return stamps of which those by some numbers are others, in the order of the numbers.

    Where no others are given, they are as old as can be.
    """
    parts = bytearray(found)
    for place, number in enumerate(numbers):
        other = stamp_at(others, place) or bytes(_FORM.size)
        parts[_FORM.size * number : _FORM.size * (number + 1)] = other
    return bytes(parts)


UNSETTLED: Final = _FORM.pack(-_MOST, 0, 0, 0)
"""The stamp of a place that may change once more without a new one: no place has it."""


def with_unsettled(
    found: bytes, begun: int, repeatable: Container[int], settled: Container[int] = ()
) -> bytes | None:
    """Return stamps of which the unsettled ones are marked: those that are no older than a time.

    None where one of them is not among the `repeatable` places, by their numbers. Some are
    `settled` whatever their time.
    """
    if latest(found) < begun:
        return found
    parts = [stamp_at(found, number) for number in range(len(found) // _FORM.size)]
    young = [number for number, stamp in enumerate(parts) if latest(stamp) >= begun]
    for number in young:
        if number in settled:
            continue
        if number not in repeatable:
            return None
        parts[number] = UNSETTLED
    return b"".join(parts)


def latest(found: bytes) -> int:
    """Return the latest time in some stamps, in nanoseconds; 0 where there is none."""
    if not found:
        return 0
    numbers = memoryview(found).cast("q")
    return max(*numbers[1::4], *numbers[2::4])
