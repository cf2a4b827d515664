"""The form in which an audit is kept: what it found, what it asked, and what that hangs on."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from msgspec import MsgspecError, Raw
from msgspec.msgpack import Decoder

from dal_audit.assemble.blind_spot import BlindSpot
from dal_audit.catalogue.rulebook import Severity, rules
from dal_audit.extract.inquiries import Answers, Inquiry, Question
from dal_audit.facts import FactRecord, Span
from dal_audit.judge.breach import Breach, Finding, FindingStatus, Origin
from dal_audit.report.outcome import AuditedFile, Outcome

Form = TypeVar("Form")


class KeptFound(FactRecord, frozen=True):
    """A finding, with the id of its rule."""

    rule: str
    severity: Severity
    breach: Breach
    standing: FindingStatus
    justification: str
    in_source: bool
    origin: Origin | None


class KeptResult(FactRecord, frozen=True):
    """An outcome as it is kept."""

    findings: tuple[KeptFound, ...]
    rules: tuple[str, ...]
    files: tuple[AuditedFile, ...]
    languages: tuple[str, ...]
    assumptions: tuple[str, ...]
    blind_spots: tuple[BlindSpot, ...]
    secrets: dict[str, tuple[Span, ...]]
    tested: tuple[tuple[str, str, bool], ...] | None
    notes: tuple[str, ...]


class KeptAsked(FactRecord, frozen=True):
    """What was asked of files, how they were looked at, and whether more was asked of git."""

    questions: tuple[Question, ...]
    foreign: tuple[str, ...]
    size: int
    asks_beyond: bool
    answers: dict[str, Answers]


class KeptAudit(FactRecord, frozen=True):
    """All that is kept of an audit.

    `places` are joined by NUL; those from `deciding` on decide what git lists, those from `listed`
    on are files. `listing` is a digest of what was listed, `links` are those of the places.
    """

    root: bytes
    places: bytes
    stamps: bytes
    deciding: int
    listed: int
    listing: bytes
    links: tuple[str, ...]
    asked: Raw
    result: Raw


def kept_result(outcome: Outcome) -> KeptResult:
    """Return an outcome in the form in which it is kept."""
    return KeptResult(
        tuple(
            KeptFound(
                finding.rule.id,
                finding.severity,
                finding.breach,
                finding.standing,
                finding.justification,
                finding.in_source,
                finding.origin,
            )
            for finding in outcome.findings
        ),
        tuple(rule.id for rule in outcome.rules),
        outcome.files,
        tuple(sorted(outcome.languages)),
        outcome.assumptions,
        outcome.blind_spots,
        dict(outcome.secrets),
        outcome.tested,
        outcome.notes,
    )


def outcome_of(root: Path, kept: KeptResult) -> Outcome:
    """Return what was found in a project, from the form in which it was kept."""
    by_id = {rule.id: rule for rule in rules()}
    return Outcome(
        root,
        tuple(
            Finding(
                by_id[found.rule],
                found.severity,
                found.breach,
                found.standing,
                found.justification,
                found.in_source,
                found.origin,
            )
            for found in kept.findings
        ),
        tuple(by_id[rule_id] for rule_id in kept.rules),
        kept.files,
        frozenset(kept.languages),
        kept.assumptions,
        kept.blind_spots,
        kept.secrets,
        tested=kept.tested,
        notes=kept.notes,
    )


def kept_asked(inquiry: Inquiry, answers: dict[str, Answers]) -> KeptAsked:
    """Return what was asked in the form in which it is kept."""
    return KeptAsked(
        tuple(inquiry.questions), inquiry.foreign, inquiry.size, inquiry.asks_beyond, answers
    )


def decoded(data: Raw | memoryview, form: type[Form]) -> Form | None:
    """Return what is kept in some bytes; None where they do not have its form."""
    try:
        return Decoder(form).decode(data)
    except (MsgspecError, UnicodeDecodeError):
        return None
