"""Where passwords stand in a text: in URLs, behind names such as `PGPASSWORD`, in SQL.

Texts are searched as they are written, whatever their syntax: a password in a comment, or in a file
that cannot be parsed, is one as well. In a program what stands without quotes is code, so that a
password stands in quotes there, or is a part of a text in quotes (`host=db password=…`, `Pwd=…;`).
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Final

from dal_audit.extract.masks import HIDDEN, mask_of
from dal_audit.extract.passwords import is_placeholder, passwords
from dal_audit.extract.source import Lines, occurrences
from dal_audit.facts import Span

_PASS_MARKS: Final = ("passw", "passphrase", "pgpass", "_pass", "'pass'", '"pass"', "--pass")
_STEM: Final = "pass"
_SHORT: Final = "pwd"
_SCHEME_END: Final = "://"
_SQL_MARKS: Final = ("identified", "pragma", "attach")
"""A text that holds none of these, in lower case, holds no password that is known as one."""
_SQL_FOLLOWED: Final = re.compile(r"password[\s=(]|(?:identified|pragma)\s|attach\b")
"""What SQL that sets a password begins with, in lower case: `pragma: no cover` is none."""

_URL: Final = r"://(?=((?:(?!,[a-z][\w+]*:)[^\s\"'`<>]){1,500}))"
_DEFAULT: Final = r"\$\{\w{1,60}:?-([^}\s]+)\}"
_NAME: Final = r"(?:PASSWORD|PASSWD|PASSPHRASE|PGPASS|_PASS|_PWD)"
_NAMED: Final = (
    rf"(?:{_NAME}['\"]?\]?"
    r"(?:[ \t]*(?::(?!-)|[=,])[ \t]*|[ \t]*\n[ \t]*value[ \t]*:[ \t]*)"
    r"|--[\w-]{0,30}(?:PASSWORD|PASSWD|PASS)[ \t]+(?![-=]))"
    r"(?:&\S{1,60}[ \t]+)?(?:[|>][-+\d]{0,2}[ \t]*\n[ \t]*)?"
    r"(?:\"(?P<double>[^\"\n]*)\"|'(?P<single>[^'\n]*)'"
    r"|(?P<bare>[^\s\"'`#;&|,()\[\]{}<>!*][^\s\"'`#;&|,()\[\]{}<>]*))"
)
"""A name of a password with its value: in YAML (also a pair of `name` and `value`), in a shell, as
an option, in a literal."""

_LONGEST_NAME: Final = 60
"""How many letters stand before the mark of a password in a name, at the most."""
_OPENING: Final = re.compile(r"['\"]\w*\Z")
"""A name up to the mark of a password in it, behind the quote that opens it."""
_LONGEST_CALL: Final = 60
"""How many letters stand before the name of a variable, in a call that is handed it."""

_DOUBLE: Final = r"\\?\"(?P<double>(?:[^\"\\\s]|\\[^\"\s])+)\\?\""
_SINGLE: Final = r"\\?'(?P<single>(?:[^'\\\s]|\\[^'\s])+)\\?'"
_LITERAL: Final = (
    rf"(?:{_NAME}|['\"]PASS(?=['\"])|\bPWD)\\?['\"]?\]?"
    r"(?:[ \t]*:[ \t]*[\w.]{1,40}(?:[ \t]*\|[ \t]*None)?[ \t]*=|[ \t]*(?::=?|={1,2}))[ \t]*"
    rf"[bfru]{{0,2}}(?:{_DOUBLE}|{_SINGLE})"
)
"""A name of a password with a text, in a program: `password="…"`, also with an annotation."""

_CALL: Final = r"(?:getenv|setenv|putenv|setdefault|\bget|\bpop)\([ \t]*"
_ARGUMENT: Final = (
    rf"{_CALL}['\"]\w{{0,{_LONGEST_NAME}}}{_NAME}['\"][ \t]*,[ \t]*(?:{_DOUBLE}|{_SINGLE})"
)
"""A variable's name with its value, as an argument: `setenv("PGPASSWORD", "…")`."""

