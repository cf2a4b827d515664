"""Which SQL files are migrations, and which backends run them.

The configuration decides; where it is silent, the sets that were found in the project do, and for
a file in none of them its path.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import Final

from dal_audit.facts.sql import ANY_NAME, AlterObject, CreateObject, OtherStatement, SqlStatement
from dal_audit.migrations.model import MigrationLayout, MigrationSet
from dal_audit.policy import Policy, compile_globs

CALLABLE: Final = frozenset({"function", "aggregate", "procedure"})
"""The kinds of things made by SQL that are called like functions."""

GIVEN: Final = "given:"
"""What stands before the name of a function that code gives its connections."""

EXTENSION: Final = "create extension"
_SIGNATURE: Final = re.compile(
    r"(?:\b(?:FUNCTION|PROCEDURE|AGGREGATE)\s+|\AEXECUTE(?:\s.*?)??\s)"
    r"(?:IF\s+NOT\s+EXISTS\s+)?(?:\w+\.)?(\w+)\s*\(",
    re.IGNORECASE | re.DOTALL,
)
"""A function that code makes which is not followed: a `DO` block, or a plug-in's operation."""
SHOWN: Final = 4
"""How many sets a line of assumptions names."""


def made_by(statements: Iterable[SqlStatement]) -> frozenset[str]:
    """Return the functions that SQL makes; `EXTENSION` stands for what extensions bring."""
    return frozenset(name for statement in statements for name in _made(statement))


def _made(statement: SqlStatement) -> Iterator[str]:
    made = statement.structure
    if isinstance(made, OtherStatement) and made.body:
        yield from (name.lower() for name in _SIGNATURE.findall(made.body))
    if isinstance(made, AlterObject) and made.what in CALLABLE and made.name is not None:
        yield made.name.name.lower()  # What is altered was made, if not here.
    if not isinstance(made, CreateObject) or made.name is None:
        return
    if made.what in CALLABLE:
        is_given = statement.within is not None and statement.within.how == "create_function"
        yield GIVEN * is_given + made.name.name.lower()
    elif made.what == "extension":
        yield EXTENSION


class SqlFiles:
    """The SQL files of a project, as the configuration and its migration sets tell them apart."""

    def __init__(
        self,
        policy: Policy,
        layout: MigrationLayout,
        made: Mapping[str, frozenset[str]] = MappingProxyType({}),
    ) -> None:
        """Take the policy, the sets that the files make, and what each file `made_by` its SQL."""
        self.policy = policy
        self._layout = layout
        self._made_by_file = made
        self._sets = layout.by_path()
        self._unrecognised = frozenset(
            path for folder in layout.unrecognised for path in folder.paths
        )
        self._own = {
            part.path: migration.backends
            for migration_set in layout.sets
            for migration in migration_set.migrations
            for part in (*migration.up, *migration.down)
            if migration.backends is not None
        }
        self._configured = tuple(
            (compile_globs((_below(folder.path), folder.path), anchored=True), folder.backends)
            for folder in policy.migrations or ()
        )

    def is_migration(self, path: str) -> bool:
        """Return whether a file belongs to a set of migrations.

        What lies in a configured folder, or in a folder that is called `migrations`, does so
        whatever it is named.
        """
        if self.policy.migrations is not None:
            return any(covers(path) for covers, _ in self._configured)
        return path in self._sets or path in self._unrecognised

    def set_of(self, path: str) -> str:
        """Return what the files of one set have in common: its root; else a file's own folder."""
        found = self._sets.get(path)
        return found.root if found is not None else path.rpartition("/")[0]

    def may_call(self, name: str, path: str, *, in_code: bool = False) -> bool:
        """Return whether the set of a file makes what is called by a name, or may bring it in.

        An extension can bring anything. What code calls may be made anywhere in the project.
        """
        made = self._made_for(path, in_code=in_code)
        return EXTENSION in made or name.lower() in made

    def has_extensions(self, path: str, *, in_code: bool = False) -> bool:
        """Return whether the set of a file brings extensions in; for code the whole project."""
        return EXTENSION in self._made_for(path, in_code=in_code)

    def _made_for(self, path: str, *, in_code: bool) -> frozenset[str]:
        return self._made_anywhere if in_code else self._made.get(self.set_of(path), frozenset())

    def is_given(self, name: str) -> bool:
        """Return whether code of the project gives its connections a function of a name."""
        return GIVEN + name in self._made_anywhere

    @property
    def is_given_any(self) -> bool:
        """Return whether code gives its connections functions whose names are not known."""
        return self.is_given(ANY_NAME)

    @cached_property
    def _made_anywhere(self) -> frozenset[str]:
        """The functions that the project makes."""
        return frozenset[str]().union(*self._made_by_file.values())

    def makes(self, names: Collection[str], path: str) -> bool:
        """Return whether the set of a file makes functions of all these names itself."""
        return bool(names) and self._made.get(self.set_of(path), frozenset()).issuperset(names)

    @cached_property
    def _made(self) -> Mapping[str, frozenset[str]]:
        """The functions that each set makes."""
        found: dict[str, frozenset[str]] = {}
        for path, names in self._made_by_file.items():
            if names:
                within = self.set_of(path)
                found[within] = found.get(within, frozenset()) | names
        return found

    def backends_of(self, path: str) -> tuple[str, ...]:
        """Return the backends that run a file; none where only engines run it that are no backend.

        What is configured for a folder counts before a file's name, and that before its set's. A
        set for a backend which is no target is judged for that backend all the same: it is there
        to be run.
        """
        for covers, backends in self._configured:
            if backends is not None and covers(path):
                return backends
        named = self._engines_of(path)
        if named is None:
            return self.policy.backends
        known = dict(self.policy.backend_versions)
        return tuple(backend for backend in named if backend in known)

    def _engines_of(self, path: str) -> Sequence[str] | None:
        """Return the engines that a file is for, by its name or its set; None where none is named.

        A file in no set can only tell by its path.
        """
        found = self._sets.get(path)
        named = self._own.get(path) or (found.backends if found is not None else None)
        if named is not None or found is not None:
            return named
        from dal_audit.migrations.detect import backend_of_script

        engine = backend_of_script(path)
        return (engine,) if engine else None

    def assumptions(self) -> Iterator[str]:
        """Yield what is assumed: which sets are judged, which no backend runs, and the rest."""
        scripts = [
            migration_set
            for migration_set in self._layout.sets
            if not all(path.endswith(".py") for path in migration_set.paths())
        ]
        judged = [any(map(self.backends_of, found.paths())) for found in scripts]
        for title, wanted in (("SQL migrations", True), ("SQL of other engines", False)):
            shown = [
                _shown(found)
                for found, is_judged in zip(scripts, judged, strict=True)
                if is_judged == wanted
            ]
            yield from _line(title, shown)
        loose = [folder.folder or "." for folder in self._layout.unordered]
        yield from _line("SQL in no order that is known", loose)


def _shown(found: MigrationSet) -> str:
    """Return a set as a line of assumptions names it."""
    root = found.root or "."
    return root if found.tool == "plain" else f"{root} ({found.tool})"


def _line(title: str, shown: list[str]) -> Iterator[str]:
    if len(shown) > SHOWN:
        shown[SHOWN:] = [f"{len(shown) - SHOWN} more"]
    if shown:
        yield f"{title}: {', '.join(shown)}"


def _below(folder: str) -> str:
    """Return the glob of all that lies below a configured folder."""
    folder = folder.strip("/").removeprefix("./")
    return f"{folder}/**" if folder not in {"", "."} else "**"
