"""How much of a file is parsed at most."""

from __future__ import annotations

MAX_PARSED_BYTES = 16 << 20
"""Larger files are not parsed: a syntax tree takes a hundred times the memory of its text."""

MAX_PARTS = 400_000
"""Nor are files of more elements and lines: each takes up to a kilobyte in a syntax tree. Tables of
data that a program wrote have as many; nothing that a person wrote does."""


def too_much_of(data: bytes) -> str:
    """Return why source is not parsed, as a finding says it; empty for nearly all."""
    if len(data) > MAX_PARSED_BYTES:
        return f"larger than {MAX_PARSED_BYTES >> 20} MiB"
    if len(data) > MAX_PARTS and sum(map(data.count, (b",", b"\n", b";"))) > MAX_PARTS:
        return f"more than {MAX_PARTS:,} elements and lines"
    return ""
