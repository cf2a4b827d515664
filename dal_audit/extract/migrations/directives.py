"""The directives of migration tools in an SQL file's comments.

They are found by their lines and not by an SQL reader, as the tools themselves find them. Sources:
the manuals of goose, sql-migrate, dbmate, tern, Liquibase ("SQL format"), sqlx, yoyo, atlas,
drizzle-kit and Sqitch, as ECOSYSTEM.md section 7 sums them up.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, TypeAlias

from dal_audit.extract.source import Lines, occurrences
from dal_audit.facts.migrations import Directive, DirectiveKind, MigrationMarks, Tool

_LINE: Final = re.compile(
    r"^[ \t]*--(?:"
    r"[ \t]*\+(?P<pressly>goose|migrate)[ \t]+(?P<order>\w+(?:[ \t]+TRANSACTION\b)?)"
    r"(?P<tail>[^\r\n]*)"
    r"|[ \t]*migrate:(?P<dbmate>up|down)(?P<options>(?:[ \t]+[^\r\n]*)?)(?=[\r\n]|\Z)"
    r"|[ \t]*atlas:(?P<atlas>\w+)(?P<value>[^\r\n]*)"
    r"|>[ \t]*(?P<breakpoint>statement-breakpoint)\b"
    r"|[ \t]*(?P<yoyo>depends|transactional)[ \t]*:(?P<setting>[^\r\n]*)"
    r"|[ \t]*(?P<sqitch>Deploy|Revert)[ \t]+[^\r\n]*?[ \t](?:to|from)[ \t]+"
    r"(?P<engine>\w+)(?=[ \t]*(?:[\r\n]|\Z))"
    r"|[ \t]*(?i:sqlfluff:)?(?i:dialect|engine|database)[ \t]*[:=][ \t]*"
    r"(?P<dialect>\w+)(?=[ \t]*(?:[\r\n]|\Z))"
    r"|--[ \t]+(?P<tern>create above / drop below) ----"
    r")",
    re.MULTILINE,
)
_LIQUIBASE: Final = re.compile(
    r"^[ \t]*--[ \t]*(?P<name>changeset|rollback)\b(?P<rest>[^\r\n]*)"
    r"|/\*[ \t]*liquibase[ \t]+rollback\b(?P<body>.*?)(?:\*/|\Z)",
    re.MULTILINE | re.IGNORECASE | re.DOTALL,
)
_FORMATTED: Final = re.compile(
    r"\s*(?P<header>--[ \t]*liquibase[ \t]+formatted[ \t]+sql\b[^\r\n]*)", re.IGNORECASE
)
_HEADER: Final = re.compile(r"(?:[ \t]*(?:--[^\r\n]*)?[\r\n])*(?:[ \t]*--[^\r\n]*)?")
"""The blank lines and comment lines that a text begins with."""
_NO_ROLLBACK: Final = re.compile(r"empty|not[ \t]+required", re.IGNORECASE)
_NAMES: Final = (
    *("+goose", "+migrate", "migrate:", "atlas:", "breakpoint", "depends", "transactional"),
    *("create above", "Deploy", "Revert"),
)
_SETTINGS: Final = ("dialect", "engine", "database")
_SETTING: Final = re.compile(rf"(?:{'|'.join(_SETTINGS)})[ \t]*[:=]")
"""What the text of a file holds, the settings in lower case, that has any directive."""
_VERBS: Final = ("create", "alter", "drop")
_DEFINES: Final = re.compile(
    rf"\b(?:{'|'.join(_VERBS)})\s+(?:(?:or\s+replace|unique|temp(?:orary)?|materialized)\s+)*"
    r"(?:table|index|view|type|schema|extension|sequence|function|trigger)\b"
)
"""What defines something, in lower case: to look for it in any case takes ten times as long."""
_SQLX: Final = "-- no-transaction"

_ORDERS: Final[dict[str, DirectiveKind]] = {
    "up": "up",
    "down": "down",
    "statementbegin": "statement-begin",
    "statementend": "statement-end",
    "no transaction": "no-transaction",
}

_Said: TypeAlias = tuple[Tool, DirectiveKind, str]
"""Whose directive it is, what it asks for, and what follows its name."""


def migration_marks(text: str) -> MigrationMarks:
    """Return what an SQL file's text, without a byte order mark, says to migration tools."""
    lines, plain = Lines(text), text.lower()
    found = list(_directives(text, plain, lines))
    found.sort(key=lambda directive: (directive.span, directive.kind))
    last = len(lines) - (1 if text.endswith(("\n", "\r")) else 0)
    return MigrationMarks(last, tuple(found), _defines(plain))


