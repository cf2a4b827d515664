"""What an editor works on: its folders' projects, the texts it shows, and what is found in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from lsprotocol import types

from dal_audit.discover.cache_folder import CACHE
from dal_audit.judge.breach import Finding
from dal_audit.policy.request import Watch
from dal_audit.server.actions import actions_on
from dal_audit.server.buffers import Buffers
from dal_audit.server.diagnostics import covers, diagnostic_of, open_by_file, origin_of
from dal_audit.server.hover import hover_of
from dal_audit.server.lenses import lenses_of
from dal_audit.server.session import Session, project_sessions


class Editor:
    """All projects of one editor. One thread at a time may call what reads them."""

    def __init__(self, watch: Watch) -> None:
        """Begin without a folder; `watch` is told of the stages of each audit."""
        self._watch = watch
        self._buffers = Buffers()
        self._sessions: list[Session] = []
        self._shown: Mapping[tuple[Path, str], Sequence[Finding]] = {}

    def open_folders(self, folders: Iterable[Path]) -> None:
        """Read all projects in some folders. Raises as `audit` does."""
        self._sessions = [
            session
            for folder in folders
            for session in project_sessions(folder, self._buffers, self._watch)
        ]
        for session in self._sessions:
            session.read()

    def read(self) -> None:
        """Read all projects anew. Raises as `audit` does."""
        for session in self._sessions:
            session.read()

    def put(self, path: Path, text: str) -> None:
        """Take a text that is not saved, and read what hangs on it. Raises as `audit` does."""
        self._buffers.put(path, text)
        for session in self._of(path):
            session.edit(path)

    def drop(self, path: Path) -> None:
        """Take a file's saved text again, and read what hangs on it. Raises as `audit` does."""
        self._buffers.drop(path)
        for session in self._of(path):
            session.edit(path)

    def changed(self, path: Path) -> None:
        """Read what hangs on a file that changed on the disk, unless its text is not the saved one.

        Raises as `audit` does.
        """
        for session in self._of(path):
            if not self._buffers.holds(path) and CACHE not in path.parts:
                session.edit(path)

    def settle(self) -> None:
        """Find what the last edits mean for all other files. Raises as `audit` does."""
        for session in self._sessions:
            session.settle()

    def close(self) -> None:
        """Remove the texts that were not saved."""
        self._buffers.close()

    def news(self) -> dict[str, list[types.Diagnostic]]:
        """Return what is to be shown in each file of which another thing was told before."""
        found = {
            (session.root, path): findings
            for session in self._sessions
            for path, findings in open_by_file(session.findings).items()
        }
        gone = self._shown.keys() - found.keys()
        changed = {file: own for file, own in found.items() if self._shown.get(file) != own}
        self._shown = found
        return {
            (root / path).as_uri(): [diagnostic_of(finding, root) for finding in findings]
            for (root, path), findings in {**dict.fromkeys(gone, ()), **changed}.items()
        }

    def actions(self, path: Path, at: types.Range, lines: list[str]) -> list[types.CodeAction]:
        """Return what can be done about the findings at a place in a file."""
        return [
            action
            for session, finding in self._at(path, at)
            for action in actions_on(
                finding, session.root, lines, is_saved=not self._buffers.holds(path)
            )
        ]

    def accept(self, path: Path, rule_id: str, at: tuple[int, int]) -> None:
        """Write a finding at a line and column (from 1) into the baseline, and read its project.

        Raises as `audit` does, and as writing a file does.
        """
        start = types.Position(at[0] - 1, at[1] - 1)
        for session, finding in self._at(path, types.Range(start, start)):
            is_meant = (finding.place.span.line, finding.place.span.column) == at
            if is_meant and finding.rule.id == rule_id:
                session.accept(finding)
                return

    def hover(self, path: Path, at: types.Position) -> types.Hover | None:
        """Return what is told of the finding at a place."""
        found = (hover_of(finding) for _, finding in self._at(path, types.Range(at, at)))
        return next(found, None)

    def origins(self, path: Path, at: types.Position) -> list[types.Location]:
        """Return where the ways of the findings at a place begin."""
        found = (
            origin_of(finding, session.root)
            for session, finding in self._at(path, types.Range(at, at))
        )
        return [origin for origin in found if origin is not None]

    def lenses(self, path: Path) -> list[types.CodeLens]:
        """Return what is shown above the interfaces in a file."""
        return [
            lens
            for session in self._of(path)
            if session.project is not None
            for lens in lenses_of(session.project, path.relative_to(session.root).as_posix())
        ]

    def _of(self, path: Path) -> list[Session]:
        """Return the innermost project that a file lies in."""
        holding = [session for session in self._sessions if session.holds(path)]
        return sorted(holding, key=lambda session: len(session.root.parts))[-1:]

    def _at(self, path: Path, at: types.Range) -> Iterator[tuple[Session, Finding]]:
        for session in self._of(path):
            for finding in session.findings:
                is_here = session.root / finding.place.path == path
                if is_here and finding.standing == "open" and covers(finding.place.span, at):
                    yield session, finding
