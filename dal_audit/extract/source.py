"""From bytes to text: the decoding of source, and places in it.

Decoding of Python follows PEP 263 and the language reference, "Encoding declarations": a UTF-8 byte
order mark, else a coding cookie in the first two lines, else UTF-8.
"""

from __future__ import annotations

import codecs
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import accumulate
from typing import Final

from dal_audit.facts import NotUnderstood, Span

_HEAD: Final = re.compile(rb"[^\r\n]*(?:\r\n|\r|\n)?[^\r\n]*")
_COOKIE: Final = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)", re.ASCII)
_BLANK: Final = re.compile(rb"^[ \t\f]*(?:#.*)?$")
_LINE_END: Final = re.compile(r"\r\n|\r|\n")

ASCII_SUPERSETS: Final = frozenset(
    [
        "ascii",
        "utf-8",
        "utf-8-sig",
        "iso8859-1",
        "iso8859-2",
        "iso8859-15",
        "cp1251",
        "cp1252",
        "koi8-r",
        "gbk",
        "gb2312",
        "big5",
        "euc-jp",
        "euc-kr",
        "shift_jis",
    ]
)
"""Encodings in which a byte search for ASCII text finds whatever the decoded text holds."""


class UndecodableError(ValueError):
    """The bytes are not text in the encoding that they declare; `offset` is the first bad byte."""

    def __init__(self, message: str, offset: int = 0) -> None:
        """Keep the message and the offset."""
        super().__init__(message)
        self.offset = offset


def declared_encoding(data: bytes) -> str:
    """Return the normalised name of the encoding that Python would read `data` in.

    Raises UndecodableError for an encoding that Python does not know, or one that contradicts a
    byte order mark.
    """
    marked = data.startswith(codecs.BOM_UTF8)
    name = _cookie(data[3:] if marked else data)
    if name is None:
        return "utf-8"
    try:
        codec = codecs.lookup(name)
        "".encode(name)
    except (LookupError, UnicodeError) as error:
        raise UndecodableError(f"unknown encoding `{name}`") from error
    if marked and codec.name != "utf-8":
        raise UndecodableError(f"a UTF-8 byte order mark, but the encoding `{name}` is declared")
    return codec.name


def _cookie(data: bytes) -> str | None:
    head = _HEAD.match(data)
    if head is None or b"coding" not in head[0]:
        return None
    for line in re.split(rb"\r\n|\r|\n", head[0]):
        found = _COOKIE.match(line)
        if found:
            return _normal(found[1].decode("ascii").lower().replace("_", "-"))
        if not _BLANK.match(line):
            return None
    return None


def _normal(name: str) -> str:
    """Take the end off Emacs's names (`utf-8-unix`, `latin-1-dos`), as CPython's tokenizer does."""
    if name.startswith("utf-8-"):
        return "utf-8"
    if name.startswith(("latin-1-", "iso-8859-1-", "iso-latin-1-")):
        return "iso-8859-1"
    return name


def decode(data: bytes) -> str:
    """Return the text of Python source, without its byte order mark.

    Raises UndecodableError where Python would not read the file either.
    """
    encoding = declared_encoding(data)
    start = len(codecs.BOM_UTF8) if data.startswith(codecs.BOM_UTF8) else 0
    if not start and data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise UndecodableError("UTF-16, which Python does not read")
    try:
        text = data[start:].decode(encoding)
    except UnicodeDecodeError as error:
        detail = f"byte 0x{error.object[error.start]:02x} is not {encoding}"
        raise UndecodableError(detail, start + error.start) from error
    except (UnicodeError, ValueError) as error:
        raise UndecodableError(f"not {encoding}: {error}") from error
    if encoding not in {"utf-8", "ascii"}:
        _refuse_surrogates(text, encoding)
    if "\0" in text:
        offset = data.find(b"\0")
        raise UndecodableError("a NUL byte, which Python does not read", max(offset, 0))
    return text


