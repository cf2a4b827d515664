"""The keys of the configuration: the one table that checking and the JSON Schema are read from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

from msgspec import Struct

from dal_audit.policy.model import (
    DEFAULT_VERSIONS,
    Backend,
    Ci,
    Migrations,
    PlaceholderStyle,
    Policy,
    Severity,
    ToolChoice,
    Waiver,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# Classes say which ASCII characters are not meant: all others may stand in a Python name, and a
# class that lists them takes `re` milliseconds to compile. A JSON Schema reads them as `re` does.
_WORD = r"[^\x00-@\[-^`{-\x7f][^\x00-/:-@\[-^`{-\x7f]*"
_GLOB_WORD = r'[^\x00- "-)+,./:->@\\^`{-\x7f]+'
_DOTTED = rf"{_WORD}(\.{_WORD})*"
_DOTTED_GLOB = rf"{_GLOB_WORD}(\.{_GLOB_WORD})*"

Check: TypeAlias = Literal["", "folder", "file", "glob", "rule", "version"]
"""What a text is held against besides its pattern, or turned into."""


class Text(Struct, frozen=True):
    """A string; `noun` completes "must be …", and `pattern` matches the whole of it."""

    noun: str
    pattern: str = ""
    check: Check = ""


class Choice(Struct, frozen=True):
    """One of a few strings."""

    noun: str
    allowed: tuple[str, ...]


class Flag(Struct, frozen=True):
    """A boolean."""


class Day(Struct, frozen=True):
    """A date: TOML's own, or a string such as `2026-01-31`."""


class Many(Struct, frozen=True):
    """A list; `unique` names the key whose value no two of its tables may share.

    `single` says that one item may stand without the brackets of a list.
    """

    item: Shape
    least: int = 0
    unique: str = ""
    single: bool = False


class Table(Struct, frozen=True):
    """A table whose keys the user chooses; `defaults` holds where it sets nothing."""

    key: Text | Choice
    value: Shape
    defaults: tuple[tuple[str, Any], ...] = ()


class Record(Struct, frozen=True):
    """A table of known keys, which becomes an object.

    `flaw` looks at the fields once each is sound, and returns the key at fault and what is wrong.
    """

    noun: str
    make: Callable[..., Any]
    keys: tuple[Key, ...]
    flaw: Callable[[Mapping[str, Any]], tuple[str, str] | None] = lambda _fields: None


Shape: TypeAlias = Text | Choice | Flag | Day | Many | Table | Record


class Key(Struct, frozen=True):
    """A key: its shape, what it means, and what holds when it is not set (empty: it must be)."""

    name: str
    shape: Shape
    default: str
    meaning: str


def _waiver_flaw(fields: Mapping[str, Any]) -> tuple[str, str] | None:
    granted, expires = fields.get("granted"), fields.get("expires")
    if granted and expires and expires < granted:
        return "expires", f"`expires` ({expires}) is before `granted` ({granted})"
    return None


_GLOB = Text("a path glob", check="glob")
_GLOBS = Many(_GLOB)
_RULE = Text("a rule's id or name, or a prefix of ids", check="rule")
_RULES = Many(_RULE)
_BACKEND = Choice("backend", get_args(Backend))
_BACKENDS = Many(_BACKEND, least=1)
_MODULES = Many(Text("a dotted module name such as `sqlalchemy.orm`", _DOTTED))

_MIGRATIONS = Record(
    "set of migrations",
    Migrations,
    (
        Key("path", Text("a folder", check="folder"), "", "The folder of the migrations."),
        Key("tool", Choice("tool", get_args(ToolChoice)), '"auto"', "The tool that runs them."),
        Key("backends", _BACKENDS, "all", "The backends that this set is meant for."),
    ),
)

_WAIVER = Record(
    "waiver",
    Waiver,
    (
        Key("id", Text("a waiver's id"), "", "The waiver's id, unlike any other's."),
        Key("rules", Many(_RULE, least=1), "", "The rules that it lifts."),
        Key("paths", Many(_GLOB, least=1), "", "The files in which it lifts them."),
        Key("reason", Text("a reason"), "", "Why the law may be broken there."),
        Key("granted", Day(), "", "The day on which it was granted."),
        Key("expires", Day(), "", "The last day on which it holds."),
    ),
    _waiver_flaw,
)

_VARIABLE = Text(
    "the name of an environment variable, or `NAME=value`", r"[A-Za-z_][0-9A-Za-z_]*(=[^\n]+)?"
)

_CI = Record(
    "`ci` table",
    Ci,
    (
        Key("workflows", _GLOBS, "found", "The workflow files that run the tests."),
        Key("storage-tests", _GLOBS, "found", "The files of the storage tests."),
        Key(
            "backend-env",
            Table(_BACKEND, Many(_VARIABLE, least=1, single=True)),
            "found",
            "The environment variable, or variables, that tell the tests where a backend is: a "
            "name, or `NAME=value` where the value chooses it.",
        ),
        Key(
            "external-ci",
            Flag(),
            "false",
            "Whether a CI system of which no file tells runs the tests, too.",
        ),
        Key(
            "gate",
            Text("a job's id"),
            "found",
            "The job that lets a change in when all others passed.",
        ),
    ),
)

