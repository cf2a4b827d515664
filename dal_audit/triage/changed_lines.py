"""`--since`: of a whole project's findings, those that lie on lines changed since a revision."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from dal_audit.discover.git_history import ALL, Lines, Repository
from dal_audit.judge.breach import Finding

ALWAYS: Final = frozenset({"edited-migration", "nothing-audited", "unreadable-file"})
"""Rules whose findings are reported wherever they lie: an audit that saw nothing is not green, and
what was done to a migration is a change by itself."""


class ChangedLines:
    """The lines of a project that are not as they were when HEAD and a revision parted."""

    def __init__(self, root: Path, revision: str, paths: Iterable[str]) -> None:
        """Ask git of some paths; raises HistoryError where it cannot tell."""
        repository = Repository(root)
        self._lines = repository.changed_lines(repository.merge_base(revision), frozenset(paths))

    def kept(self, findings: Sequence[Finding]) -> list[Finding]:
        """Return the findings on changed lines.

        A finding lies on all lines of its statement, and on those of the uses that hang on it; the
        way by which a driver came here is not its own.
        """
        return [
            finding
            for finding in findings
            if finding.rule.name in ALWAYS
            or any(_meets(_lines(self._lines, path), part) for path, part in _stretches(finding))
        ]

    def touch(self, paths: Iterable[str]) -> bool:
        """Return whether a changed line lies in one of these files."""
        return any(_lines(self._lines, path) for path in paths)


def paths_of(finding: Finding) -> Iterator[str]:
    """Yield the paths of the files that a finding lies in."""
    return (path for path, _ in _stretches(finding))


def _stretches(finding: Finding) -> Iterator[tuple[str, tuple[int, int]]]:
    breach = finding.breach
    span = breach.place.span
    first, last = breach.lines
    yield breach.place.path, (min(first, span.line), max(last, span.end_line))
    for relation in breach.related[breach.flow_length :]:
        yield relation.place.path, (relation.place.span.line, relation.place.span.end_line)


def _lines(changed: Mapping[str, Lines], path: str) -> Lines:
    """Return the changed lines of a file: all, where a folder above it counts as changed."""
    if path in changed:
        return changed[path]
    parts = path.split("/")
    heads = ("/".join(parts[:count]) for count in range(1, len(parts)))
    return ALL if any(head in changed for head in heads) else ()


def _meets(lines: Lines, stretch: tuple[int, int]) -> bool:
    """Return whether a stretch has a line in common with sorted, disjoint ones."""
    first, last = stretch
    index = bisect_left(lines, first, key=lambda line: line[1])
    return index < len(lines) and lines[index][0] <= last
