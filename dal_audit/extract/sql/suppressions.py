"""Suppressions in SQL: `-- dal-audit: allow[rule] reason`, also between `/*` and `*/`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from dal_audit.extract.comments import read_suppression
from dal_audit.extract.source import Lines
from dal_audit.extract.sql.statements import split
from dal_audit.facts import Suppression

WORDS: Final = "dal-audit:"
"""What a text must hold to be read for suppressions at all."""

_MARK: Final = re.compile(r"(?:--|/\*)\s*dal-audit:")


def suppressions(text: str) -> Iterator[Suppression]:
    """Yield the suppressions among the comments of an SQL text.

    One behind code is about its own line, one that stands alone about the next line with code.
    """
    if WORDS not in text:
        return
    script = split(text)
    lines = Lines(text)
    code = sorted(token.start for statement in script.statements for token in statement.tokens)
    reached = 0
    for comment in script.comments:
        mark = _MARK.match(comment.text)
        if mark is None:
            continue
        while reached < len(code) and code[reached] < comment.start:
            reached += 1
        own = lines.line_of(comment.start)
        line = own
        is_alone = not reached or lines.line_of(code[reached - 1]) != own
        if is_alone and reached < len(code):
            line = lines.line_of(code[reached])
        yield read_suppression(
            lines,
            (comment.start, comment.start + mark.end()),
            comment.text[mark.end() :].removesuffix("*/"),
            line,
            is_late=reached > 0,
        )