KEYS: tuple[Key, ...] = (
    Key(
        "source-roots",
        Many(Text("a folder", check="folder")),
        "found: `src/`, else the folders that hold top-level packages",
        "The folders from which absolute imports resolve.",
    ),
    Key("include", _GLOBS, "all of git's files", "The files that are audited."),
    Key(
        "exclude",
        _GLOBS,
        "[]",
        "The files that are not audited, besides the built-in list (`.venv`, `node_modules`, build "
        "output); explicit paths obey it too.",
    ),
    Key(
        "storage",
        _GLOBS,
        "found: packages called `storage`, `dal`, `db`, `database`, `persistence` or "
        "`repositories` that import a driver, else the one place that does and that others import",
        "The only place where drivers may appear.",
    ),
    Key(
        "interfaces",
        Many(
            Text(
                "an interface of the form `module:Class` (globs are allowed)",
                f"{_DOTTED_GLOB}:{_DOTTED_GLOB}",
            )
        ),
        "found: Protocols and ABCs in storage that a storage class implements",
        "The storage interface.",
    ),
    Key("composition-roots", _GLOBS, "none", "The files that may name concrete backends."),
    Key(
        "backends",
        _BACKENDS,
        '["sqlite", "postgresql"]',
        "The engines that all SQL must run on.",
    ),
    Key(
        "backend-versions",
        Table(
            _BACKEND,
            Text('a version such as "3.35"', r"[0-9]{1,9}(\.[0-9]{1,9}){0,2}", "version"),
            DEFAULT_VERSIONS,
        ),
        '{ sqlite = "3.35", postgresql = "14" }',
        "The oldest version of each engine that SQL must run on.",
    ),
    Key("drivers", _MODULES, "the catalogue", "The modules that count as drivers."),
    Key("extend-drivers", _MODULES, "[]", "Further modules that count as drivers."),
    Key(
        "driver-types",
        Many(Text("a dotted glob such as `app.storage.*Pool`", _DOTTED_GLOB)),
        "[]",
        "The project's own wrapper types that count as driver types.",
    ),
    Key(
        "accessors",
        Many(Text("an attribute's name", _WORD)),
        "[]",
        "Further attributes that give a backend's plumbing away (DAL107, DAL202).",
    ),
    Key(
        "import-helpers",
        Many(Text("a function of the form `module:function`", f"{_DOTTED}:{_DOTTED}")),
        "[]",
        "The project's own functions that import a module by name.",
    ),
    Key(
        "error-map",
        Table(
            Text("a driver's exception such as `sqlite3.IntegrityError`", _DOTTED),
            Text("a class of the form `module:Class`", f"{_DOTTED}:{_DOTTED}"),
        ),
        "found: what storage raises where it catches the exception",
        "The project's own errors that stand for drivers' exceptions; fixes of DAL104 catch them.",
    ),
    Key(
        "orm-models",
        Choice("setting", ("allow", "allow-imports", "deny")),
        '"allow"',
        "Whether ORM models, and imports that only declare them, may leave storage.",
    ),
    Key(
        "rust-row-models",
        Choice("setting", ("report", "allow")),
        '"report"',
        "What becomes of row models outside storage: types of Rust that derive a driver's trait.",
    ),
    Key(
        "type-checking-imports",
        Choice("setting", ("report", "ignore")),
        '"report"',
        "What becomes of imports under `if TYPE_CHECKING`.",
    ),
    Key(
        "placeholder-style",
        Choice("style", get_args(PlaceholderStyle)),
        "`dollar` in migrations; in code the style of the driver in use",
        "The one style of placeholders in SQL (DAL301).",
    ),
    Key("select", _RULES, "all but those off by default", "The rules that run."),
    Key("ignore", _RULES, "[]", "The rules that do not run."),
    Key("extend-select", _RULES, "[]", "Rules that run besides the selected ones."),
    Key(
        "severity",
        Table(_RULE, Choice("severity", get_args(Severity))),
        "the rules' documents'",
        "How grave a rule's findings are; `off` switches the rule off.",
    ),
    Key(
        "per-file-ignores",
        Table(_GLOB, _RULES),
        "{}",
        "The rules that do not run on some files.",
    ),
    Key("migrations", Many(_MIGRATIONS), "found", "The folders of migrations."),
    Key(
        "engine-modules",
        Table(_BACKEND, _GLOBS),
        "found: by a module's name, and by the drivers that it imports",
        "The modules of storage that are for one engine alone: their SQL is judged for it.",
    ),
    Key(
        "version-table",
        Text("a table's name"),
        "the tool's own",
        "The one table that says which migrations have run (DAL405).",
    ),
    Key(
        "waivers",
        Many(_WAIVER, unique="id"),
        "[]",
        "CX-DBP waivers: rules lifted in some files, with a reason, until a day.",
    ),
    Key(
        "baseline",
        Text("a file", check="file"),
        "none",
        "The file of findings accepted on the day of adoption.",
    ),
    Key("ci", _CI, "found", "Where the storage tests run (DAL5xx)."),
)

POLICY = Record("configuration", Policy, KEYS)
