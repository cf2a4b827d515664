"""The line hash by which GitHub follows an alert from commit to commit.

It is the `primaryLocationLineHash` that github/codeql-action computes in `src/fingerprints.ts`
where a tool gives none. Giving the very same value keeps an alert's identity whoever uploads it.
"""

from __future__ import annotations

from array import array
from collections import Counter
from itertools import accumulate
from typing import Final

WINDOW: Final = 100
"""How many UTF-16 units a hash covers, from its line's first on and over the lines that follow."""

_BASE: Final = 37
_MASK: Final = 2**64 - 1
_LEAVING: Final = pow(_BASE, WINDOW, 2**64)
_LINE_FEED: Final = 0x0A
_END_OF_FILE: Final = 0xFFFF


def line_hashes(data: bytes) -> list[str]:
    """Return the hash of each line of a file, the first line's at index 0.

    A hash is hexadecimal without leading zeros, a colon, and how often it has occurred so far.
    Lines end at LF, CR and CR LF; a file that ends in a line end has one further, empty line.
    Blanks and tabs do not count. The time is linear in the file's size, whatever its lines are.
    """
    units = _units(data)
    starts = [0, *(index for index, unit in enumerate(units, 1) if unit == _LINE_FEED)]
    units.extend([_END_OF_FILE, *[0] * (WINDOW - 1)])
    # Hashes of all beginnings of the file: the hash of any stretch is the difference of two.
    hashes = array(
        "Q", accumulate(units, lambda so_far, unit: so_far * _BASE + unit & _MASK, initial=0)
    )
    seen: Counter[int] = Counter()
    result = []
    for start in starts:
        value = (hashes[start + WINDOW] - hashes[start] * _LEAVING) & _MASK
        seen[value] += 1
        result.append(f"{value:x}:{seen[value]}")
    return result


def _units(data: bytes) -> array[int]:
    """Return the UTF-16 units that count, every line end as one LF."""
    text = data.decode("utf-8", "replace")
    # Line ends come first: a CR and an LF with a blank between them are two line ends.
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace(" ", "").replace("\t", "")
    units = array("H")
    # The codec writes in the machine's byte order, after a byte order mark of its own.
    units.frombytes(text.encode("utf-16")[2:])
    return units
