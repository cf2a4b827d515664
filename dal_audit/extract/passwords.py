"""Passwords in database URLs: which are real, and which only stand where one would."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from dal_audit.extract.masks import HIDDEN

_PLACEHOLDERS: Final = frozenset(
    [
        "changeme",
        "changeit",
        "change",
        "dbpass",
        "dbpassword",
        "default",
        "dummy",
        "example",
        "foo",
        "bar",
        "foobar",
        "guest",
        "hunter2",
        "mypass",
        "mypassword",
        "mysecretpassword",
        "none",
        "null",
        "pass",
        "passwd",
        "password",
        "pw",
        "pwd",
        "root",
        "secret",
        "some",
        "test",
        "testing",
        "user",
        "username",
        "xxx",
        "yourpassword",
        "postgres",
        "mysql",
        "mariadb",
        "mongo",
        "redis",
        "sqlite",
        "oracle",
        "admin",
    ]
)
"""Words that documents and throw-away containers put where a password would stand."""

_HOLE: Final = "\N{REPLACEMENT CHARACTER}"
"""What front ends write for the part of a text that only a run knows."""

_MADE_UP: Final = re.compile(
    rf"\W*|[x*.]+|<.*>|\[.*\]|\{{.*\}}|\$.*|%.*|.*{_HOLE}.*|(?:your|my|the|some)[-_].*|pass(?:word)?\d*"
    r"|.*[-_](?:here|password|pass)",
    re.IGNORECASE | re.DOTALL,
)
_PORT: Final = re.compile(r"\d{1,5}(?:/|$)")
_PARAMETER: Final = re.compile(r"([?&](?:password|passwd|pwd|pass)=)([^&#]+)", re.IGNORECASE)


def passwords(rest: str) -> Iterator[tuple[str, str, str]]:
    """Yield the real passwords in what follows a URL's `://`, each with what stands around it."""
    if "@" not in rest and "=" not in rest:
        return  # As in most URLs.
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    # A password may hold a slash that nobody has encoded: better hidden than shown.
    holder = authority if "@" in authority else rest.partition("?")[0]
    user, colon, password = holder.rpartition("@")[0].partition(":")
    is_port = holder is not authority and _PORT.match(password) is not None
    if colon and not is_port and not is_placeholder(password, user):
        yield ":", password, "@"
    for found in _PARAMETER.finditer(rest):
        if not is_placeholder(found[2], user):
            yield found[1], found[2], ""


def is_placeholder(password: str, user: str) -> bool:
    """Return whether a password is none: a hole, a mask, a well-known word, the user's name."""
    if HIDDEN in password:
        return False
    from urllib.parse import unquote  # only where something stands where a password would

    plain = unquote(password).lower()
    return plain == user.lower() or plain in _PLACEHOLDERS or bool(_MADE_UP.fullmatch(password))
