"""Which SQL files are migrations, and which backends run them.

The configuration decides; where it is silent, the sets that were found in the project do, and for
a file in none of them its path.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

from dal_audit.facts import FileFacts
from dal_audit.facts.sql import CreateObject, SqlStatement
from dal_audit.migrations.model import MigrationLayout
from dal_audit.policy import Policy, compile_globs

CALLABLE = frozenset({"function", "aggregate", "procedure"})
"""The kinds of things made by SQL that are called like functions."""

EXTENSION = "create extension"
SHOWN = 4
"""How many sets a line of assumptions names."""


class SqlFiles:
    """The SQL files of a project, as the configuration and its migration sets tell them apart."""

    def __init__(
        self, policy: Policy, layout: MigrationLayout, facts: Sequence[FileFacts] = ()
    ) -> None:
        """Take the project's policy, the sets that its files make, and the facts of its files."""
        self.policy = policy
        self._layout = layout
        self._facts = facts
        self._sets = layout.by_path()
        self._unrecognised = {path: one.folder for one in layout.unrecognised for path in one.paths}
        self._own = {
            part.path: migration.backends
            for one in layout.sets
            for migration in one.migrations
            for part in (*migration.up, *migration.down)
            if migration.backends is not None
        }
        self._configured = tuple(
            (compile_globs((_below(one.path), one.path), anchored=True), one.backends)
            for one in policy.migrations or ()
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

    def may_call(self, name: str, path: str) -> bool:
        """Return whether the set of a file makes what is called by a name, or may bring it in.

        An extension can bring anything.
        """
        made = self._made.get(self.set_of(path), frozenset())
        return EXTENSION in made or name.lower() in made

    @cached_property
    def _made(self) -> dict[str, frozenset[str]]:
        """The functions that each set makes; `EXTENSION` stands for what extensions bring."""
        found: dict[str, set[str]] = {}
        for file in self._facts:
            for fact in file.facts:
                made = fact.structure if isinstance(fact, SqlStatement) else None
                if not isinstance(made, CreateObject) or made.name is None:
                    continue
                if made.what in CALLABLE:
                    found.setdefault(self.set_of(file.path), set()).add(made.name.name.lower())
                elif made.what == "extension":
                    found.setdefault(self.set_of(file.path), set()).add(EXTENSION)
        return {within: frozenset(names) for within, names in found.items()}

    def backends_of(self, path: str) -> tuple[str, ...]:
        """Return the backends that run a file; none where only engines run it that are no backend.

        What is configured for a folder counts before a file's name, and that before its set's. A
        set for a backend which is no target is judged for that backend all the same: it is there
        to be run.
        """
        for covers, backends in self._configured:
            if backends is not None and covers(path):
                return backends
        found = self._sets.get(path)
        named = self._own.get(path) or (found.backends if found is not None else None)
        if named is None and found is None:
            from dal_audit.migrations.recognise import backend_of_script

            engine = backend_of_script(path)
            named = (engine,) if engine else None
        if named is None:
            return self.policy.backends
        known = dict(self.policy.backend_versions)
        return tuple(one for one in named if one in known)

    def assumptions(self) -> Iterator[str]:
        """Yield what is assumed: which sets are judged, which no backend runs, and the rest."""
        scripts = [
            one
            for one in self._layout.sets
            if not all(path.endswith(".py") for path in one.paths())
        ]
        for title, is_judged in (("SQL migrations", True), ("SQL of other engines", False)):
            shown = [
                f"{one.root or '.'}{f' ({one.tool})' if one.tool != 'plain' else ''}"
                for one in scripts
                if any(self.backends_of(path) for path in one.paths()) == is_judged
            ]
            yield from _line(title, shown)
        loose = [one.folder or "." for one in self._layout.unrecognised]
        yield from _line("SQL in no order that is known", loose)


def _line(title: str, shown: list[str]) -> Iterator[str]:
    if len(shown) > SHOWN:
        shown[SHOWN:] = [f"{len(shown) - SHOWN} more"]
    if shown:
        yield f"{title}: {', '.join(shown)}"


def _below(folder: str) -> str:
    """Return the glob of all that lies below a configured folder."""
    folder = folder.strip("/").removeprefix("./")
    return f"{folder}/**" if folder not in {"", "."} else "**"
