"""A set of migrations, of whatever tool: its files, their order, and what undoes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from msgspec import Struct, field

from dal_audit.facts import Span
from dal_audit.facts.migrations import (
    Directive,
    HalfState,
    LibraryNeed,
    MigrationMarks,
    Revision,
    Tool,
    ToolSettings,
)

Side: TypeAlias = Literal["up", "down"]
Language: TypeAlias = Literal["sql", "python", "other"]

Series: TypeAlias = Literal["integers", "timestamps", "versions", "graph", "named"]
"""What gives a set its order.

Integers are contiguous, timestamps never; `versions` have several parts (`1.10` after `1.9`);
a `graph` is ordered by what each migration says comes before it; `named` stands for the order of
the names, of a plan or of the changesets in a file.
"""

Role: TypeAlias = Literal["versioned", "repeatable", "baseline", "hook"]
"""How often a migration runs: once; whenever it changed; instead of all before; after each run."""

Evidence: TypeAlias = Literal["configured", "marker", "sibling", "name", "number"]
"""What a set was recognised by, from the strongest to the weakest."""


class Part(Struct, frozen=True):
    """One direction of a migration, or a piece of it: a file, or some of its lines.

    `lines` are the first and the last line, 1-based and inclusive (the last is before the first
    where there is nothing between two markers); None stands for the whole file. Of a Python file,
    `state` says what the function or the list of operations does. `anchor` is
    the text that makes this part one (a directive, a function's name); None for a whole SQL file.
    """

    path: str
    side: Side
    lines: tuple[int, int] | None = None
    language: Language = "sql"
    state: HalfState = "code"
    anchor: Span | None = None

    def takes(self, line: int, part: str = "") -> bool:
        """Return whether a statement of the file belongs to this part.

        `line` is where it begins, `part` what the SQL reader says of it (`up`, `down` or nothing):
        Liquibase's rollbacks stand among the lines of their changesets.
        """
        within = self.lines is None or self.lines[0] <= line <= self.lines[1]
        return within and part in {"", self.side}


class Migration(Struct, frozen=True):
    """One migration.

    `id` is what the tool calls it, unique in a set that has no fault; `name` what it says besides
    its number. `written` is the number or version as it is spelled, and `version` its parts as
    integers, empty for a migration without one; `stamped` tells whether that is a point in time.
    `down` is empty where nothing undoes it. `backends` are those that it is meant for, None for
    all of the set's; `parents` are the ids that it names as coming before it, `labels` the names of
    the branch that it begins; `declared` is the place where a Python file says its id.
    """

    id: str
    name: str = ""
    written: str = ""
    version: tuple[int, ...] = ()
    stamped: bool = False
    role: Role = "versioned"
    up: tuple[Part, ...] = ()
    down: tuple[Part, ...] = ()
    backends: tuple[str, ...] | None = None
    transactional: bool = True
    directives: tuple[Directive, ...] = ()
    parents: tuple[str, ...] = ()
    replaces: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    declared: Span | None = None
    across: tuple[str, ...] = ()
    """The migrations of other sets that it names as coming before it, as `set.id`."""

    @property
    def title(self) -> str:
        """What people call the migration: its file's name, or the folder's that is all of it."""
        name = self.path.rpartition("/")[2]
        return self.id if name in {"", "up.sql", "migration.sql"} else name

    @property
    def number(self) -> int | None:
        """The number, where the version is a single one."""
        return self.version[0] if len(self.version) == 1 else None

    @property
    def path(self) -> str:
        """The file of the up part."""
        return self.up[0].path if self.up else ""


class MigrationSet(Struct, frozen=True):
    """Migrations that one tool runs in one order on one database.

    `root` is the folder that holds them. `backends` are those that the set is meant for, by their
    catalogue names (`postgresql`, also ones that are not configured, `mysql`); None for all that
    are configured. `orphans` are down parts without an up. `missing` are migrations that the tool's
    plan lists and that have no file; `strays` are SQL files among the migrations that the tool
    does not run. `paired` are the roots of the sets that make the same schema on other backends.
    """

    root: str
    tool: Tool
    series: Series
    migrations: tuple[Migration, ...]
    evidence: Evidence
    version_table: str = ""
    backends: tuple[str, ...] | None = None
    orphans: tuple[Part, ...] = ()
    missing: tuple[str, ...] = ()
    strays: tuple[str, ...] = ()
    paired: tuple[str, ...] = ()
    label: str = ""
    """The name that other sets have for it: that of Django's app."""
    shares_versions: bool = False
    """Whether a version is a folder of several files, so that it is no fault if they share it."""

    def for_backend(self, backend: str) -> tuple[Migration, ...]:
        """Return the migrations that a backend runs, in order."""
        if self.backends is not None and backend not in self.backends:
            return ()
        return tuple(
            migration
            for migration in self.migrations
            if migration.backends is None or backend in migration.backends
        )

    def engines(self) -> frozenset[str]:
        """Return the backends that single migrations or the set are named after."""
        own = frozenset(self.backends or ())
        return own.union(*(migration.backends or () for migration in self.migrations))

    def duplicates(self) -> tuple[tuple[Migration, ...], ...]:
        """Return the migrations that share a version, each group in the set's order.

        Two of them that are meant for different backends share nothing.
        """
        if self.series in {"graph", "named"} or self.shares_versions:
            return ()
        groups: dict[tuple[object, ...], list[Migration]] = {}
        for migration in self.migrations:
            if migration.version and migration.role == "versioned":
                groups.setdefault(migration.version, []).append(migration)
        return tuple(tuple(group) for group in groups.values() if _clash(group))

    def paths(self) -> frozenset[str]:
        """Return the files that the set is made of, strays included."""
        parts = [part for migration in self.migrations for part in (*migration.up, *migration.down)]
        return frozenset(part.path for part in (*parts, *self.orphans)).union(self.strays)


def _clash(group: list[Migration]) -> bool:
    """Return whether two migrations of a group are run on one backend."""
    seen: set[str] = set()
    if any(migration.backends is None for migration in group):
        return len(group) > 1
    for migration in group:
        own = set(migration.backends or ())
        if seen & own:
            return True
        seen |= own
    return False


class Unrecognised(Struct, frozen=True):
    """A folder that looks like one of migrations, with SQL files that fit no tool's pattern."""

    folder: str
    paths: tuple[str, ...]


class MigrationLayout(Struct, frozen=True):
    """All sets of a project, by their roots, and the folders that were not understood."""

    sets: tuple[MigrationSet, ...] = ()
    unrecognised: tuple[Unrecognised, ...] = ()
    imports: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What Alembic's revisions import that may be the project's own, by their paths."""
    needs: tuple[tuple[str, LibraryNeed], ...] = ()
    """What the projects around migrations in Python say of libraries, which `library_needs` has."""

    @property
    def unordered(self) -> tuple[Unrecognised, ...]:
        """The folders whose files run in an order that nothing tells; one alone needs none."""
        return tuple(folder for folder in self.unrecognised if len(folder.paths) > 1)

    def by_path(self) -> dict[str, MigrationSet]:
        """Return the set that each file is part of."""
        return {path: found for found in self.sets for path in found.paths()}


class Sources(Struct, frozen=True):
    """What sets are found from: the paths of a project's files, and the facts of some of them.

    Paths are POSIX and relative to the project's root. `wanted` of this package says which files'
    facts are asked for; where one is missing, the file's name alone counts.
    """

    paths: tuple[str, ...]
    marks: Mapping[str, MigrationMarks] = field(default_factory=dict)
    revisions: Mapping[str, Revision] = field(default_factory=dict)
    settings: Mapping[str, tuple[ToolSettings, ...]] = field(default_factory=dict)
