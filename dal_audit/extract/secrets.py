"""Passwords in the files of CI and of tests: in URLs, and behind names such as `PGPASSWORD`.

Texts are searched as they are written, whatever their syntax: a password in a comment, or in a file
that cannot be parsed, is one as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from dal_audit.extract.passwords import is_placeholder, passwords
from dal_audit.extract.source import Lines
from dal_audit.facts import Span

_URL: Final = re.compile(r"://(?=((?:(?!,[a-z][\w+]*:)[^\s\"'`<>]){1,500}))")
_DEFAULT: Final = re.compile(r"\$\{\w{1,60}:?-([^}\s]+)\}")
_NAMED: Final = re.compile(
    r"(?:PASSWORD|PASSWD|PASSPHRASE|PGPASS|_PASS|_PWD)['\"]?\]?"
    r"(?:[ \t]*(?::(?!-)|[=,])[ \t]*|[ \t]+(?=[^\s=])|[ \t]*\n[ \t]*value[ \t]*:[ \t]*)"
    r"(?:&\S{1,60}[ \t]+)?(?:[|>][-+\d]{0,2}[ \t]*\n[ \t]*)?"
    r"(?:\"(?P<double>[^\"\n]*)\"|'(?P<single>[^'\n]*)'|(?P<bare>[^\s\"'`#;&|,()\[\]{}<>]+))",
    re.IGNORECASE,
)
"""A name of a password with its value: in YAML (also a pair of `name` and `value`), in a shell, as
an option, in a literal."""

_LITERAL: Final = re.compile(
    r"(?:PASSWORD|PASSWD|PASSPHRASE|PGPASS|_PASS|_PWD)['\"]?\]?[ \t]*[:=,][ \t]*"
    r"(?:\"(?P<double>[^\"\s]+)\"|'(?P<single>[^'\s]+)')",
    re.IGNORECASE,
)
"""The same in a program, where what stands without quotes is code."""

_NO_PASSWORD: Final = frozenset({"false", "no", "off", "on", "required", "true", "yes"})


def secret_spans(text: str, *, is_program: bool = False) -> tuple[Span, ...]:
    """Return where passwords stand in a text, in its order."""
    found = sorted(set(_secrets(text, is_program=is_program)))
    if not found:
        return ()
    lines = Lines(text)
    return tuple(lines.span(start, end) for start, end in found)


def without_secrets(text: str) -> str:
    """Return a short text, as a message holds it, with a star for each character of a password."""
    for start, end in set(_secrets(text, is_program=False)):
        text = text[:start] + "*" * (end - start) + text[end:]
    return text


def _secrets(text: str, *, is_program: bool) -> Iterator[tuple[int, int]]:
    """Yield where passwords begin and end."""
    for url in _URL.finditer(text):
        for before, password, after in passwords(url[1]):
            yield from _places(url[1], before, password, after, url.start(1))
    for named in (_LITERAL if is_program else _NAMED).finditer(text):
        group = str(named.lastgroup)
        value = named[group].strip()
        if value.lower() not in _NO_PASSWORD and not is_placeholder(value, ""):
            yield named.span(group)
    for default in _DEFAULT.finditer(text):
        if _is_of_password(text, default) and not is_placeholder(default[1], ""):
            yield default.span(1)


def _places(
    rest: str, before: str, password: str, after: str, offset: int
) -> Iterator[tuple[int, int]]:
    for found in re.finditer(re.escape(before + password + after), rest):
        start = offset + found.start() + len(before)
        yield start, start + len(password)


def _is_of_password(text: str, default: re.Match[str]) -> bool:
    """Return whether a shell's default is that of a password: by its name, or by its place."""
    name = default[0].partition("-")[0].upper()
    return "PASS" in name or "PWD" in name or text[default.end() : default.end() + 1] == "@"
