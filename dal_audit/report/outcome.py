"""What was found in a project, whatever part of it is reported."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from dal_audit.assemble.blind_spot import BlindSpot
from dal_audit.catalogue.rulebook import Rule
from dal_audit.extract.inquiries import Inquiry
from dal_audit.facts import FactRecord, Span
from dal_audit.judge.breach import Finding


class AuditedFile(FactRecord, frozen=True):
    """An audited file, the languages it counts for, and whether its bytes ruled it out."""

    path: str
    languages: tuple[str, ...]
    is_ruled_out: bool


class Outcome(Struct, frozen=True):
    """What was found in one project; paths are relative to its root.

    `languages` are those that the project has, whichever files are reported; `secrets` are where
    secrets stand, by file.
    """

    root: Path
    findings: tuple[Finding, ...]
    rules: tuple[Rule, ...]
    files: tuple[AuditedFile, ...]
    languages: frozenset[str]
    assumptions: tuple[str, ...]
    blind_spots: tuple[BlindSpot, ...] = ()
    secrets: Mapping[str, tuple[Span, ...]] = {}
    inquiry: Inquiry | None = None
    """What was asked of the project's files; None where that was asked in another run."""
    tested: tuple[tuple[str, str, bool], ...] | None = None
    """Each target backend, the job that tests it, and whether that was seen; None without CI."""
    notes: tuple[str, ...] = ()
    """Which assumption many findings hang on, with the line of configuration that decides it."""
