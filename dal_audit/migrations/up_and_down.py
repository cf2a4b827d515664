"""The two directions in one file: what its directives, or the halves of a Python file, say."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import Final

from dal_audit.catalogue.engine_words import engine_of
from dal_audit.facts.migrations import Directive, Half, MigrationMarks, Revision
from dal_audit.migrations.model import Migration, Part, Side
from dal_audit.migrations.tools import LIQUIBASE, MigrationTool

_DBMS: Final = re.compile(r"\bdbms:(\"[^\"]*\"|\S+)", re.IGNORECASE)
_OFF: Final = "no-transaction"


def sections(
    path: str, marks: MigrationMarks | None, tool: MigrationTool
) -> tuple[Part | None, Part | None]:
    """Return the up and the down part of an SQL file.

    The up part is the whole file where no directive of the tool divides it.
    """
    own = directives_of(marks, tool)
    bounds = [directive for directive in own if directive.kind in {"up", "down"}]
    if marks is None or not bounds:
        return Part(path, "up"), None
    found: dict[Side, Part] = {}
    if tool.has_one_divider:
        found["up"] = Part(path, "up", (1, bounds[0].span.line - 1))
    for directive, last in _with_last_lines(bounds, marks.lines):
        side: Side = "up" if directive.kind == "up" else "down"
        lines = (directive.span.line + 1, last)
        found.setdefault(side, Part(path, side, lines, anchor=directive.span))
    return found.get("up"), found.get("down")


def _with_last_lines(bounds: Sequence[Directive], end: int) -> Iterator[tuple[Directive, int]]:
    """Yield directives, each with the last line before the next, or with the file's last."""
    for directive, following in zip(bounds, (*bounds[1:], None), strict=True):
        yield directive, end if following is None else following.span.line - 1


def is_transactional(marks: MigrationMarks | None, tool: MigrationTool) -> bool:
    """Return whether a tool runs a file in a transaction, as far as the file's directives say."""
    return all(directive.kind != _OFF for directive in directives_of(marks, tool))


def directives_of(marks: MigrationMarks | None, tool: MigrationTool) -> tuple[Directive, ...]:
    """Return the directives in a file that a tool reads."""
    written = marks.directives if marks else ()
    return tuple(directive for directive in written if directive.tool == tool.name)


def changesets(path: str, marks: MigrationMarks) -> list[Migration]:
    """Return the changesets of a file in Liquibase's format, in order.

    Their rollbacks are lines or comments that follow them, before the next changeset.
    """
    own = directives_of(marks, LIQUIBASE)
    begins = [directive for directive in own if directive.kind == "changeset"]
    lines = [directive.span.line for directive in own]
    found = []
    for begin, last in _with_last_lines(begins, marks.lines):
        within = own[bisect_left(lines, begin.span.line) : bisect_right(lines, last)]
        found.append(_changeset(path, begin, last, within))
    return found


def _changeset(path: str, begin: Directive, last: int, within: tuple[Directive, ...]) -> Migration:
    label = next(iter(begin.text.split()), "")
    dbms = _DBMS.search(begin.text)
    return Migration(
        label,
        label.partition(":")[2],
        up=(Part(path, "up", (begin.span.line + 1, last), anchor=begin.span),),
        down=tuple(
            Part(path, "down", (rollback.span.line, rollback.span.end_line), anchor=rollback.span)
            for rollback in within
            if rollback.kind == "rollback"
        ),
        backends=_engines(dbms[1].strip('"')) if dbms else None,
        transactional=all(directive.kind != _OFF for directive in within),
        directives=within,
    )


def _engines(names: str) -> tuple[str, ...] | None:
    """Read Liquibase's list of engines; one that only says which not to take is no list."""
    words = [word.strip() for word in names.split(",")]
    if any(word.startswith("!") or word == "all" for word in words):
        return None
    return tuple(sorted({engine_of(word) or word for word in words if word}))


def halves(path: str, revision: Revision) -> tuple[tuple[Part, ...], tuple[Part, ...]]:
    """Return the up and the down part of a Python file."""
    up, down = (_half(path, "up", revision.up), _half(path, "down", revision.down))
    return up, down


def _half(path: str, side: Side, half: Half) -> tuple[Part, ...]:
    if half.state == "absent":
        return ()
    return (Part(path, side, None, "python", half.state, half.span),)