_PAIR: Final = (
    r"\b(?:PASSWORD|PWD)=(?![bfru]{0,2}[\\'\"]|:\w|[$@]\w+;|%[s(]|\?)"
    r"(?P<bare>[^\s;\"'&\\,()]+)(?=;|\\?[\"']|[ ]+\w+=)"
)
"""A password in the text of a connection: `host=db password=… dbname=app`, `Uid=app;Pwd=…;`; not a
placeholder of SQL (`SET password=:new;`)."""

_LINE: Final = r"^[ \t]*(?:PASSWORD|PWD)=(?P<bare>[^\s:;\"'&\\,()\[\]]+)[ \t]*$"
"""The same on a line of its own, in a text of several lines; elsewhere it is code."""

_LINE_MARKS: Final = ("password=", "pwd=")
"""What such a line holds, in lower case; both are found where a mark is."""

_TEXT: Final = (
    r"#[^\n]*|\"{3}(?:[^\\]|\\.)*?\"{3}|'{3}(?:[^\\]|\\.)*?'{3}"
    r"|\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\\n]|\\.)*'"
)
"""A comment or a literal of Python, or one of Rust as far as the two agree."""

_SQL: Final = (
    r"(?:\bPASSWORD(?:\s+|\s*=\s*|\s*\(\s*)"
    r"|\bIDENTIFIED\s+(?:WITH\s+\S{1,60}\s+)?(?:BY|AS)\s+(?:PASSWORD\s+)?"
    r"|\bPRAGMA\s+(?:\w{1,60}\.)?(?:hex)?(?:re)?key\s*(?:=\s*|\(\s*)"
    r"|\bATTACH\b[^;]{1,300}\bKEY\s+)"
    r"(?:[\"']\s*(?:\+\s*)?[bfru]{0,2}[\"](?='))?"
    r"(?:''(?P<nested>[^'\n]+)''"
    r"|E?\\?'(?P<single>(?:[^'\\]|''|\\[^'])+)\\?'|\\?\"(?P<double>[^\"\\\n]+)\\?\""
    r"|(?P<dollar>\$\w{0,20}\$)(?P<body>[^$]+)(?P=dollar))"
)
"""SQL that sets a password, or a key of a database."""

_REACH: Final = 2_000
"""Behind a mark so many letters are searched: a password, with what it stands in."""

_CUT_HOLE: Final = re.compile(r"\{(?:[^{}]*\[)?[bfru]{0,2}\Z", re.IGNORECASE)
"""A hole of an f-string up to a literal in it: `{settings[`."""

_NO_PASSWORD: Final = frozenset(
    {"false", "no", "off", "on", "required", "true", "yes", "varchar", "text", "str", "null"}
)
_FOLDER: Final = ("/", "./", "~", "../")
"""How a value begins that is a folder: `PWD` is a shell's name of the current one."""


def secret_spans(text: str, *, is_program: bool = False) -> tuple[Span, ...]:
    """Return where passwords stand in a text, in its order."""
    found = _places_in(text, is_program=is_program)
    if not found:
        return ()
    lines = Lines(text)
    return tuple(lines.span(start, end) for start, end in found)


def without_secrets(text: str, *, is_program: bool = False) -> str:
    """Return a short text, as a message holds it, with a star for each character of a password."""
    for start, end in _places_in(text, is_program=is_program):
        text = text[:start] + "*" * (end - start) + text[end:]
    return text.replace(HIDDEN, "*")


def text_for_facts(text: str, *, is_program: bool) -> str:
    """Return a file's text with its passwords hidden, so that no fact that is kept holds one.

    Places stay. What is hidden is still known for a password in a program; in a file of settings
    it is a word or a number there, so that the file is read as before.
    """
    found = _places_in(text, is_program=is_program)
    if is_program:  # What is code must stay what it is.
        found = list(_in_texts(text, found))
    if not found:
        return text
    pieces = []
    last = 0
    for start, end in found:
        pieces += [text[last:start], mask_of(text[start:end], is_program=is_program)]
        last = end
    return "".join((*pieces, text[last:]))


