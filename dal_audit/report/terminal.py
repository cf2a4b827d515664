"""Text for terminals: colours, display widths, and the escaping of what could play tricks."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Final, Literal, TypeAlias

from msgspec import Struct

Style: TypeAlias = Literal["error", "warning", "info", "good", "strong", "faint", "frame"]

_CODES: Final[dict[Style, str]] = {
    "error": "1;31",
    "warning": "1;33",
    "info": "1;34",
    "good": "1;32",
    "strong": "1",
    "faint": "2",
    "frame": "1;34",
}
_UNSAFE: Final = (
    r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028\u2029\u202a-\u202e\u2060-\u2069\ufeff"
    r"\ud800-\udfff]"
)
"""Control characters, line ends of Unicode, what has no width, bidirectional overrides, undecodable
bytes."""

TAB_WIDTH: Final = 4

LEAST: Final = 20
"""Cells that lines of words have, however narrow a terminal is."""

ELLIPSIS: Final = "..."
"""Stands for what is cut off."""


class TerminalStyle(Struct, frozen=True):
    """What a report may count on where it is shown: by default on nothing, as in a file."""

    color: bool = False
    links: bool = False
    """Whether the terminal makes links of what OSC 8 marks."""
    columns: int = 0
    """The terminal's width in cells; 0 where there is none, and nothing is wrapped."""
    context: int = 0
    """Lines of source that are shown above and below what a finding is about."""
    folder: str = ""
    """The current folder, absolute, from which the links to files lead; empty for no such links."""


PLAIN: Final = TerminalStyle()
"""No terminal, or one of which nothing is known."""


class Paint:
    """Wraps text in ANSI colours and links, or leaves it plain."""

    def __init__(self, look: TerminalStyle) -> None:
        """Choose."""
        self.look = look

    def __call__(self, text: str, style: Style) -> str:
        """Return the text in a style."""
        return f"\x1b[{_CODES[style]}m{text}\x1b[0m" if self.look.color and text else text

    def link(self, text: str, address: str) -> str:
        """Return the text as a link to an address of our own."""
        return f"\x1b]8;;{address}\x1b\\{text}\x1b]8;;\x1b\\" if self.look.links else text


def safe(text: str) -> str:
    """Return text that a terminal shows and does not obey; a tab stays."""
    # Nearly all is printable, and of what is not to be shown, nothing is.
    return text if text.isprintable() else re.sub(_UNSAFE, _escape, text)


def visible(text: str) -> str:
    """Return safe text in which a tab is seen as one, too."""
    return safe(text).replace("\t", "\\t")


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    if 0xDC80 <= code <= 0xDCFF:  # noqa: PLR2004  # a byte kept by PEP 383's surrogateescape
        return f"\\x{code - 0xDC00:02x}"
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}"  # noqa: PLR2004


def width(text: str) -> int:
    """Return the number of terminal cells that text takes (Unicode Standard Annex 11).

    Marks and joiners take none: they change the letter that they follow.
    """
    return len(text) if text.isascii() else sum(map(_cells, text))


def _cells(char: str) -> int:
    if unicodedata.category(char) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(char) in {"W", "F"} else 1


def indented(text: str, columns: int, indent: str) -> Iterator[str]:
    """Yield a text's lines, all but the first behind an indent; one where no width is known."""
    room = max(columns - len(indent), LEAST) if columns else 0
    first, *rows = wrapped(text, room)
    yield first
    yield from (indent + row for row in rows)


def wrapped(text: str, columns: int) -> Iterator[str]:
    """Yield lines of at most so many cells, broken at blanks; a longer word has its own line.

    Without a width there is one line.
    """
    line = ""
    for word in text.split(" "):
        longer = f"{line} {word}" if line else word
        if line and columns and width(longer) > columns:
            yield line
            line = word
        else:
            line = longer
    yield line


def cut(text: str, room: int) -> str:
    """Return so much of a text as so many cells hold, with dots where it is more."""
    if width(text) <= room:
        return text
    kept = ""
    for char in text[: max(room - len(ELLIPSIS), 0)]:
        if width(kept + char) > room - len(ELLIPSIS):
            break
        kept += char
    return f"{kept}{ELLIPSIS}" if kept else ""


def expand(text: str) -> str:
    """Return a line as it is shown: tabs are fixed numbers of spaces, tricks are escaped."""
    return safe(text).replace("\t", " " * TAB_WIDTH)


def utf16_index(text: str, column: int) -> int:
    """Return the index in a line of a 1-based column in UTF-16 code units."""
    if text.isascii():
        return min(column - 1, len(text))
    before = text.encode("utf-16-le", "surrogatepass")[: 2 * (column - 1)]
    # Half of a letter counts as the whole one.
    return len(before.decode("utf-16-le", "surrogatepass"))
