"""Which backends take a construct of SQL: the catalogue's rows, judged by what a project targets.

The one place where a row, the backends that run a file and their minimum versions come together;
the checks only choose whose rows they report.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from dal_audit.facts import FileFacts, Place
from dal_audit.policy import Policy
from dal_audit.portability import Feature, feature_by_id
from dal_audit.project import Project
from dal_audit.rule import Breach
from dal_audit.sql_facts import SqlConstruct, SqlStatement

NAMES = {
    "sqlite": "SQLite",
    "postgresql": "PostgreSQL",
    "mysql": "MySQL",
    "mariadb": "MariaDB",
    "duckdb": "DuckDB",
}
"""What the backends are called in messages."""

WHOLE_STATEMENTS = frozenset({"statements", "triggers"})
"""The kinds of rows that, at the beginning of a statement, speak for all that stands in it."""

DIVERGENCE = "DAL309"
FUNCTION = "DAL302"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a construct: the backends that reject it, of those that run it.

    Where none does, all take it and do not treat it alike.
    """

    construct: SqlConstruct
    feature: Feature
    backends: tuple[str, ...]
    fails_on: tuple[str, ...]

    @property
    def rule_id(self) -> str:
        """The rule that reports it: what an old version lacks does not run everywhere."""
        if self.feature.rule == DIVERGENCE and self.fails_on:
            return FUNCTION
        return self.feature.rule


def judged(statement: SqlStatement, file: FileFacts, project: Project) -> list[Verdict]:
    """Return a verdict for each construct of a statement that is not portable.

    One construct, one verdict: what speaks for the whole statement speaks for all in it that the
    same backends reject, and of two rows that begin at one place the one that matches more counts.
    """
    if not statement.constructs:
        return []
    backends = project.sql_files.backends_of(file.path)
    found = [
        verdict
        for construct in statement.constructs
        if (verdict := _verdict(construct, backends, project.policy)) is not None
    ]
    return _without_echoes(found)


def breaches(
    rule_id: str, statement: SqlStatement, file: FileFacts, project: Project
) -> Iterator[Breach]:
    """Yield the breaches of one rule in a statement."""
    for verdict in judged(statement, file, project):
        if verdict.rule_id == rule_id:
            yield breach_of(verdict, file)


def breach_of(verdict: Verdict, file: FileFacts) -> Breach:
    """Return a verdict as a breach in a file."""
    span = verdict.construct.span
    rejecting = listed(verdict.fails_on)
    return Breach(
        Place(file.path, span),
        message_of(verdict),
        label=f"{rejecting} rejects this" if verdict.fails_on else "this is not treated alike",
        extent=(span.line, span.end_line),
        severity=None if verdict.fails_on else "warning",
        fails_on=verdict.fails_on,
        cure=verdict.feature.cure,
    )


def message_of(verdict: Verdict) -> str:
    """Return what is wrong with a construct, in one sentence without a full stop."""
    title = verdict.feature.title
    taking = [one for one in verdict.backends if one not in verdict.fails_on]
    if not verdict.fails_on:
        return f"{title} runs on {listed(verdict.backends)}, and is not the same on each"
    needed = [
        f"{NAMES[one]} {since}"
        for one in verdict.fails_on
        if isinstance(since := verdict.feature.engines.get(one), str)
    ]
    if needed:
        return f"{title} needs {' and '.join(needed)}, and the project supports an older one"
    if not taking:
        none = "takes" if len(verdict.fails_on) == 1 else "take"
        return f"{title} is nothing that {listed(verdict.fails_on)} {none}"
    verb = "rejects" if len(verdict.fails_on) == 1 else "reject"
    return f"{title} runs on {listed(taking)} alone: {listed(verdict.fails_on)} {verb} it"


def listed(backends: Sequence[str]) -> str:
    """Return backends as a message names them."""
    return " and ".join(NAMES[one] for one in backends)


def _verdict(construct: SqlConstruct, backends: tuple[str, ...], policy: Policy) -> Verdict | None:
    """Return what becomes of a construct; None where it is portable."""
    feature = feature_by_id()[construct.feature]
    fails_on = _fails_on(feature.id, backends, policy.backend_versions)
    differs = feature.differs and len(backends) > 1
    return Verdict(construct, feature, backends, fails_on) if fails_on or differs else None


@cache
def _fails_on(
    feature_id: str, backends: tuple[str, ...], versions: tuple[tuple[str, tuple[int, ...]], ...]
) -> tuple[str, ...]:
    """Return the backends that reject a feature, the oldest supported version of each counting."""
    oldest = {name: ".".join(map(str, version)) for name, version in versions}
    rejecting = feature_by_id()[feature_id].fails_on({one: oldest.get(one, "") for one in backends})
    return tuple(one for one in backends if one in rejecting)


def _without_echoes(found: list[Verdict]) -> list[Verdict]:
    """Leave out the verdicts that only repeat what another one says of the same place."""
    kept: list[Verdict] = []
    whole: frozenset[str] = frozenset()
    by_place: dict[int, list[Verdict]] = {}
    for one in sorted(found, key=_weight):
        if set(one.fails_on) <= whole and whole:
            continue
        earlier = by_place.setdefault(one.construct.first, [])
        if any(set(one.fails_on) <= set(other.fails_on) for other in earlier):
            continue
        earlier.append(one)
        kept.append(one)
        if _is_whole(one):
            whole |= set(one.fails_on)
    return sorted(kept, key=lambda one: one.construct.span)


def _weight(verdict: Verdict) -> tuple[object, ...]:
    """Order verdicts by how much they say: of the whole statement, rejected, matching more."""
    construct = verdict.construct
    return (
        not _is_whole(verdict),
        -len(verdict.fails_on),
        construct.first,
        -construct.last,
        verdict.feature.id,
    )


def _is_whole(verdict: Verdict) -> bool:
    return verdict.construct.first == 0 and verdict.feature.kind in WHOLE_STATEMENTS
