"""What is known of each migration tool, a row a tool: whatever tells two tools apart asks the row.

A new tool is a name in `dal_audit.facts.migrations.Tool`, a row here, and what reads its directives
or settings, if it has any (`dal_audit.extract`). Source: the tools' manuals.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

from msgspec import Struct

from dal_audit.facts.migrations import Tool

Layout: TypeAlias = Literal["environment", "app", "plan", "releases", "folder-each", "one-folder"]
"""How the files of a set lie.

Python files around an environment, or in an app; scripts that a plan names; a folder for each
release, or for each migration; or all in one folder.
"""

NameForm: TypeAlias = Literal["rollback", "upgrade", "prefix", "sides"]
"""What a file's name can give away, the most telling first.

`x.rollback.sql`, `1_sqlite_upgrade.sql`, a letter of `prefixes`, a number with `up` or `down`.
"""

DirectiveUse: TypeAlias = Literal["divides", "sets", "shared"]
"""What directives in SQL files are to a tool.

Without those that divide a file it does nothing; others only set something, and those that are
`shared` are read by tools beside the one that runs the file.
"""

Place: TypeAlias = Literal["inside", "around", "home", "above"]
"""Where a tool's own file lies, seen from the folder of the migrations.

In it; in the one around it; in either, if the folder is called as one of migrations; or at any
height above it.
"""


class Sign(Struct, frozen=True):
    """A file that gives a tool away: its path from a folder, and which folder that is."""

    path: str
    place: Place


class MigrationTool(Struct, frozen=True, kw_only=True):
    """A migration tool; the defaults are what most tools do."""

    name: Tool
    version_table: str = ""
    """The table in which it notes what has run, unless that is configured."""

    # How its sets are found

    layouts: tuple[Layout, ...] = ("one-folder",)
    sign: Sign | None = None
    settings: tuple[str, ...] = ()
    """Names of the files in which it keeps settings."""
    named_in: tuple[str, ...] = ()
    """Names of the files that list what a program needs, if they name the tool."""
    engine_file: str = ""
    """That of them which may say what engine the tool is built for."""
    directives: DirectiveUse | None = None
    name_form: NameForm | None = None
    has_strict_sides: bool = False
    """Whether all numbered files say their side, and `_` follows each number."""
    takes_numbers: bool = False
    """Whether it runs files with nothing but a number, so that these may be its own."""
    is_seen_by_need: bool = False
    """Whether names and numbers are its own only where a list of a program's needs names it."""
    has_neutral_folders: bool = False
    """Whether the names of its folders say nothing of the backend."""

    # Which files are migrations, and what they are called

    prefixes: frozenset[str] = frozenset()
    """The letters that its migrations begin with; without one, a file is none."""
    takes_any_name: bool = False
    """Whether every SQL file in its folder is a migration, also without a number."""
    reads_digits_only: bool = False
    """Whether it reads nothing but the digits at the beginning of a name."""
    runs_programs: bool = False
    """Whether its migrations may be programs: two with one number are a fault."""
    hook_prefix: str = ""
    """What the name of a script begins with that is run after all others, each time."""
    plan: str = ""
    """The file, by its path from the set's folder, that lists what is run, whatever its number."""
    has_changesets: bool = False
    """Whether a file holds several migrations, each below a directive."""
    names_parents: bool = False
    """Whether SQL files may say what comes before them."""
    shares_ids: bool = False
    """Whether its migrations may name those of another of its sets as coming before them."""
    own_apps: frozenset[str] = frozenset()
    """Folders whose namesakes are part of the tool: what is named there may be the tool's."""
    join_ends: str = ""
    """How several ends of a graph are joined, as a sentence; empty where it goes on with them."""
    has_scripts_beside: bool = False
    """Whether SQL files lie beside its migrations that these read, or that verify them."""

    # What a released migration is to it

    known_by: Literal["name", "number", "content"] = "name"
    """What it knows a migration by: the file's name, the number alone, or an id in the file."""
    keeps_checksums: bool = False
    """Whether it keeps a checksum of each file, so that a comment more is a change, too."""

    # Downs

    runs_downs: bool = True
    """Whether it runs downs, so that one can be written for a single migration."""
    has_guards: bool = True
    """Whether what one of its operations does can be made to do nothing the second time."""
    pairs_by_number: bool = False
    """Whether a down is found by its number, for its name begins with another letter."""
    has_one_divider: bool = False
    """Whether a single line stands between the up and the down in a file."""
    down_mark: str = ""
    """The line that begins the down in the file of its up; empty where it has a file of its own."""
    down_word: str = "down"
    """What the name of a down's file says instead of `up`, or besides all that the up's says."""
    block_marks: tuple[str, str] | None = None
    """The lines around a statement that holds the delimiter."""
    missing_down: str = ""
    """Where a down was looked for, as a message says it; `{id}` stands for the migration's."""
    missing_function: str = "it has no `downgrade`"
    """The same of a Python file."""
    empty_function: str = "has a `downgrade` that does nothing"
    """What a message says of a Python file with a down that does nothing."""
    refusing_function: str = "has a `downgrade` that only raises"
    """What a message says of a Python file that cannot be taken back."""


