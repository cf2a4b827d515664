"""The form in which an audit is kept: what it found, what it asked, and what that hangs on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from msgspec import MsgspecError, Raw, field
from msgspec.msgpack import Decoder, Encoder
from msgspec.structs import astuple, replace

from dal_audit.assemble.blind_spot import BlindSpot
from dal_audit.catalogue.rulebook import Severity, rules
from dal_audit.extract.inquiries import Answers, Inquiry, Question
from dal_audit.extract.line_moves import LineMoves
from dal_audit.facts import FactRecord, Place, Span
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
    asks_folders: bool
    tracked: bytes
    """A digest of what git's index has; empty where more hangs on it, and where nobody asked."""
    answers: dict[str, Answers]
    tops: tuple[str, ...] = ()
    """What the names of the project's modules begin with."""
    imports_decide: bool = True
    """Whether more hangs on import statements than where they lead in the project."""
    edited: dict[str, dict[int, Raw]] = field(default_factory=dict)
    """What files answer that changed since, in full, by the numbers of the questions."""


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


def pieces_of(kept: KeptAudit) -> list[bytes | memoryview]:
    """Return a kept audit as it is written, field by field: what is encoded is copied no more."""
    encode = Encoder().encode
    fields = astuple(kept)
    head = bytes((0x90 | len(fields),))
    return [
        head,
        *(memoryview(item) if isinstance(item, Raw) else encode(item) for item in fields),
    ]


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


def kept_asked(inquiry: Inquiry, answers: dict[str, Answers], tracked: bytes) -> KeptAsked:
    """Return what was asked in the form in which it is kept; `tracked` is a digest of the index."""
    return KeptAsked(
        tuple(inquiry.questions),
        inquiry.foreign,
        inquiry.size,
        inquiry.asks_beyond,
        inquiry.asks_folders,
        tracked,
        answers,
        tuple(sorted(inquiry.tops)),
        inquiry.imports_decide,
    )


def moved(result: KeptResult, moves: Mapping[str, LineMoves]) -> KeptResult:
    """Return what was found, where the lines of some files went elsewhere.

    Raises UnknownLineError where something lies on a line of which that is not known.
    """
    secrets = {
        path: tuple(map(moves[path].span, spans)) if path in moves else spans
        for path, spans in result.secrets.items()
    }
    findings = tuple(_moved(found, moves) for found in result.findings)
    return replace(result, findings=findings, secrets=secrets)


def _moved(found: KeptFound, moves: Mapping[str, LineMoves]) -> KeptFound:
    breach, origin = found.breach, found.origin
    places = [breach.place, *(related.place for related in breach.related)]
    if origin is not None:
        places.append(origin.place)
    if moves.keys().isdisjoint(place.path for place in places):
        return found

    def move(place: Place) -> Place:
        own = moves.get(place.path)
        return place if own is None else Place(place.path, own.span(place.span))

    breach = replace(
        breach,
        place=move(breach.place),
        related=tuple(replace(related, place=move(related.place)) for related in breach.related),
    )
    if breach.place.path in moves:
        breach = _rewritten(breach, moves[breach.place.path])
    return replace(
        found, breach=breach, origin=origin and replace(origin, place=move(origin.place))
    )


def _rewritten(breach: Breach, moves: LineMoves) -> Breach:
    """Return a breach whose statement and whose fix went where the lines of its file did."""
    extent, fix = breach.extent, breach.fix
    if extent is not None:
        extent = (moves.line(extent[0]), moves.line(extent[1]))
    if fix is not None:
        fix = replace(fix, edits=tuple(map(moves.edit, fix.edits)))
    return replace(breach, extent=extent, fix=fix)


def decoded(data: Raw | memoryview, form: type[Form]) -> Form | None:
    """Return what is kept in some bytes; None where they do not have its form."""
    try:
        return Decoder(form).decode(data)
    except (MsgspecError, UnicodeDecodeError):
        return None
