"""The policy: what a project's configuration asks for, checked and typed.

The source of names, types and defaults is CONFIGURATION.md. A field that is None was not
configured, and what it stands for is found in the project; an empty tuple was configured as empty.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from msgspec import Struct

from dal_audit.facts.migrations import Tool

if TYPE_CHECKING:
    import datetime as dt
    from pathlib import Path

    from dal_audit.facts import Span
    from dal_audit.policy.positions import KeyPath, Places

Backend: TypeAlias = Literal["sqlite", "postgresql"]
Severity: TypeAlias = Literal["error", "warning", "info", "off"]
Version: TypeAlias = tuple[int, ...]
ToolChoice: TypeAlias = Literal["auto", Tool]
"""A migration tool, or `auto` for: find out."""

PlaceholderStyle: TypeAlias = Literal[
    "dollar", "question", "numbered-question", "colon", "percent", "any"
]

DEFAULT_BACKENDS: tuple[Backend, ...] = ("sqlite", "postgresql")
DEFAULT_VERSIONS: tuple[tuple[Backend, Version], ...] = (("sqlite", (3, 35)), ("postgresql", (14,)))


class Migrations(Struct, frozen=True):
    """A folder of migrations; `backends` is None for a set that every backend runs."""

    path: str
    tool: ToolChoice = "auto"
    backends: tuple[Backend, ...] | None = None


class Waiver(Struct, frozen=True):
    """A CX-DBP waiver; it covers findings of `rules` in `paths` up to and with the day `expires`.

    `rules` are rule ids or prefixes of ids.
    """

    id: str
    rules: tuple[str, ...]
    paths: tuple[str, ...]
    reason: str
    granted: dt.date
    expires: dt.date


class Ci(Struct, frozen=True):
    """Where the storage tests run: workflow files, test files, and who sets a backend's URL.

    `backend_env` pairs a backend with the environment variables that tell tests where it is, or
    that they are to use it: each a name, or `NAME=value`. `external_ci` says that a CI system
    tests the project, too, of which no file tells; `gate` is the job that lets a change in.
    """

    workflows: tuple[str, ...] | None = None
    storage_tests: tuple[str, ...] | None = None
    backend_env: tuple[tuple[Backend, tuple[str, ...]], ...] | None = None
    external_ci: bool = False
    gate: str | None = None

    def env_of(self, backend: str) -> tuple[str, ...]:
        """Return the variables that choose a backend, as they are configured; empty for none."""
        return dict[str, tuple[str, ...]](self.backend_env or ()).get(backend, ())


class Policy(Struct, frozen=True):
    """All that is configured for one project.

    Relative paths and globs are read from `root`, which is absolute; folders and files among them
    are normalised (`src`, not `./src/`), globs stand as they are written. Rules stand as ids or
    prefixes of ids: names are translated when the file is read.
    """

    root: Path
    file: Path | None = None
    source_roots: tuple[str, ...] | None = None
    include: tuple[str, ...] | None = None
    exclude: tuple[str, ...] = ()
    storage: tuple[str, ...] | None = None
    interfaces: tuple[str, ...] | None = None
    composition_roots: tuple[str, ...] | None = None
    backends: tuple[Backend, ...] = DEFAULT_BACKENDS
    backend_versions: tuple[tuple[Backend, Version], ...] = DEFAULT_VERSIONS
    drivers: tuple[str, ...] | None = None
    extend_drivers: tuple[str, ...] = ()
    driver_types: tuple[str, ...] = ()
    accessors: tuple[str, ...] = ()
    import_helpers: tuple[str, ...] = ()
    error_map: tuple[tuple[str, str], ...] = ()
    orm_models: Literal["allow", "allow-imports", "deny"] = "allow"
    rust_row_models: Literal["report", "allow"] = "report"
    type_checking_imports: Literal["report", "ignore"] = "report"
    placeholder_style: PlaceholderStyle | None = None
    select: tuple[str, ...] | None = None
    ignore: tuple[str, ...] = ()
    extend_select: tuple[str, ...] = ()
    severity: tuple[tuple[str, Severity], ...] = ()
    per_file_ignores: tuple[tuple[str, tuple[str, ...]], ...] = ()
    migrations: tuple[Migrations, ...] | None = None
    engine_modules: tuple[tuple[Backend, tuple[str, ...]], ...] | None = None
    version_table: str | None = None
    waivers: tuple[Waiver, ...] = ()
    baseline: str | None = None
    ci: Ci = Ci()
    text: str = ""
    """The configuration file's text, kept so that places can be found when they are asked for."""
    prefix: KeyPath = ()
    """The table of the file that holds the keys: `("tool", "dal-audit")` in pyproject.toml."""

    def place_of(self, path: KeyPath) -> Span | None:
        """Return the place of a value, such as `("storage", 1)`, in the configuration file.

        Keys stand as the file spells them; None for what the file does not set.
        """
        return self._places().value(self.prefix + path)

    def key_place_of(self, path: KeyPath) -> Span | None:
        """Return the place of a key, such as `("severity", "DAL101")`."""
        return self._places().key(self.prefix + path)

    def _places(self) -> Places:
        from dal_audit.policy.positions import places_of  # only where something is amiss

        return places_of(self.text)

    def counts_import(self, *, type_checking: bool) -> bool:
        """Return whether an import is judged: one for type checkers alone may be ignored."""
        return not type_checking or self.type_checking_imports == "report"

    def version_of(self, backend: str) -> Version:
        """Return the oldest version of a backend that SQL must run on."""
        return dict[str, Version](self.backend_versions)[backend]


def default_policy(root: Path) -> Policy:
    """Return the policy of a project that configures nothing."""
    return Policy(root=root.absolute())
