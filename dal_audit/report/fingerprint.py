"""The line hash by which GitHub follows an alert from commit to commit.

It is the `primaryLocationLineHash` that github/codeql-action computes in `src/fingerprints.ts`
where a tool gives none. Giving the very same value keeps an alert's identity whoever uploads it.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import reduce
from itertools import accumulate
from typing import Final

WINDOW: Final = 100
"""How many UTF-16 units a hash covers, from its line's first on and over the lines that follow."""

_BASE: Final = 37
_MASK: Final = 2**64 - 1
_UNIT: Final = 2
"""The bytes of a UTF-16 unit."""
_REST: Final = array("H", [0xFFFF, *[0] * (WINDOW - 1)]).tobytes()
"""What stands behind a file."""


class LineHashes:
    """The hashes of a file's lines, each of them computed when it is asked for.

    A hash is hexadecimal without leading zeros, a colon, and how often it has occurred so far.
    Lines end at LF, CR and CR LF; a file that ends in a line end has one further, empty line.
    Blanks and tabs do not count. The time is linear in the file's size, whatever its lines are.
    """

    def __init__(self, data: bytes) -> None:
        """Find where the lines of the file begin, and which are like one above."""
        text = data.decode("utf-8", "replace")
        # Line ends come first: a CR and an LF with a blank between them are two line ends.
        text = text.replace("\r\n", "\n").replace("\r", "\n").replace(" ", "").replace("\t", "")
        # The codec writes in the machine's byte order, after a byte order mark of its own.
        self._units = text.encode("utf-16")[_UNIT:] + _REST
        self._starts = array("Q", _starts(text))
        seen: Counter[bytes] = Counter()
        self._counts = array("Q")
        for line in range(len(self._starts)):
            window = self._window(line)
            seen[window] += 1
            self._counts.append(seen[window])

    def __len__(self) -> int:
        """Return the number of lines."""
        return len(self._starts)

    def __iter__(self) -> Iterator[str]:
        """Yield the hashes of all lines."""
        return map(self.__getitem__, range(len(self)))

    def __getitem__(self, line: int) -> str:
        """Return the hash of a line, of the first one at 0; raises IndexError behind the last."""
        units = array("H", self._window(line))
        value = reduce(lambda so_far, unit: so_far * _BASE + unit & _MASK, units, 0)
        return f"{value:x}:{self._counts[line]}"

    def _window(self, line: int) -> bytes:
        """Return all that the hash of a line is made of: lines are alike where it is the same."""
        start = self._starts[line] * _UNIT
        return self._units[start : start + WINDOW * _UNIT]


def _starts(text: str) -> Iterable[int]:
    """Return where the lines of a text begin, in UTF-16 units."""
    lines = text.split("\n")
    # All but the last line, each with its end.
    return accumulate((length + 1 for length in _lengths(lines[:-1])), initial=0)


def _lengths(lines: list[str]) -> Iterator[int]:
    for line in lines:
        yield len(line) if line.isascii() else len(line.encode("utf-16-le")) // _UNIT
