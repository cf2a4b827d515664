"""What is run on an engine and what came of it, in records that cross from process to process."""

from __future__ import annotations

from typing import TypeAlias

from dal_audit.catalogue.engine_names import Engine
from dal_audit.facts import START, FactRecord, Place, Span
from dal_audit.facts.migrations import Tool

Objects: TypeAlias = dict[str, str]
"""What stands in a database, to the letter: a kind and a name (`index users_email`), and how the
engine itself writes its definition. Two schemas of one engine are the same if these are."""

Aspects: TypeAlias = dict[str, str]
"""A schema in portable terms: what is spoken of (`default users.age`), and what it is (`0`). Names
are in lower case. Two engines' schemas are the same if these are."""


class Command(FactRecord, frozen=True):
    """A statement of a migration, without the delimiter, and the place where it is written.

    `is_made` says that a tool wrote it, for an operation that stands there.
    """

    place: Place
    text: str
    is_made: bool = False


class Step(FactRecord, frozen=True):
    """A migration as it is run: the statements of its up, and of its down.

    `path` is the file of the up; `down` is None where nothing undoes it, which is said at
    `undone_at`: the file's first line, unless something stands for a down.
    """

    path: str
    up: tuple[Command, ...]
    down: tuple[Command, ...] | None = None
    undone_at: Span = START


class Refusal(FactRecord, frozen=True):
    """An engine's answer to a statement that it did not take.

    `message` is one line in the engine's own words; `code` is PostgreSQL's SQLSTATE, empty for
    SQLite.
    """

    message: str
    code: str = ""


class Failure(FactRecord, frozen=True):
    """A statement of a migration that an engine did not take; `step` is the migration's index."""

    step: int
    command: Command
    refusal: Refusal


class Change(FactRecord, frozen=True):
    """What a statement did to the schema that it should have left alone.

    `what` reads after a subject: ``drops index `users_email` ``.
    """

    step: int
    command: Command
    what: str


class DownTrial(FactRecord, frozen=True):
    """What came of a down that was run right after its up.

    `step` is the migration's index. `why_not` is a clause that says why it does not take the up
    back; empty where the schema is as it was before, and where the up runs again after it.
    """

    step: int
    why_not: str = ""


class Outcome(FactRecord, frozen=True):
    """What became of a set on one engine.

    `applied` are the failures of the first run, and `again` those of the second run of a single
    migration, right after its first: there the first failure ends the migration, and nothing stays.
    `changed` is what such a run did to the schema. `made` holds the objects that each migration
    brought. The rest is None where it was not run, because a migration did not apply, or for the
    last two because the set lacks downs: `whole` is the second run of all migrations, one after the
    other, `undone` the run of all downs, `left` what then is in the database, `once_more` the
    failures of a third run of the ups, and `differs` how its schema is not that of the first.
    """

    engine: Engine
    version: str
    applied: tuple[Failure, ...] = ()
    again: tuple[Failure, ...] = ()
    changed: tuple[Change, ...] = ()
    made: tuple[tuple[str, ...], ...] = ()
    whole: tuple[Failure, ...] | None = None
    whole_changed: tuple[str, ...] = ()
    undone: tuple[Failure, ...] | None = None
    left: tuple[str, ...] | None = None
    once_more: tuple[Failure, ...] | None = None
    differs: tuple[str, ...] = ()
    aspects: Aspects | None = None
    """The schema after the ups in portable terms, where all of them applied."""
    trials: tuple[DownTrial, ...] = ()
    """What came of the downs, where each was tried by itself."""
    unrestored: tuple[Change, ...] = ()
    """What is not as it was before an up once its down has run, of a set in Python."""
    steps: tuple[Step, ...] = ()
    """The migrations of a set in Python with the statements that they ran: only a run tells."""

    def unsafe(self) -> frozenset[int]:
        """Return the indexes of the migrations that a second run by themselves fails or changes."""
        failing = (failure.step for failure in self.again)
        return frozenset(failing).union(change.step for change in self.changed)


class Program(FactRecord, frozen=True):
    """A set in Python, which a tool of the project runs in the project's interpreter.

    `project` is the absolute path of its root, `root` the set's in it; `names` are what the tool
    calls the migrations, in order.
    """

    python: str
    tool: Tool
    project: str
    root: str
    names: tuple[str, ...]
    variables: tuple[tuple[str, str], ...] = ()
    """What the interpreter is handed of the environment; no message shows a value of it."""


class Job(FactRecord, frozen=True):
    """What a worker is asked to do: run steps on an engine.

    `address` is what a PostgreSQL driver connects to; it may hold a password, so a job is handed
    over through a pipe and never shown. `seconds` is the most that one statement may take.
    """

    engine: Engine
    steps: tuple[Step, ...]
    seconds: float
    address: str = ""
    is_shared: bool = False
    """Whether others live on the server that it is on."""
    tries_downs: bool = False
    """Whether each down is tried right after its up, and nothing else is run."""
    program: Program | None = None
    """What runs the steps, where they are no SQL; `address` is a file then on SQLite."""


class Event(FactRecord, frozen=True):
    """A line from a worker: a sign of life, then at last its outcome, or why there is none."""

    done: int = 0
    total: int = 0
    outcome: Outcome | None = None
    error: str = ""
    is_absent: bool = False
    """Whether the error is that the project does not run the set."""
