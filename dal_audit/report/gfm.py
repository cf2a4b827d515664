"""Text of GitHub Flavored Markdown in which nothing means more than it should."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from dal_audit.report.terminal import safe, visible

_CODE: Final = re.compile(r"`([^`]+)`")
_MEANT: Final = re.compile(r"[\\`*_\[\]<>&#|~$@!]|:(?=/)|\.(?=\S)")
"""Punctuation that means something within a line; `.` and `:` where they could make a link."""


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """Yield a table behind an empty line; cells are Markdown already."""
    yield ""
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    yield from (f"| {' | '.join(row)} |" for row in rows)


def prose(text: str) -> str:
    """Return text in which only code between backticks means anything to a reader of Markdown."""
    parts = _CODE.split(safe(text).replace("\t", " "))
    # Every other part is what stood between backticks.
    return "".join(
        code_span(part) if index % 2 else _MEANT.sub(r"\\\g<0>", part)
        for index, part in enumerate(parts)
    )


def code_span(code: str) -> str:
    """Return text as a code span (GFM §6.3); in cells of tables only ids are code, without bars."""
    code = visible(code)
    longest = max((len(run) for run in re.findall("`+", code)), default=0)
    fence = "`" * (longest + 1)
    # One blank on both sides is taken off again, by the standard; code of blanks alone keeps all.
    padded = f" {code} " if code[:1] in {"`", " "} or code[-1:] in {"`", " "} else code
    return f"{fence}{padded}{fence}" if code else ""
