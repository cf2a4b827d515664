"""An audit that is kept, and goes on from what it knows when files change on the disk."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from msgspec.structs import replace

from dal_audit.audit import (
    Reading,
    can_read_again,
    judged,
    projects_of,
    read_again,
    read_project,
)
from dal_audit.discover.cache_folder import CACHE
from dal_audit.discover.projects import AuditPlan
from dal_audit.policy.request import Request
from dal_audit.report.merge import merge
from dal_audit.report.model import Report


class LiveAudit:
    """The projects of a request, as they were read last."""

    def __init__(self, request: Request) -> None:
        """Take what is asked for; nothing is read yet."""
        # What watches files is a thread, beside which no process can be forked.
        self._request = replace(request, jobs=1)
        self._plan: AuditPlan | None = None
        self._readings: dict[Path, Reading] = {}

    @property
    def folders(self) -> tuple[Path, ...]:
        """The folders whose files the report hangs on. Raises as `audit` does."""
        return tuple(scope.policy.root for scope in projects_of(self._request).scopes)

    def read(self) -> Report:
        """Read all projects anew, and return their report. Raises as `audit` does."""
        plan = projects_of(self._request)
        self._readings = {
            scope.policy.root: read_project(scope, self._request) for scope in plan.scopes
        }
        self._plan = plan
        report = self._report(plan)
        for reading in self._readings.values():
            reading.cache.save()
        return report

    def update(self, changed: Iterable[Path]) -> Report | None:
        """Return the report after files changed; None where none of them matters.

        Files of Python that were there before are read alone, all others with their projects.
        Raises as `audit` does; the next update reads all anew then.
        """
        paths = {path for path in changed if CACHE not in path.parts}
        if not paths:
            return None
        plan, self._plan = self._plan, None
        edits = None if plan is None else list(self._edits(paths))
        if plan is None or edits is None or len(edits) < len(paths):
            return self.read()
        for root, name in edits:
            text = root / name
            self._readings[root] = read_again(self._readings[root], name, text, self._request)
        self._plan = plan
        return self._report(plan)

    def _edits(self, paths: Collection[Path]) -> Iterator[tuple[Path, str]]:
        """Yield the project and the name of each file that can be read alone."""
        for path in sorted(paths):
            roots = [root for root in self._readings if path.is_relative_to(root)]
            root = max(roots, key=lambda root: len(root.parts), default=None)
            if root is None or not path.is_file() or path.is_symlink():
                continue
            name = path.relative_to(root).as_posix()
            if can_read_again(self._readings[root], name):
                yield root, name

    def _report(self, plan: AuditPlan) -> Report:
        parts = [judged(self._readings[scope.policy.root], self._request) for scope in plan.scopes]
        return merge(parts, plan, self._request)
