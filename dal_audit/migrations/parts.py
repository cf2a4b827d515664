"""The parts of one file: what its directives, or the halves of a Python file, say."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from typing import Final

from dal_audit.facts.migrations import Directive, Half, MigrationMarks, Revision
from dal_audit.migrations.backends import backend_of
from dal_audit.migrations.model import Migration, Part, Side

_DBMS: Final = re.compile(r"\bdbms:(\"[^\"]*\"|\S+)", re.IGNORECASE)
_OFF: Final = frozenset({"no-transaction"})


def sections(path: str, marks: MigrationMarks | None, tool: str) -> tuple[Part | None, Part | None]:
    """Return the up and the down part of an SQL file.

    The up part is the whole file where no directive of the tool divides it.
    """
    bounds = [
        one
        for one in (marks.directives if marks else ())
        if one.tool == tool and one.kind in {"up", "down"}
    ]
    if marks is None or not bounds:
        return Part(path, "up"), None
    found: dict[Side, Part] = {}
    if tool == "tern":  # One line, between the two.
        found["up"] = Part(path, "up", (1, bounds[0].span.line - 1))
    for index, one in enumerate(bounds):
        side: Side = "up" if one.kind == "up" else "down"
        last = bounds[index + 1].span.line - 1 if index + 1 < len(bounds) else marks.lines
        found.setdefault(side, Part(path, side, (one.span.line + 1, last), anchor=one.span))
    return found.get("up"), found.get("down")


def is_transactional(marks: MigrationMarks | None, tool: str) -> bool:
    """Return whether a tool runs a file in a transaction, as far as the file's directives say."""
    own = marks.directives if marks else ()
    return not any(one.tool == tool and one.kind in _OFF for one in own)


def directives_of(marks: MigrationMarks | None, tool: str) -> tuple[Directive, ...]:
    """Return the directives in a file that a tool reads."""
    return tuple(one for one in (marks.directives if marks else ()) if one.tool == tool)


def changesets(path: str, marks: MigrationMarks) -> list[Migration]:
    """Return the changesets of a file in Liquibase's format, in order.

    Their rollbacks are lines or comments that follow them, before the next changeset.
    """
    own = directives_of(marks, "liquibase")
    begins = [one for one in own if one.kind == "changeset"]
    lines = [one.span.line for one in own]
    found = []
    for index, one in enumerate(begins):
        first = one.span.line
        last = begins[index + 1].span.line - 1 if index + 1 < len(begins) else marks.lines
        within = own[bisect_left(lines, first) : bisect_right(lines, last)]
        words = one.text.split()
        dbms = _DBMS.search(one.text)
        found.append(
            Migration(
                words[0] if words else "",
                words[0].partition(":")[2] if words else "",
                up=(Part(path, "up", (first + 1, last), anchor=one.span),),
                down=tuple(
                    Part(path, "down", (other.span.line, other.span.end_line), anchor=other.span)
                    for other in within
                    if other.kind == "rollback"
                ),
                backends=_engines(dbms[1].strip('"')) if dbms else None,
                transactional=not any(other.kind in _OFF for other in within),
                directives=within,
            )
        )
    return found


def _engines(names: str) -> tuple[str, ...] | None:
    """Read Liquibase's list of engines; one that only says which not to take is no list."""
    words = [one.strip() for one in names.split(",")]
    if any(one.startswith("!") or one == "all" for one in words):
        return None
    return tuple(sorted({backend_of(one) or one for one in words if one}))


def halves(path: str, revision: Revision) -> tuple[tuple[Part, ...], tuple[Part, ...]]:
    """Return the up and the down part of a Python file."""
    up, down = (_half(path, "up", revision.up), _half(path, "down", revision.down))
    return up, down


def _half(path: str, side: Side, half: Half) -> tuple[Part, ...]:
    if half.state == "absent":
        return ()
    return (Part(path, side, None, "python", half.state, half.sql, half.span),)
