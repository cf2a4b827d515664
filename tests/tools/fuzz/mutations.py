"""Sound text made unsound: cut, doubled, moved, with bytes that nobody expects."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Final

ODD: Final = (
    *(b"\0", b"\xff", b"\xef\xbb\xbf", b"\r", b"\x0c", b"\x1a", b"\\", b'"', b"'", b"'''"),
    *(b"(", b")", b"[", b"{", b"}", b"$$", b"$a$", b"--", b"/*", b"*/", b";", b"#", b"\n\n"),
    *(b"\xe2\x80\xae", b"\xf0\x9f\x98\x80", b"import sqlite3", b"://a:b@c", b"password='x'"),
    *(b"${{", b"%s", b":a", b"{0}", b"&a", b"*a", b"- ", b"? ", b"!!", b"|", b">", b"\t"),
)

Step = Callable[[random.Random, bytes, Sequence[bytes]], bytes]


def _insert(chance: random.Random, data: bytes, _seeds: Sequence[bytes]) -> bytes:
    place = chance.randint(0, len(data))
    return data[:place] + chance.choice(ODD) * chance.choice((1, 1, 1, 3, 40)) + data[place:]


def _cut(chance: random.Random, data: bytes, _seeds: Sequence[bytes]) -> bytes:
    start, end = sorted(chance.randint(0, len(data)) for _ in range(2))
    return data[:start] + data[end:]


def _double(chance: random.Random, data: bytes, _seeds: Sequence[bytes]) -> bytes:
    start = chance.randint(0, len(data))
    part = data[start : start + chance.randint(1, 60)]
    return data[:start] + part * chance.choice((2, 3, 30)) + data[start:]


def _flip(chance: random.Random, data: bytes, _seeds: Sequence[bytes]) -> bytes:
    place = chance.randrange(len(data)) if data else 0
    return data[:place] + bytes([chance.randrange(256)]) + data[place + 1 :]


def _splice(chance: random.Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    other = chance.choice(seeds)
    return data[: chance.randint(0, len(data))] + other[chance.randint(0, len(other)) :]


def _lines(chance: random.Random, data: bytes, _seeds: Sequence[bytes]) -> bytes:
    lines = data.splitlines(keepends=True)
    chance.shuffle(lines)
    return b"".join(lines)


STEPS: Final[tuple[Step, ...]] = (_insert, _cut, _double, _flip, _splice, _insert, _flip, _lines)


def mutated(chance: random.Random, seeds: Sequence[bytes]) -> bytes:
    """Return one of some texts, spoilt in a few steps."""
    data = chance.choice(seeds)
    for _ in range(chance.randint(1, 5)):
        data = chance.choice(STEPS)(chance, data, seeds)
    return data
