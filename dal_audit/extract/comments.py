"""Suppressions: `# dal-audit: allow[rule] reason` and `# dal-audit: allow-file[rule] reason`.

The form is the same in every language; only what a comment begins with differs.
"""

from __future__ import annotations

import io
import re
import sys
import tokenize
from collections.abc import Iterator
from typing import Final

from dal_audit.extract.source import Lines
from dal_audit.facts import SuppressedRule, Suppression

_MARK: Final = re.compile(r"#\s*dal-audit:")
_FORM: Final = re.compile(r"\s*(allow|allow-file)\s*\[([^\]]*)\]\s*(.*)", re.DOTALL)
_IS_FORMATTED: Final = re.compile(r"[rR]?[fF]")
_RULE: Final = re.compile(r"[^,\s][^,]*")
_LAYOUT: Final = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENCODING,
    tokenize.ENDMARKER,
}


def suppressions(lines: Lines) -> Iterator[Suppression]:
    """Yield the suppressions among a module's comments.

    The tokenizer tells comments from strings. Where it gives up (a file that does not parse), what
    it had seen by then counts.
    """
    waiting: list[tuple[int, int, str]] = []
    open_braces = 0
    first_code: int | None = None
    try:
        for token in tokenize.generate_tokens(io.StringIO(lines.text, newline=None).readline):
            row, column = token.start
            open_braces = _open_braces(token, open_braces)
            if token.type == tokenize.COMMENT and open_braces:
                continue
            if token.type == tokenize.COMMENT and _MARK.search(token.string):
                if token.line[:column].strip():
                    yield _read(lines, row, column, token.string, row, first_code)
                else:
                    waiting.append((row, column, token.string))
            elif token.type not in _LAYOUT:
                first_code = first_code or row
                for own_row, own_column, text in waiting:
                    yield _read(lines, own_row, own_column, text, row, first_code)
                waiting.clear()
    except (tokenize.TokenError, SyntaxError, IndentationError):
        pass
    for own_row, own_column, text in waiting:
        yield _read(lines, own_row, own_column, text, own_row, first_code)


def _open_braces(token: tokenize.TokenInfo, before: int) -> int:
    """Return how many braces of an f-string are open after a token.

    Before Python 3.12 the tokenizer cuts an f-string at the first quote in it, and takes what
    follows for code or for a comment.
    """
    if sys.version_info >= (3, 12) or token.type == tokenize.NEWLINE:
        return 0
    text = token.string
    if token.type != tokenize.STRING or not (before or _IS_FORMATTED.match(text)):
        return before
    text = text.replace("{{", "").replace("}}", "")
    return max(0, before + text.count("{") - text.count("}"))


def _read(
    lines: Lines, row: int, column: int, comment: str, line: int, first_code: int | None
) -> Suppression:
    begin = lines.starts[row - 1] + column
    mark = _MARK.search(comment)
    start = mark.start() if mark else 0
    after = mark.end() if mark else 0
    is_late = first_code is not None and row >= first_code
    return read_suppression(
        lines, (begin + start, begin + after), comment[after:], line, is_late=is_late
    )


def read_suppression(
    lines: Lines, mark: tuple[int, int], text: str, line: int, *, is_late: bool
) -> Suppression:
    """Return the suppression that a comment is; `text` is what follows its mark.

    `mark` are the indexes of where the mark begins and ends, `line` is the line of code that the
    comment is about, and `is_late` says that code stands before it.
    """
    offset = mark[1]
    span = lines.span(mark[0], offset + len(text.rstrip()))
    form = _FORM.match(text)
    if form is None:
        flaw = (
            "it must read `dal-audit: allow[rule] reason` or `dal-audit: allow-file[rule] reason`"
        )
        return Suppression(span, line, (), "", flaw)
    rules = tuple(
        SuppressedRule(
            lines.span(offset + form.start(2) + one.start(), offset + form.start(2) + one.end()),
            one[0].strip(),
        )
        for one in _RULE.finditer(form[2].rstrip())
    )
    whole_file = form[1] == "allow-file"
    reason = form[3].strip()
    flaw = ""
    if not rules:
        flaw = "it names no rule"
    elif not reason:
        flaw = "it gives no reason"
    elif whole_file and is_late:
        flaw = "`allow-file` must stand before the first statement"
    return Suppression(span, None if whole_file else line, rules, reason, flaw)
