"""Suppressions: `# dal-audit: allow[rule] reason` and `# dal-audit: allow-file[rule] reason`."""

from __future__ import annotations

import io
import re
import sys
import tokenize
from collections.abc import Iterator
from typing import Final

from dal_audit.extract.source import Lines
from dal_audit.facts import AllowedRule, Span, Suppression

MARK: Final = re.compile(r"#\s*dal-audit:")
SQL_MARK: Final = re.compile(r"--\s*dal-audit:")
"""How a comment of SQL begins that is a suppression."""

RUST_MARK: Final = re.compile(r"//\s*dal-audit:")
"""How a comment of Rust begins that is one."""

_FORM: Final = re.compile(
    r"(?:#|--|//)\s*dal-audit:\s*(allow|allow-file)\s*\[([^\]]*)\]\s*(.*)", re.DOTALL
)
_FURTHER: Final = re.compile(r"(?<=\s)#\s*[A-Za-z]")
"""Another comment behind the reason, which some other tool may read: `# noqa`, `# type: …`."""

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
    first_code: int | None = None
    for token in _tokens(lines.text):
        row, column = token.start
        if token.type == tokenize.COMMENT and MARK.search(token.string):
            if token.line[:column].strip():
                yield _read(lines, row, column, token.string, row, first_code)
            else:
                waiting.append((row, column, token.string))
        elif token.type not in _LAYOUT:
            first_code = first_code or row
            for own_row, own_column, text in waiting:
                yield _read(lines, own_row, own_column, text, row, first_code)
            waiting.clear()
    for own_row, own_column, text in waiting:
        yield _read(lines, own_row, own_column, text, own_row, first_code)


def _tokens(text: str) -> Iterator[tokenize.TokenInfo]:
    """Yield the tokens of a text as far as they can be read, without comments in f-strings."""
    open_braces = 0
    try:
        for token in tokenize.generate_tokens(io.StringIO(text, newline=None).readline):
            open_braces = _open_braces(token, open_braces)
            if token.type != tokenize.COMMENT or not open_braces:
                yield token
    except (tokenize.TokenError, SyntaxError, IndentationError):
        return


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
    mark = MARK.search(comment)
    return read_suppression(lines, lines.starts[row - 1] + column, comment, mark, line, first_code)


def read_suppression(
    lines: Lines,
    begin: int,
    comment: str,
    mark: re.Match[str] | None,
    line: int,
    first_code: int | None,
) -> Suppression:
    """Return the suppression that a comment is, which begins at an offset of the text.

    `mark` is what was found of its beginning in the comment, `line` the line of code that it is
    about, and `first_code` the first line of code in the file.
    """
    row = lines.line_of(begin)
    offset = begin + (mark.start() if mark else 0)
    text = comment[mark.start() :] if mark else comment
    span = lines.span(offset, begin + len(comment.rstrip()))
    form = _FORM.match(text)
    if form is None:
        flaw = (
            "it must read `dal-audit: allow[rule] reason` or `dal-audit: allow-file[rule] reason`"
        )
        return Suppression(span, line, (), "", flaw)
    further = _FURTHER.search(text, form.start(3))
    end = offset + further.start() if further else begin + len(comment)
    rules = tuple(_rules(lines, offset + form.start(2), form[2]))
    whole_file = form[1] == "allow-file"
    reason = form[3].strip()
    flaw = _flaw(rules, reason)
    if not flaw and whole_file and first_code is not None and row >= first_code:
        flaw = "`allow-file` must stand before the first statement"
    whole = _taken_out(lines, offset, end)
    return Suppression(span, None if whole_file else line, rules, reason, flaw, whole)


def _rules(lines: Lines, start: int, listed: str) -> Iterator[AllowedRule]:
    """Yield the rules in a list that begins at an offset of the text."""
    for rule in _RULE.finditer(listed.rstrip()):
        first = start + rule.start()
        yield AllowedRule(lines.span(first, first + len(rule[0].rstrip())), rule[0].strip())


def _flaw(rules: tuple[AllowedRule, ...], reason: str) -> str:
    """Return what a suppression lacks; empty where it lacks nothing."""
    if not rules:
        return "it names no rule"
    return "" if reason else "it gives no reason"


def _taken_out(lines: Lines, start: int, end: int) -> Span:
    """Return what goes with a comment: the space before it, or its line if that holds no more.

    The last line takes the end of the line before it along, so that a text which ends in no line
    end still does not.
    """
    number = lines.line_of(start)
    line, begin = lines.line(number), lines.starts[number - 1]
    content = begin + len(line.rstrip("\r\n"))
    if end < content:
        return lines.span(start, end)
    before = line[: start - begin].rstrip(" \t\f")
    if before:
        return lines.span(begin + len(before), end)
    if content == begin + len(line) and number > 1:
        previous = lines.line(number - 1)
        return lines.span(begin - len(previous) + len(previous.rstrip("\r\n")), end)
    return lines.span(begin, begin + len(line))
