"""Where the statements of a module begin and end in its text, without a tree of it.

A logical line is a simple statement or several with semicolons between them, the head of a compound
one, or a decorator (language reference, "Lexical analysis"). Blank lines and comments that follow
it are its own only where they are asked for: a type comment may stand there.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from typing import Final

from dal_audit.extract.source import Lines
from dal_audit.facts import Span

TOKEN: Final = re.compile(
    r"[^\"'#\\()\[\]{}\r\n]*(?:"  # Taken as one, what is no token is passed over twice as fast.
    r"\"{3}(?s:[^\\]|\\.)*?\"{3}|'{3}(?s:[^\\]|\\.)*?'{3}"
    r"|\"(?:[^\"\\\r\n]|\\(?:\r\n|(?s:.)))*\"|'(?:[^'\\\r\n]|\\(?:\r\n|(?s:.)))*'"
    r"|\#[^\r\n]*|\\(?:\r\n|\r|\n)"
    r"|(?P<open>[(\[{])|(?P<close>[)\]}])|(?P<end>\r\n|\r|\n))"
)
"""What opens or closes a bracket or ends a line, with all that stands before it; or a text, a
comment, a line that goes on."""
_FIRST: Final = re.compile(r"[ \t\f]*(?=[^\s#])")


class LogicalLines:
    """Tells which logical line a place lies in."""

    def __init__(self, lines: Lines) -> None:
        """Take the module's text."""
        self.lines = lines
        self._starts: list[int] = []
        self._further = _starts_in(lines.text)

    def starts(self, index: int) -> list[int]:
        """Return where logical lines begin, behind their indentation, up to one behind an index.

        More are not looked for, but may be known.
        """
        if not self._starts or self._starts[-1] <= index:
            for start in self._further:
                self._starts.append(start)
                if start > index:
                    break
        return self._starts

    def around(self, start: int, stop: int) -> tuple[int, int]:
        """Return where the logical line around a stretch begins and ends.

        What only follows it belongs to it where the stretch lies there, as a type comment may.
        """
        starts = self.starts(start)
        index = bisect_right(starts, start) - 1
        if index < 0:
            return 0, len(self.lines.text)
        begun = starts[index]
        after = starts[index + 1 : index + 2]
        end = self.lines.starts[self.lines.line_of(after[0]) - 1] if after else len(self.lines.text)
        shown = begun + len(_without_comments(self.lines.text[begun:end]))
        return begun, shown if stop <= shown else end

    def span(self, start: int) -> Span:
        """Return the span of the logical line around an index, without what only follows it."""
        return self.lines.span(*self.around(start, 0))


def _starts_in(text: str) -> Iterator[int]:
    """Yield where the logical lines of a text begin, behind their indentation."""
    first = _FIRST.match(text)
    if first:
        yield first.end()
    depth = 0
    for token in TOKEN.finditer(text):
        if token.lastgroup == "open":
            depth += 1
        elif token.lastgroup == "close":
            depth = max(0, depth - 1)
        elif token.lastgroup == "end" and not depth:
            first = _FIRST.match(text, token.end())
            if first:
                yield first.end()


def _without_comments(text: str) -> str:
    """Return a text without the lines at its end that hold a comment, or nothing."""
    shown = text.rstrip()
    while "\n" in shown and shown.rpartition("\n")[2].lstrip().startswith("#"):
        shown = shown.rpartition("\n")[0].rstrip()
    return shown
