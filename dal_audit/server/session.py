"""A session: one project that an editor works on, read whole once and then edit by edit."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dal_audit.assemble.project import Project
from dal_audit.audit import (
    Reading,
    can_read_again,
    found_in,
    found_in_file,
    projects_of,
    read_again,
    read_project,
)
from dal_audit.judge.breach import Finding
from dal_audit.judge.check import check_of
from dal_audit.policy.request import BASELINE, Request, Watch
from dal_audit.server.buffers import Buffers
from dal_audit.triage.baseline_file import accept
from dal_audit.triage.redaction import secrets_of


def project_sessions(folder: Path, buffers: Buffers, watch: Watch) -> list[Session]:
    """Return a session for each project in a folder.

    Raises as `audit.projects_of` does.
    """
    request = Request(folder=folder, cache=True, watch=watch)
    return [Session(scope.policy.root, buffers, watch) for scope in projects_of(request).scopes]


class Session:
    """One project, and what its files say as the editor shows them."""

    def __init__(self, root: Path, buffers: Buffers, watch: Watch) -> None:
        """Take the project's root; nothing is read yet."""
        self.root = root
        self.findings: Sequence[Finding] = ()
        self._buffers = buffers
        self._watch = watch
        self._reading: Reading | None = None
        self._is_settled = True

    @property
    def project(self) -> Project | None:
        """The project as it was read last; None before that."""
        return None if self._reading is None else self._reading.audited.project

    def holds(self, path: Path) -> bool:
        """Return whether a file lies in the project."""
        return path.is_relative_to(self.root)

    def read(self) -> None:
        """Read the whole project, as it is saved but for what the editor shows.

        Raises as `audit` does; what was found before stays.
        """
        request = self._request()
        (scope,) = (
            scope for scope in projects_of(request).scopes if scope.policy.root == self.root
        )
        reading = read_project(scope, request)
        self._take(reading, request)
        reading.cache.save()

    def edit(self, path: Path) -> None:
        """Read one file again whose text is another, in the editor or on the disk.

        What is found in it is told first; `settle` finds what hangs on it elsewhere. Where that
        could be more than Python's names, the whole project is read. Raises as `read`.
        """
        name = path.relative_to(self.root).as_posix()
        request = self._request()
        text = request.instead.get(name, path)
        before = self._reading
        if (
            before is None
            or not text.is_file()
            or text.is_symlink()
            or not can_read_again(before, name)
        ):
            self.read()
            return
        self._reading = read_again(before, name, text, request)
        if self._reading.audited is not before.audited:
            self._is_settled = False
            others = [finding for finding in self.findings if not _is_in(finding, name)]
            self.findings = [*others, *found_in_file(self._reading, name, request)]

    def settle(self) -> None:
        """Find what the last edits mean for all other files. Raises as `read`."""
        if self._reading is not None and not self._is_settled:
            self._take(self._reading, self._request())

    def accept(self, finding: Finding) -> None:
        """Write one of the findings into the baseline, and read the project anew.

        Raises as `read`, BaselineError for a faulty baseline, OSError where it cannot be written.
        """
        if self.project is not None:
            policy = self.project.policy
            file = policy.root / (policy.baseline or BASELINE)
            accept(finding, file, policy.root, secrets_of(self.project))
            self.read()

    def _request(self) -> Request:
        return Request(
            folder=self.root,
            cache=True,
            jobs=1,  # A thread must not fork: locks that others hold stay held in the child.
            instead=self._buffers.below(self.root),
            watch=self._watch,
        )

    def _take(self, reading: Reading, request: Request) -> None:
        self.findings = found_in(reading, request).findings
        self._reading = reading
        self._is_settled = True


def _is_in(finding: Finding, path: str) -> bool:
    """Return whether a finding lies in a file, by a rule that looks at files alone."""
    return finding.place.path == path and check_of(finding.rule).subjects != (Project,)