class _Marks:
    """Where a text in lower case holds what no password is known without.

    Few texts hold any. It is searched for as few words as will do: a search takes longer than what
    is done with all that it finds.
    """

    def __init__(self, plain: str) -> None:
        """Search the text."""
        passes = list(occurrences(plain, (_STEM,)))
        self.names = sorted((*_pass_marks(plain, passes), *occurrences(plain, (_SHORT,))))
        """Where what passwords are called begins, by one of its marks."""
        self.urls = _SCHEME_END in plain
        """Whether there is a URL."""
        of_sql = [place for place in passes if plain.startswith("password", place)]
        self.sql = sorted((*of_sql, *occurrences(plain, _SQL_MARKS)))
        """Where SQL may begin that sets one."""
        self.own_sql = len(self.sql) > len(of_sql)
        """Whether it says so in a word that names no password."""


def _pass_marks(plain: str, passes: Iterable[int]) -> Iterator[int]:
    """Yield where marks begin that hold `pass`; in a program it is a statement, too."""
    for place in passes:
        for mark in _PASS_MARKS:
            start = place - mark.index(_STEM)
            if start >= 0 and plain.startswith(mark, start):
                yield start


def _places_in(text: str, *, is_program: bool) -> list[tuple[int, int]]:
    """Return where passwords begin and end, in order; what overlaps is one place."""
    plain = text.lower()
    marks = _Marks(plain)
    if not (marks.names or marks.urls or (is_program and marks.own_sql)):
        return []
    joined: list[tuple[int, int]] = []
    for start, end in sorted(set(_secrets(text, plain, marks, is_program=is_program))):
        if joined and start < joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((start, end))
    return joined


def _secrets(
    text: str, plain: str, marks: _Marks, *, is_program: bool
) -> Iterator[tuple[int, int]]:
    """Yield where passwords begin and end; `plain` is the text in lower case."""
    for url in _compiled(_URL).finditer(text) if marks.urls else ():
        for before, password, after in passwords(url[1]):
            yield from _places(url[1], before, password, after, url.start(1))
    for named in _named(text, plain, marks, is_program=is_program):
        group = str(named.lastgroup)
        if not _is_no_password(named[group].strip(), is_program=is_program):
            yield named.span(group)
    if is_program and any(plain.startswith(_LINE_MARKS, mark) for mark in marks.names):
        yield from _lines_in_texts(text, plain)
    for default in _compiled(_DEFAULT).finditer(text) if "${" in text else ():
        if _is_of_password(text, default) and not is_placeholder(default[1], ""):
            yield default.span(1)


def _named(text: str, plain: str, marks: _Marks, *, is_program: bool) -> Iterator[re.Match[str]]:
    """Yield values by the names before them, and SQL that sets a password.

    Only what stands around the marks is looked at: to search the whole takes longer than to read
    it as Python.
    """
    if len(plain) != len(text):  # A few letters are several in lower case: places would differ.
        by_name = (_LITERAL, _ARGUMENT, _PAIR) if is_program else (_NAMED,)
        yield from (
            found for pattern in (*by_name, _SQL) for found in _compiled(pattern).finditer(text)
        )
        return
    names = marks.names
    if is_program:
        starts = sorted({*names, *(mark - 1 for mark in names if plain.startswith(_SHORT, mark))})
        yield from _beginning(_LITERAL, text, starts)
        yield from _beginning(_PAIR, text, names)
        yield from _beginning(_ARGUMENT, text, _calls(text, names))
    else:
        for start, end in _stretches(plain, names):
            yield from _compiled(_NAMED).finditer(text, start, end)
    yield from _beginning(_SQL, text, (at for at in marks.sql if _SQL_FOLLOWED.match(plain, at)))


def _beginning(pattern: str, text: str, starts: Iterable[int]) -> Iterator[re.Match[str]]:
    """Yield the matches that begin at some places, in order, but for those in the one before."""
    end = 0
    for start in starts:
        found = _compiled(pattern).match(text, start, start + _REACH) if start >= end else None
        if found:
            yield found
            end = found.end()


def _calls(text: str, marks: Iterable[int]) -> Iterator[int]:
    """Yield where calls begin that are handed a name in quotes with a mark of passwords in it."""
    for mark in marks:
        quoted = _OPENING.search(text, max(mark - _LONGEST_NAME - 1, 0), mark)
        if quoted is None:
            continue
        quote = quoted.start()
        call = _compiled(rf"{_CALL}\Z").search(text, max(quote - _LONGEST_CALL, 0), quote)
        if call:
            yield call.start()


