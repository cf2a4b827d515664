"""The files that findings point into, read once more for excerpts and line hashes.

No report sees a secret, so none can print one, whichever format or finding shows the line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from dal_audit.facts import Span
from dal_audit.judge.breach import Finding
from dal_audit.triage.redaction import redacted


class Sources(Mapping[str, bytes]):
    """The bytes of files by path, each read when it is asked for first: some formats show none.

    A file that cannot be read is not among them.
    """

    def __init__(
        self,
        findings: Sequence[Finding],
        base: Path,
        secrets: Mapping[str, tuple[Span, ...]],
        instead: Mapping[str, Path],
    ) -> None:
        """Take the findings, the folder that their paths count from, and secrets by path.

        Files that are read from elsewhere, `instead`, may be gone when a report is written: where
        there are such, all are read now.
        """
        paths = {finding.place.path for finding in findings}
        paths |= {way.place.path for finding in findings for way in finding.breach.related}
        self._paths = dict.fromkeys(sorted(paths))
        self._base = base
        self._secrets = secrets
        self._instead = instead
        self._read: dict[str, bytes | None] = {}
        if instead:
            self._read.update((path, self._redacted(path)) for path in self._paths)

    def __getitem__(self, path: str) -> bytes:
        """Return what a file holds; raises KeyError for one that is not there."""
        if path not in self._read:
            self._read[path] = self._redacted(path) if path in self._paths else None
        data = self._read[path]
        if data is None:
            raise KeyError(path)
        return data

    def __iter__(self) -> Iterator[str]:
        """Yield the paths of files that can be read, sorted."""
        return (path for path in self._paths if path in self)

    def __len__(self) -> int:
        """Return how many files can be read."""
        return sum(1 for _ in self)

    def _redacted(self, path: str) -> bytes | None:
        """Read a file; None where that fails."""
        try:
            file = self._instead.get(path, self._base / path)
            # A pipe or a device would keep the reader waiting.
            data = file.read_bytes() if file.is_file() else b""
        except OSError:
            return None  # What cannot be read is a finding already; it is shown without an excerpt.
        return redacted(data, self._secrets.get(path, ()), path)