ALEMBIC: Final = MigrationTool(
    name="alembic",
    version_table="alembic_version",
    layouts=("environment",),
    settings=("env.py",),
    shares_ids=True,
    join_ends="Join the two with `alembic merge heads`.",
    has_scripts_beside=True,
    known_by="content",
)
ATLAS: Final = MigrationTool(
    name="atlas",
    version_table="atlas_schema_revisions",
    sign=Sign("atlas.sum", "inside"),
    directives="shared",
    keeps_checksums=True,
    runs_downs=False,
)
DBMATE: Final = MigrationTool(
    name="dbmate",
    version_table="schema_migrations",
    named_in=("go.mod",),
    engine_file="go.mod",
    directives="divides",
    reads_digits_only=True,
    known_by="number",
    down_mark="-- migrate:down",
    missing_down="there is no `-- migrate:down`",
)
DIESEL: Final = MigrationTool(
    name="diesel",
    version_table="__diesel_schema_migrations",
    layouts=("folder-each",),
    settings=("metadata.toml",),
    named_in=("Cargo.toml",),
    engine_file="Cargo.toml",
    known_by="number",
    missing_down="there is no `down.sql`",
)
DJANGO: Final = MigrationTool(
    name="django",
    version_table="django_migrations",
    layouts=("app",),
    has_neutral_folders=True,
    own_apps=frozenset(
        {"admin", "auth", "contenttypes", "flatpages", "redirects", "sessions", "sites"}
    ),
    join_ends="Join the two with `manage.py makemigrations --merge`.",
    has_scripts_beside=True,
    has_guards=False,
    refusing_function="cannot be reversed: an operation is given nothing to run backwards",
)
DRIZZLE: Final = MigrationTool(
    name="drizzle",
    version_table="__drizzle_migrations",
    layouts=("folder-each", "one-folder"),
    sign=Sign("meta/_journal.json", "inside"),
    settings=("_journal.json",),
    directives="sets",
    plan="meta/_journal.json",
    runs_downs=False,
)
FLYWAY: Final = MigrationTool(
    name="flyway",
    version_table="flyway_schema_history",
    name_form="prefix",
    prefixes=frozenset({"V", "B", "R"}),
    runs_programs=True,
    keeps_checksums=True,
    pairs_by_number=True,
)
GOLANG_MIGRATE: Final = MigrationTool(
    name="golang-migrate",
    version_table="schema_migrations",
    named_in=("go.mod",),
    engine_file="go.mod",
    name_form="sides",
    has_strict_sides=True,
    reads_digits_only=True,
    known_by="number",
)
GOOSE: Final = MigrationTool(
    name="goose",
    version_table="goose_db_version",
    named_in=("go.mod",),
    engine_file="go.mod",
    directives="divides",
    reads_digits_only=True,
    runs_programs=True,
    known_by="number",
    down_mark="-- +goose Down",
    block_marks=("-- +goose StatementBegin", "-- +goose StatementEnd"),
    missing_down="there is no `-- +goose Down`",
)
LIQUIBASE: Final = MigrationTool(
    name="liquibase",
    version_table="databasechangelog",
    directives="divides",
    has_changesets=True,
    has_scripts_beside=True,
    known_by="content",
    keeps_checksums=True,
    down_mark="--rollback",
    missing_down="there is no `--rollback`",
)
PLAIN: Final = MigrationTool(
    name="plain",
    layouts=("releases", "one-folder"),
    name_form="sides",
    takes_numbers=True,
)
"""Numbered SQL files that no tool is known of."""
PRISMA: Final = MigrationTool(
    name="prisma",
    version_table="_prisma_migrations",
    layouts=("folder-each",),
    sign=Sign("migration_lock.toml", "inside"),
    settings=("migration_lock.toml",),
    keeps_checksums=True,
    missing_down="there is no `down.sql`",
)
REFINERY: Final = MigrationTool(
    name="refinery",
    version_table="refinery_schema_history",
    settings=("refinery.toml",),
    named_in=("Cargo.toml", "refinery.toml"),
    engine_file="Cargo.toml",
    name_form="prefix",
    is_seen_by_need=True,
    prefixes=frozenset({"V", "B", "R", "U"}),  # U is a migration without a fixed place.
    reads_digits_only=True,
    runs_programs=True,
    keeps_checksums=True,
    runs_downs=False,
)
SQL_MIGRATE: Final = MigrationTool(
    name="sql-migrate",
    version_table="gorp_migrations",
    named_in=("go.mod",),
    engine_file="go.mod",
    directives="divides",
    down_mark="-- +migrate Down",
    block_marks=("-- +migrate StatementBegin", "-- +migrate StatementEnd"),
    missing_down="there is no `-- +migrate Down`",
)
SQITCH: Final = MigrationTool(
    name="sqitch",
    version_table="changes",
    layouts=("plan",),
    sign=Sign("sqitch.plan", "above"),
    settings=("sqitch.conf", "sqitch.plan"),
    plan="sqitch.plan",
    has_scripts_beside=True,
    missing_down="there is no `revert/{id}.sql`",
)
SQLALCHEMY_MIGRATE: Final = MigrationTool(
    name="sqlalchemy-migrate",
    version_table="migrate_version",
    sign=Sign("migrate.cfg", "around"),
    settings=("migrate.cfg",),
    name_form="upgrade",
    reads_digits_only=True,
    runs_programs=True,
)
SQLX: Final = MigrationTool(
    name="sqlx",
    version_table="_sqlx_migrations",
    named_in=("Cargo.toml",),
    engine_file="Cargo.toml",
    directives="sets",
    name_form="sides",
    takes_numbers=True,
    is_seen_by_need=True,
    reads_digits_only=True,
    keeps_checksums=True,
)
TERN: Final = MigrationTool(
    name="tern",
    version_table="schema_version",
    named_in=("go.mod",),
    engine_file="go.mod",
    directives="divides",
    takes_numbers=True,
    is_seen_by_need=True,
    reads_digits_only=True,
    known_by="number",
    has_one_divider=True,
    down_mark="---- create above / drop below ----",
    missing_down="there is no `---- create above / drop below ----`",
)
YOYO: Final = MigrationTool(
    name="yoyo",
    version_table="_yoyo_migration",
    sign=Sign("yoyo.ini", "home"),
    directives="sets",
    name_form="rollback",
    takes_any_name=True,
    runs_programs=True,
    hook_prefix="post-apply",
    names_parents=True,
    down_word="rollback",
    missing_down="there is no `{id}.rollback.sql`",
    missing_function="",
    empty_function="has no rollback",
    refusing_function="has a step without a rollback",
)

TOOLS: Final[Mapping[Tool, MigrationTool]] = {
    tool.name: tool
    for tool in (
        *(ATLAS, DRIZZLE, YOYO, SQLX, GOOSE, DBMATE, SQL_MIGRATE, LIQUIBASE, TERN, REFINERY),
        *(FLYWAY, GOLANG_MIGRATE, SQLALCHEMY_MIGRATE, ALEMBIC, DJANGO, SQITCH, DIESEL, PRISMA),
        PLAIN,
    )
}
"""All tools by their names. Where several are equally likely, the first is taken."""