def _stretches(plain: str, marks: Iterable[int]) -> list[tuple[int, int]]:
    """Return what stands around marks: the line up to each, and what may follow it."""
    found: list[tuple[int, int]] = []
    for position in marks:
        start = plain.rfind("\n", 0, position) + 1
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], position + _REACH
        else:
            found.append((start, position + _REACH))
    return found


def _in_texts(text: str, places: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield the places in a program that lie in a literal or a comment.

    For most their own line tells; where it does not, it may be one of a longer text.
    """
    texts: list[tuple[int, int]] | None = None
    for start, end in places:
        if _is_in_text(text, start, end):
            yield start, end
            continue
        if texts is None:
            texts = _texts(text)
        if _is_within(texts, start, end):
            yield start, end


def _texts(text: str) -> list[tuple[int, int]]:
    """Return where a program's literals and comments begin and end."""
    return [found.span() for found in re.finditer(_TEXT, text, re.DOTALL)]


def _is_within(texts: list[tuple[int, int]], start: int, end: int) -> bool:
    index = bisect_right(texts, (start, end)) - 1
    return index >= 0 and end <= texts[index][1]


def _lines_in_texts(text: str, plain: str) -> Iterator[tuple[int, int]]:
    """Yield the passwords that stand on lines of their own in a text of several lines."""
    found = [line.span("bare") for line in _lines(text, plain)]
    texts = _texts(text) if found else []
    for start, end in found:
        if _is_within(texts, start, end) and not _is_no_password(text[start:end], is_program=True):
            yield start, end


def _lines(text: str, plain: str) -> Iterator[re.Match[str]]:
    """Yield the lines of a text that hold nothing but a password with its name."""
    line = _compiled(_LINE)
    if len(plain) != len(text):
        yield from line.finditer(text)
        return
    for mark in occurrences(plain, _LINE_MARKS):
        found = line.match(text, plain.rfind("\n", 0, mark) + 1)
        if found:
            yield found


def _is_in_text(text: str, start: int, end: int) -> bool:
    """Return whether the line of a place in a program tells that it is no code.

    A quote that opens a text stands before it, it is a part of a URL, or its line opens a text
    before it.
    """
    before = text[start - 1 : start]
    if before == "$" or text[end : end + 1] == "@" or text[start - 2 : start - 1] == "\\":
        return True
    line = text[text.rfind("\n", 0, start) + 1 : start]
    if before in {"'", '"'}:
        return _open_quote(line[:-1]) != before
    return bool(_open_quote(line))


def _open_quote(line: str) -> str:
    """Return in which quote, or behind which mark of a comment, a line ends; else nothing."""
    quote = ""
    escaped = False
    for index, letter in enumerate(line):
        if escaped:
            escaped = False
        elif letter == "\\":
            escaped = True
        elif quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"":
            quote = letter
        elif letter == "#" or line.startswith("--", index):
            return letter
    return quote


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """Return a pattern compiled: that takes longer than most files, and few need it."""
    return re.compile(pattern, re.IGNORECASE | re.MULTILINE)


def _is_no_password(value: str, *, is_program: bool) -> bool:
    """Return whether what stands where a password would is none."""
    if value.lower() in _NO_PASSWORD or value.startswith(_FOLDER) or is_placeholder(value, ""):
        return True
    # An f-string's is known when it runs; a literal in it may end what was taken for the password.
    is_made = "{" in value and ("}" in value or _CUT_HOLE.search(value) is not None)
    return is_program and is_made


def _places(
    rest: str, before: str, password: str, after: str, offset: int
) -> Iterator[tuple[int, int]]:
    start = 0
    while (start := rest.find(before + password + after, start)) >= 0:
        start += len(before)
        yield offset + start, offset + start + len(password)
    # The same word once more in a URL would tell it.
    if len(password) >= LONG:
        yield from (
            (offset + found.start(), offset + found.end())
            for found in re.finditer(re.escape(password), rest)
        )


LONG: Final = 8
"""A word of so many letters stands twice in one URL for the same reason."""


def _is_of_password(text: str, default: re.Match[str]) -> bool:
    """Return whether a shell's default is that of a password: by its name, or by its place."""
    name = default[0].partition("-")[0].upper()
    return "PASS" in name or "PWD" in name or text[default.end() : default.end() + 1] == "@"