def _defines(plain: str) -> bool:
    """Return whether a text in lower case makes or changes what a schema holds."""
    return any(_DEFINES.match(plain, place) for place in occurrences(plain, _VERBS))


def _has_names(text: str, plain: str) -> bool:
    """Return whether a text holds the name of a directive; `plain` is it in lower case."""
    if any(name in text for name in _NAMES):
        return True
    return any(_SETTING.match(plain, place) for place in occurrences(plain, _SETTINGS))


def _directives(text: str, plain: str, lines: Lines) -> Iterator[Directive]:
    if text.startswith(_SQLX):
        span = lines.span(0, len(_SQLX))
        yield Directive(span, "sqlx", "no-transaction")
    formatted = _FORMATTED.match(text)
    if formatted:
        span = lines.span(formatted.start("header"), formatted.end("header"))
        yield Directive(span, "liquibase", "format")
        yield from _liquibase(text, lines)
    if not _has_names(text, plain):
        return
    header = _HEADER.match(text)
    body = header.end() if header else 0  # It matches every text: nothing, at the least.
    for line in _LINE.finditer(text):
        start = line.start() + len(line[0]) - len(line[0].lstrip(" \t"))
        span = lines.span(start, line.end())
        for tool, kind, said in _read(line, in_header=line.start() < body):
            yield Directive(span, tool, kind, said.strip())


def _read(line: re.Match[str], *, in_header: bool) -> Iterator[_Said]:
    """Read one line; settings of a whole file count only before its first statement."""
    if line["pressly"]:
        yield from _pressly(line)
    elif line["dbmate"]:
        yield from _dbmate(line)
    elif line["atlas"]:
        yield "atlas", _atlas(line["atlas"], line["value"].strip()), line["value"]
    elif line["breakpoint"]:
        yield "drizzle", "breakpoint", ""
    elif line["tern"]:
        yield "tern", "down", ""
    elif in_header and line["yoyo"]:
        yield _yoyo(line["yoyo"], line["setting"])
    elif in_header and line["sqitch"]:
        yield "sqitch", "dialect", line["engine"]
    elif in_header and line["dialect"]:
        yield "plain", "dialect", line["dialect"]


def _pressly(line: re.Match[str]) -> Iterator[_Said]:
    """Read a directive of goose, or of sql-migrate in the same form."""
    tool: Tool = "goose" if line["pressly"] == "goose" else "sql-migrate"
    order = " ".join(line["order"].lower().split())
    yield tool, _ORDERS.get(order, "other"), line["tail"]
    if tool == "sql-migrate" and "notransaction" in line["tail"].lower():
        yield tool, "no-transaction", order


def _dbmate(line: re.Match[str]) -> Iterator[_Said]:
    yield "dbmate", "up" if line["dbmate"] == "up" else "down", line["options"]
    if re.search(r"\btransaction:false\b", line["options"]):
        yield "dbmate", "no-transaction", line["dbmate"]


def _yoyo(name: str, value: str) -> _Said:
    if name == "depends":
        return "yoyo", "depends", value
    return "yoyo", "no-transaction" if value.strip().lower() == "false" else "other", value


def _atlas(name: str, value: str) -> DirectiveKind:
    if name == "txmode":
        return "no-transaction" if value == "none" else "other"
    if name in {"delimiter", "checkpoint"}:
        return "delimiter" if name == "delimiter" else "checkpoint"
    return "other"


def _liquibase(text: str, lines: Lines) -> Iterator[Directive]:
    for found in _LIQUIBASE.finditer(text):
        start = found.start() + len(found[0]) - len(found[0].lstrip(" \t"))
        span = lines.span(start, found.end())
        if found["name"] is None or found["name"].lower() == "rollback":
            body = (found["body"] if found["name"] is None else found["rest"]).strip()
            refused = _NO_ROLLBACK.fullmatch(body) is not None
            yield Directive(span, "liquibase", "no-rollback" if refused else "rollback", body)
            continue
        rest = found["rest"].strip()
        yield Directive(span, "liquibase", "changeset", rest)
        if re.search(r"\brunInTransaction:false\b", rest, re.IGNORECASE):
            yield Directive(span, "liquibase", "no-transaction", rest.split(maxsplit=1)[0])
