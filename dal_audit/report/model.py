"""What every report is made from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct, field

from dal_audit.assemble.blind_spot import BlindSpot
from dal_audit.catalogue.rulebook import Clause, Rule, Severity
from dal_audit.discover.projects import ProjectScope
from dal_audit.judge.breach import Finding
from dal_audit.report.outcome import Outcome

_RANKS: Final[Mapping[Severity, int]] = {"off": 0, "info": 1, "warning": 2, "error": 3}


def fails(finding: Finding, fail_on: Severity) -> bool:
    """Return whether a finding makes an audit fail: it is open, and at or above a severity."""
    return finding.standing == "open" and _RANKS[finding.severity] >= _RANKS[fail_on]


class Report(Struct, frozen=True):
    """The result of an audit.

    `findings` hold all findings, whatever their standing, sorted by path, place and rule; their
    paths are POSIX and relative to `base`, the repository's root (or the common folder, where there
    is no repository). `sources` holds the bytes of each file that a finding lies in, as far as they
    could be read.
    """

    findings: tuple[Finding, ...]
    rules: tuple[Rule, ...]
    """The rules that ran."""
    clauses: tuple[Clause, ...]
    """All clauses of the law."""
    sources: Mapping[str, bytes] = field(default_factory=dict)
    files: int = 0
    """How many files were audited."""
    languages: frozenset[str] = frozenset({"python"})
    """The languages of the files that were audited; migrations in Python are one of their own."""
    ruled_out: int = 0
    """How many of them their bytes ruled out."""
    assumptions: tuple[str, ...] = ()
    """What was assumed where nothing is configured, a line each."""
    notes: tuple[str, ...] = ()
    """Which assumption many findings hang on, with the line of configuration that decides it."""
    tested: tuple[tuple[str, str, bool], ...] | None = None
    """The target backends, which job tests each, and whether that was seen; None without CI."""
    blind_spots: tuple[BlindSpot, ...] = ()
    """What was not looked at, and why: no clause is passed by it."""
    limited: bool = False
    """Whether only some paths were asked for, so that verdicts speak of these alone."""
    version: str = ""
    date: str = ""
    """The day of the report, `2026-01-31`; empty where nobody gave one, so that equal input gives
    equal reports."""
    source_url: str = ""
    """The address of a source on the web, with `{path}` and `{line}`; empty where there is none."""
    scopes: tuple[ProjectScope, ...] = ()
    """The projects, as they were found: their files and what was asked for of each."""
    outcome: Outcome | None = None
    """What was found in all of the one project that was audited; None where there are several."""
    here: str = "."
    """The current folder, POSIX and relative to `base`; text reports name files relative to it."""
    there: str = "."
    """The way back: `base`, POSIX and relative to the current folder."""

    @property
    def open(self) -> tuple[Finding, ...]:
        """The findings that count."""
        return tuple(finding for finding in self.findings if finding.standing == "open")

    @property
    def accepted(self) -> tuple[Finding, ...]:
        """The findings that were suppressed, waived or baselined."""
        return tuple(finding for finding in self.findings if finding.standing != "open")
