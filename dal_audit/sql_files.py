"""Which SQL files are migrations, and which backends run them.

The configuration decides; where it is silent, the sets that were found in the project do, and for
a file in none of them its path.
"""

from __future__ import annotations

from dal_audit.migrations import MigrationLayout, backend_of_script
from dal_audit.policy import Policy, compile_globs


class SqlFiles:
    """The SQL files of a project, as the configuration and its migration sets tell them apart."""

    def __init__(self, policy: Policy, layout: MigrationLayout) -> None:
        """Take the project's policy, and the sets that its files make."""
        self.policy = policy
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
            engine = backend_of_script(path)
            named = (engine,) if engine else None
        if named is None:
            return self.policy.backends
        known = dict(self.policy.backend_versions)
        return tuple(one for one in named if one in known)


def _below(folder: str) -> str:
    """Return the glob of all that lies below a configured folder."""
    folder = folder.strip("/").removeprefix("./")
    return f"{folder}/**" if folder not in {"", "."} else "**"
