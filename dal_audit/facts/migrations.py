"""What a file says about the migrations that it is part of, in frozen records.

They say what is written: directives in an SQL file, revisions in a Python file, settings in a
tool's own file. Which files make a set, and in which order, is not a fact of one file:
`dal_audit.migrations` tells. All spans are as `dal_audit.facts.Span` describes.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from dal_audit.facts import FactRecord, Span

Tool: TypeAlias = Literal[
    "alembic",
    "atlas",
    "dbmate",
    "diesel",
    "django",
    "drizzle",
    "flyway",
    "golang-migrate",
    "goose",
    "liquibase",
    "plain",
    "prisma",
    "refinery",
    "sql-migrate",
    "sqitch",
    "sqlalchemy-migrate",
    "sqlx",
    "tern",
    "yoyo",
]
"""A migration tool, `plain` for numbered SQL files without one."""

DirectiveKind: TypeAlias = Literal[
    "format",
    "up",
    "down",
    "changeset",
    "rollback",
    "no-rollback",
    "statement-begin",
    "statement-end",
    "breakpoint",
    "delimiter",
    "no-transaction",
    "depends",
    "dialect",
    "checkpoint",
    "other",
]
"""What a directive asks for.

`format` says whose file it is and no more (`--liquibase formatted sql`); `up` and `down` begin a
part of the file; `rollback` is a line or a comment of Liquibase's that holds SQL, `no-rollback` one
that says that there is none to run; `dialect` names the engine that the file is for.
"""


class Directive(FactRecord, frozen=True):
    """A comment by which an SQL file tells a migration tool something.

    `span` is the comment, `text` what follows the directive's name, without space around it.
    """

    span: Span
    tool: Tool
    kind: DirectiveKind
    text: str = ""


class MigrationMarks(FactRecord, frozen=True):
    """What shows in an SQL file whether, how and by whom it is run.

    `lines` is the number of lines; `defines` says whether the text seems to define something
    (`CREATE TABLE`, `ALTER TABLE` and the like stand in it, be it in a comment).
    """

    lines: int
    directives: tuple[Directive, ...] = ()
    defines: bool = False

    def tools(self) -> frozenset[Tool]:
        """Return the tools whose directives stand in the file."""
        return frozenset(directive.tool for directive in self.directives) - {"plain"}


HalfState: TypeAlias = Literal["absent", "empty", "raises", "code"]
"""What a function does: it is not there, has no statement that does anything, only raises, or more.

For a list of operations, `raises` means that one of them cannot be reversed.
"""


class Half(FactRecord, frozen=True):
    """One direction of a Python migration: its functions or operations.

    `span` is the name of the function, the first operation that cannot be reversed, or the list.
    """

    state: HalfState
    span: Span | None = None


class CustomOperation(FactRecord, frozen=True):
    """An operation of a class that is none of Django's own: the class as it is imported.

    `hands_reverse` says that the call itself may be given something to run backwards.
    """

    span: Span
    origin: str
    hands_reverse: bool = False


class Revision(FactRecord, frozen=True):
    """A Python file that is a migration.

    `id` is what the file calls itself, empty where its name does that. `parents` come before it
    (`down_revision`; a Django dependency, as `app.name`), `depends` likewise and in another branch
    (`depends_on`, `run_before` is `before`); `replaces` are the migrations that a squashed one
    stands for. `span` is the place of the id, else of the first direction.
    """

    span: Span
    framework: Tool
    id: str = ""
    parents: tuple[str, ...] = ()
    depends: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    replaces: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    transactional: bool = True
    up: Half = Half("absent")
    down: Half = Half("absent")
    customs: tuple[CustomOperation, ...] = ()
    """Django's operations of the project's own classes."""
    imports: tuple[str, ...] = ()
    """What one of Alembic's imports that may be the project's own, as dotted names."""


class LibraryNeed(FactRecord, frozen=True):
    """The oldest version of a library that a project takes, as far as a file says so.

    `version` are its first two numbers; `path` is the file's. A lock names the one that is used.
    """

    library: str
    version: tuple[int, ...]
    path: str
    is_lock: bool = False


class ToolSettings(FactRecord, frozen=True):
    """What a file that belongs to a migration tool, or names it, says about a set.

    `order` are the migrations in the order in which the tool runs them, by the stem of their file
    (drizzle's tags, Sqitch's changes); `engine` is the engine as the file names it;
    `version_table` is a table that is configured.
    """

    tool: Tool
    order: tuple[str, ...] = ()
    engine: str = ""
    version_table: str = ""
    transactional: bool = True