def decode_script(data: bytes) -> str:
    """Return the text of an SQL file, without its byte order mark.

    Both engines' clients read UTF-8. Raises UndecodableError for anything else.
    """
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise UndecodableError("UTF-16, which neither psql nor sqlite3 reads")
    start = len(codecs.BOM_UTF8) if data.startswith(codecs.BOM_UTF8) else 0
    try:
        return data[start:].decode("utf-8")
    except UnicodeDecodeError as error:
        detail = f"byte 0x{error.object[error.start]:02x} is not utf-8"
        raise UndecodableError(detail, start + error.start) from error


def _refuse_surrogates(text: str, encoding: str) -> None:
    """Raise for text that no file could hold, as `unicode_escape` and `utf-7` can make it."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise UndecodableError(f"not {encoding}: it decodes to lone surrogates") from error


def place_in_bytes(data: bytes, offset: int) -> Span:
    """Return the place of one byte; what stands before it on its line counts one column a byte."""
    before = data[:offset]
    line = 1 + sum(1 for _ in re.finditer(rb"\r\n|\r|\n", before))
    start = max(before.rfind(b"\n"), before.rfind(b"\r")) + 1
    column = offset - start + 1
    return Span(line, column, line, column + 1)


def not_decoded(data: bytes, error: UndecodableError) -> NotUnderstood:
    """Return the fact that bytes are no text, at the first bad one."""
    return NotUnderstood(place_in_bytes(data, error.offset), "undecodable", str(error))


def occurrences(text: str, words: Iterable[str]) -> Iterator[int]:
    """Yield where a text holds some words: a pattern of all of them takes ten times as long."""
    for word in words:
        position = text.find(word)
        while position >= 0:
            yield position
            position = text.find(word, position + 1)


def spells_plainly(text: str) -> bool:
    """Return whether all identifiers in a text are spelled as Python compares them: in NFKC."""
    if text.isascii():
        return True
    import unicodedata  # few texts hold other letters

    return unicodedata.is_normalized("NFKC", text)


def line_starts(text: str) -> list[int]:
    """Return where the lines of a text begin, which end at LF, CR and CR LF."""
    if "\r" in text:
        return [0, *(end.end() for end in _LINE_END.finditer(text))]
    lengths = [len(line) + 1 for line in text.split("\n")]
    lengths.pop()  # No line end follows the last one.
    return [*accumulate(lengths, initial=0)]


class Lines:
    """The lines of a text, and the ways in which parsers count columns."""

    def __init__(self, text: str) -> None:
        """Split the text where Python does: at LF, CR and CR LF."""
        self.text = text
        self.starts = line_starts(text)
        self.ascii = text.isascii()

    def __len__(self) -> int:
        """Return the number of lines; a text that ends in a line end has an empty last one."""
        return len(self.starts)

    def line(self, number: int) -> str:
        """Return a line by its 1-based number, with its end; empty beyond the last."""
        if not 1 <= number <= len(self.starts):
            return ""
        end = self.starts[number] if number < len(self.starts) else len(self.text)
        return self.text[self.starts[number - 1] : end]

    def offset(self, line: int, utf8: int) -> int:
        """Return the index in the text of a 1-based line and a 0-based UTF-8 byte column."""
        start = self.starts[line - 1]
        if self.ascii:
            return start + utf8
        return start + len(self.line(line).encode("utf-8")[:utf8].decode("utf-8", "ignore"))

    def line_of(self, index: int) -> int:
        """Return the 1-based line that an index in the text lies on."""
        return bisect_right(self.starts, index)

    def column(self, line: int, index: int) -> int:
        """Return the 1-based UTF-16 column of an index in the text."""
        start = self.starts[line - 1]
        if self.ascii:
            return index - start + 1
        before = self.text[start:index]
        return 1 + (len(before) if before.isascii() else len(before.encode("utf-16-le")) // 2)

    def index(self, line: int, column: int) -> int:
        """Return the index in the text of a 1-based UTF-16 column of a line."""
        start = self.starts[line - 1]
        if self.ascii:
            return start + column - 1
        before = self.line(line).encode("utf-16-le", "surrogatepass")[: 2 * (column - 1)]
        return start + len(before.decode("utf-16-le", "ignore"))

    def span(self, start: int, end: int) -> Span:
        """Return the span from one index in the text to another, the end exclusive."""
        first, last = self.line_of(start), self.line_of(end)
        return Span(first, self.column(first, start), last, self.column(last, end))
