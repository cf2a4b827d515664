"""The results of several projects as one report."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct, field

from dal_audit import __version__
from dal_audit.assemble.blind_spot import BlindSpot
from dal_audit.catalogue.rulebook import Rule, clauses
from dal_audit.discover.files import RUST_SUFFIX, path_filter
from dal_audit.discover.projects import AuditPlan, relative_to
from dal_audit.facts import Span
from dal_audit.judge.breach import Finding
from dal_audit.policy.request import Request
from dal_audit.report.model import Report
from dal_audit.report.outcome import AuditedFile, Outcome
from dal_audit.report.sources import Sources

if TYPE_CHECKING:
    from dal_audit.assemble.project import Project


class Part(Struct, frozen=True, kw_only=True):
    """What is reported of one project; paths are relative to its root."""

    root: Path
    findings: tuple[Finding, ...]
    rules: tuple[Rule, ...]
    files: int
    languages: frozenset[str]
    ruled_out: int = 0
    assumptions: tuple[str, ...] = ()
    secrets: Mapping[str, tuple[Span, ...]] = field(default_factory=dict)
    blind_spots: tuple[BlindSpot, ...] = ()
    limited: bool = False
    tested: tuple[tuple[str, str, bool], ...] | None = None
    """Each target backend, the job that tests it, and whether that was seen; None without CI."""
    notes: tuple[str, ...] = ()
    """Which assumption many findings hang on, with the line of configuration that decides it."""


class ProjectResult(Part, frozen=True, kw_only=True):
    """The result for one project that was audited now."""

    project: Project
    """What all stages up to judging made of the project."""
    outcome: Outcome | None = None
    """What was found in all of it; None where only that was looked for which is reported."""


def language_of(path: str) -> str:
    """Return the language of a program's file."""
    return "rust" if path.endswith(RUST_SUFFIX) else "python"


def audited_files(project: Project, scripts: Container[str]) -> tuple[AuditedFile, ...]:
    """Return the audited files with what they are: SQL, Python, Rust, or migrations in Python."""
    of_ci = {file.path for file in project.ci.audited}
    sets = project.layout.by_path()

    def languages(path: str) -> tuple[str, ...]:
        if path in of_ci:
            return ()
        if path in scripts:
            return ("sql",)
        own = language_of(path)
        return (own, "python-migrations") if path in sets else (own,)

    return tuple(
        AuditedFile(file.path, languages(file.path), file.attention == "ruled-out")
        for file in project.files
    )


def languages_of(project: Project) -> frozenset[str]:
    """Return what a project has besides its files: SQL in its code, and CI."""
    found = {"sql"} if project.embeds_sql else set()
    if project.ci.files or project.ci.foreign:
        found.add("ci")
    return frozenset(found)


def part_of(outcome: Outcome, requested: Sequence[str], *, limited: bool = False) -> Part:
    """Return what is reported of a project: what lies in the paths that were asked for."""
    is_reported = path_filter(requested)
    reported = [file for file in outcome.files if is_reported(file.path)]
    return Part(
        root=outcome.root,
        findings=tuple(
            finding
            for finding in outcome.findings
            if finding.rule.about_project or is_reported(finding.place.path)
        ),
        rules=outcome.rules,
        files=len(reported),
        languages=outcome.languages.union(*(file.languages for file in reported)),
        ruled_out=sum(file.is_ruled_out for file in reported),
        assumptions=outcome.assumptions,
        secrets=outcome.secrets,
        blind_spots=outcome.blind_spots,
        limited=limited or "." not in requested,
        tested=outcome.tested,
        notes=outcome.notes,
    )


def merge(parts: Sequence[Part], plan: AuditPlan, request: Request) -> Report:
    """Make one report of several projects, with paths relative to the base."""
    folder, base = request.folder, plan.base
    findings = sorted((finding for part in parts for finding in _moved(part, base)), key=_order)
    secrets = dict(pair for part in parts for pair in _secrets(part, base))
    return Report(
        findings=tuple(findings),
        rules=_rules(parts),
        clauses=clauses(),
        sources=Sources(findings, base, secrets, relative_to(base, folder, request.instead)),
        files=sum(part.files for part in parts),
        languages=frozenset().union(*(part.languages for part in parts)),
        ruled_out=sum(part.ruled_out for part in parts),
        assumptions=tuple(_told(parts, base, lambda part: part.assumptions)),
        notes=tuple(_told(parts, base, lambda part: part.notes)),
        blind_spots=tuple(_spots(parts, base)),
        limited=any(part.limited for part in parts),
        tested=_tested(parts, base),
        version=__version__,
        scopes=plan.scopes,
        here=_relative(folder, base),
        there=_relative(base, folder),
    )


def _rules(parts: Sequence[Part]) -> tuple[Rule, ...]:
    """Return the rules that ran in any project, by their ids."""
    ran = {rule.id: rule for part in parts for rule in part.rules}
    return tuple(ran[rule_id] for rule_id in sorted(ran))


def _secrets(part: Part, base: Path) -> Iterator[tuple[str, tuple[Span, ...]]]:
    """Yield the secrets of each file of a project, by its path from the base."""
    root = _relative(part.root, base)
    for path, spans in part.secrets.items():
        yield os.path.normpath(f"{root}/{path}"), spans


def _told(parts: Sequence[Part], base: Path, of: Callable[[Part], Iterable[str]]) -> Iterator[str]:
    """Yield what is said of each project, and in which one where there are several."""
    for part in parts:
        where = _where(part, parts, base)
        yield from (f"{line}{where}" for line in of(part))


def _tested(parts: Sequence[Part], base: Path) -> tuple[tuple[str, str, bool], ...] | None:
    """Return what was seen of the backends of all projects that have CI, and in which project."""
    found = [part for part in parts if part.tested is not None]
    if not found:
        return None
    return tuple(
        (backend, f"{by}{_where(part, parts, base)}", is_seen)
        for part in found
        for backend, by, is_seen in part.tested or ()
    )


def _where(part: Part, parts: Sequence[Part], base: Path) -> str:
    """Return in which project something is; nothing where there is one."""
    return f" (in {_relative(part.root, base)})" if len(parts) > 1 else ""


def _spots(parts: Sequence[Part], base: Path) -> Iterator[BlindSpot]:
    """Yield what was not looked at; what one of several projects lacks is a part of the whole."""
    if len(parts) == 1:
        yield from parts[0].blind_spots
        yield from _crossings(parts[0], (), base)
        return
    audited = [part for part in parts if part.files]
    lacking = Counter(
        scope
        for part in audited
        for scope in {spot.scope for spot in part.blind_spots if spot.is_total}
    )
    for part in audited:
        others = [other for other in parts if other is not part]
        for spot in (*part.blind_spots, *_crossings(part, others, base)):
            reason = f"{spot.reason} (in {_relative(part.root, base)})"
            yield BlindSpot(
                spot.scope, reason, is_total=spot.is_total and lacking[spot.scope] == len(audited)
            )


def _crossings(part: Part, others: Sequence[Part], base: Path) -> Iterator[BlindSpot]:
    """Yield what a project takes from others; what was kept of one says so already."""
    if isinstance(part, ProjectResult):
        from dal_audit.assemble.crossings import crossings  # only where it was audited now

        projects = [other.project for other in others if isinstance(other, ProjectResult)]
        yield from crossings(part.project, projects, base)


def _moved(part: Part, base: Path) -> Iterator[Finding]:
    prefix = _relative(part.root, base)
    for finding in part.findings:
        if prefix == ".":
            yield finding
        else:
            yield finding.moved(lambda path: os.path.normpath(f"{prefix}/{path}"))


def _order(finding: Finding) -> tuple[object, ...]:
    place = finding.place
    return (place.path, place.span, finding.rule.id, finding.breach.message)


def _relative(path: Path, base: Path) -> str:
    return Path(os.path.relpath(path, base)).as_posix()
