"""Which backends take a construct of SQL: the catalogue's rows, judged by what a project targets.

The one place where a row, the backends that run a file and their minimum versions come together;
the checks only choose whose rows they report.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache

from msgspec import Struct
from msgspec.structs import replace

from dal_audit.assemble.first_runs import first_runs
from dal_audit.assemble.project import Project
from dal_audit.catalogue.engine_names import ENGINE_TITLES
from dal_audit.catalogue.portability import Feature, feature_by_id
from dal_audit.facts import FileFacts, Place, Span
from dal_audit.facts.sql import (
    AlterTable,
    Column,
    CreateObject,
    CreateTable,
    SqlCall,
    SqlConstruct,
    SqlStatement,
)
from dal_audit.fix.sql import fix_of
from dal_audit.judge.breach import Breach
from dal_audit.schema import EXEMPTED

WHOLE_STATEMENTS = frozenset({"statements", "triggers"})
"""The kinds of rows that, at the beginning of a statement, speak for all that stands in it."""

MAKE_FUNCTIONS = frozenset({"postgresql"})
"""The backends in which SQL itself can make functions."""

_CALLED = re.compile(r"(\w+)/\d")
"""The functions that a row's pattern is about: each with the number of its arguments."""

LOOK_UP_LATE = frozenset({"sqlite"})
"""The backends that take any function in such places as a view, and look it up when it is used."""

DIVERGENCE = "DAL309"
FUNCTION = "DAL302"


class PortabilityVerdict(Struct, frozen=True):
    """What becomes of a construct: the backends that reject it, of those that run it.

    Where none does, all take it and do not treat it alike. `late` are those that take it where it
    is written and fail when it is used, or when the table has rows.
    """

    construct: SqlConstruct
    feature: Feature
    backends: tuple[str, ...]
    fails_on: tuple[str, ...]
    late: tuple[str, ...] = ()

    @property
    def rule_id(self) -> str:
        """The rule that reports it: what an old version lacks does not run everywhere."""
        if self.feature.rule == DIVERGENCE and (self.fails_on or self.late):
            return FUNCTION
        return self.feature.rule

    @property
    def use(self) -> str:
        """When those that take it where it is written fail."""
        return "where the table has rows" if self.feature.needs_rows else "when it is used"


def verdicts(
    statement: SqlStatement, file: FileFacts, project: Project
) -> list[PortabilityVerdict]:
    """Return a verdict for each construct of a statement that is not portable.

    One construct, one verdict: what speaks for the whole statement speaks for all in it that the
    same backends reject, and what speaks for a construct speaks for what lies in that.
    """
    if not statement.constructs and not statement.calls:
        return []
    backends = project.sql_files.backends_of(file.path)
    found = [
        _verdict(construct, backends, file.path, project) for construct in statement.constructs
    ]
    rows = {construct.first for construct in statement.constructs}
    found += [
        _verdict_of_call(call, backends, file.path, project)
        for call in statement.calls
        if call.first not in rows
    ]
    late = _looked_up_late(statement)
    in_use = [_in_use(verdict, late) for verdict in found if verdict is not None]
    return _without_echoes(list(_not_exempt(in_use, Place(file.path, statement.span), project)))


def _not_exempt(
    found: Iterable[PortabilityVerdict], place: Place, project: Project
) -> Iterator[PortabilityVerdict]:
    """Yield verdicts without those that the schema knows to be wrong."""
    for verdict in found:
        needs_rows = verdict.feature.needs_rows
        if verdict.feature.id not in EXEMPTED and not needs_rows:
            yield verdict
            continue
        wrong = {
            exemption.backend
            for exemption in first_runs(project).exemptions.get(place, ())
            if exemption.feature == verdict.feature.id
            and overlap(exemption.span, verdict.construct.span)
        }
        fails_on = tuple(fail for fail in verdict.fails_on if fail not in wrong)
        late = tuple(fail for fail in verdict.fails_on if needs_rows and fail in wrong)
        if fails_on or late:
            yield replace(verdict, fails_on=fails_on, late=late)


def _looked_up_late(statement: SqlStatement) -> list[Span]:
    """Return the places in which a function is looked up no earlier than it is called.

    Those are a view, a default in parentheses, and the expression of a generated column that is
    added. (In `CREATE TABLE` such an expression is resolved at once, as checks and indexes are.)
    """
    match statement.structure:
        case CreateObject(what="view"):
            return [statement.span]
        case CreateTable(columns=columns):
            return _in_parentheses("default", columns)
        case AlterTable(actions=actions):
            added = [action.column for action in actions if action.column is not None]
            return _in_parentheses("generated", added)
        case _:
            return []


def _in_parentheses(kind: str, columns: Iterable[Column]) -> list[Span]:
    """Return the places of the constraints of a kind whose expression stands in parentheses."""
    return [
        constraint.span
        for column in columns
        for constraint in column.constraints
        if constraint.kind == kind
        and constraint.expression is not None
        and "(" in constraint.expression.tokens[:1]
    ]


def _in_use(verdict: PortabilityVerdict, late: Sequence[Span]) -> PortabilityVerdict:
    """Return a verdict as it is where functions are looked up late."""
    at = verdict.construct.span
    if verdict.feature.kind != "functions" or not any(
        (span.line, span.column) <= (at.line, at.column)
        and (at.end_line, at.end_column) <= (span.end_line, span.end_column)
        for span in late
    ):
        return verdict
    return replace(
        verdict,
        fails_on=tuple(fail for fail in verdict.fails_on if fail not in LOOK_UP_LATE),
        late=tuple(fail for fail in verdict.fails_on if fail in LOOK_UP_LATE),
    )


def portability_breaches(
    rule_id: str, statement: SqlStatement, file: FileFacts, project: Project
) -> Iterator[Breach]:
    """Yield the breaches of one rule in a statement."""
    for verdict in verdicts(statement, file, project):
        if verdict.rule_id == rule_id:
            fix = fix_of(verdict.construct, verdict.feature, statement, verdict.backends)
            yield replace(breach_of(verdict, file), fix=fix)


def breach_of(verdict: PortabilityVerdict, file: FileFacts) -> Breach:
    """Return a verdict as a breach in a file."""
    span = verdict.construct.span
    label = "this is not treated alike"
    if verdict.fails_on:
        label = f"{rejecting(verdict.fails_on)} this"
    elif verdict.late:
        label = f"fails on {join_names(verdict.late)} {verdict.use}"
    return Breach(
        Place(file.path, span),
        message_of(verdict),
        label=label,
        extent=(span.line, span.end_line),
        severity=None if verdict.fails_on or verdict.late else "warning",
        fails_on=verdict.fails_on,
        remedy=verdict.feature.cure,
    )


def overlap(span: Span, other: Span) -> bool:
    """Return whether two places share any text."""
    return (span.line, span.column) < (other.end_line, other.end_column) and (
        other.line,
        other.column,
    ) < (span.end_line, span.end_column)


def message_of(verdict: PortabilityVerdict) -> str:
    """Return what is wrong with a construct, in one sentence without a full stop."""
    title, failing = verdict.feature.title, verdict.fails_on
    taking = tuple(backend for backend in verdict.backends if backend not in failing)
    if failing:
        return f"{title}: {_rejection(verdict, taking)}"
    if verdict.late:
        return f"{title}: {join_names(verdict.late)} takes this here, and fails {verdict.use}"
    return f"{title}: {join_names(taking)} take this, and do not treat it alike"


def _rejection(verdict: PortabilityVerdict, taking: Sequence[str]) -> str:
    """Return by which backends a construct is rejected, and which versions or backends take it."""
    failing = verdict.fails_on
    since = [
        f"{ENGINE_TITLES[backend]} takes this from {version} on"
        for backend in failing
        if isinstance(version := verdict.feature.engines.get(backend), str)
    ]
    if since:
        return f"{', '.join(since)}, and the project supports an older one"
    if taking:
        return f"only {join_names(taking)} takes this, and {rejecting(failing)} it"
    if len(failing) == 1:
        return f"{join_names(failing)} does not take this"
    return f"neither {' nor '.join(ENGINE_TITLES[backend] for backend in failing)} takes this"


def rejecting(backends: Sequence[str]) -> str:
    """Return backends and the verb for what they do: `SQLite rejects`."""
    return f"{join_names(backends)} {'rejects' if len(backends) == 1 else 'reject'}"


def join_names(backends: Sequence[str]) -> str:
    """Return backends as a message names them."""
    return " and ".join(ENGINE_TITLES[backend] for backend in backends)


def _verdict(
    construct: SqlConstruct, backends: tuple[str, ...], path: str, project: Project
) -> PortabilityVerdict | None:
    """Return what becomes of a construct; None where it is portable."""
    feature = feature_by_id()[construct.feature]
    fails_on = _fails_on(feature.id, backends, project.policy.backend_versions)
    if MAKE_FUNCTIONS.intersection(fails_on) and feature.kind == "functions":
        called = frozenset(_CALLED.findall(feature.match))
        if project.sql_files.makes(called, path):
            fails_on = tuple(name for name in fails_on if name not in MAKE_FUNCTIONS)
    differs = feature.differs and len(backends) > 1
    return (
        PortabilityVerdict(construct, feature, backends, fails_on) if fails_on or differs else None
    )


def _verdict_of_call(
    call: SqlCall, backends: tuple[str, ...], path: str, project: Project
) -> PortabilityVerdict | None:
    """Return what becomes of a call that no row is about; None where every backend has it.

    PostgreSQL also has what the same migrations make, and what an extension brings is not known.
    """
    fails_on = tuple(
        backend
        for backend in backends
        if backend in call.lacked_by
        and not (backend in MAKE_FUNCTIONS and project.sql_files.may_call(call.name, path))
    )
    if not fails_on:
        return None
    feature = Feature(
        id=f"call of {call.name.lower()}",
        rule=FUNCTION,
        title=f"`{call.name}()`",
        kind="functions",
        match="",
        within="",
        engines=dict.fromkeys(fails_on, False),
        example="",
        portable="",
        cure="Use a function that every backend has, or compute the value in the program.",
        sources={},
    )
    construct = SqlConstruct(call.span, feature.id, call.first, call.last)
    return PortabilityVerdict(construct, feature, backends, fails_on)


@cache
def _fails_on(
    feature_id: str, backends: tuple[str, ...], versions: tuple[tuple[str, tuple[int, ...]], ...]
) -> tuple[str, ...]:
    """Return the backends that reject a feature, the oldest supported version of each counting."""
    oldest = {name: ".".join(map(str, version)) for name, version in versions}
    rejecting = feature_by_id()[feature_id].fails_on(
        {backend: oldest.get(backend, "") for backend in backends}
    )
    return tuple(backend for backend in backends if backend in rejecting)


def _without_echoes(found: list[PortabilityVerdict]) -> list[PortabilityVerdict]:
    """Leave out the verdicts that only repeat what another one says of the same text."""
    found.sort(
        key=lambda verdict: (verdict.construct.first, -verdict.construct.last, verdict.feature.id)
    )
    whole = {name for verdict in found if _is_whole(verdict) for name in verdict.fails_on}
    echoes = _echoes(found)
    return [
        verdict
        for index, verdict in enumerate(found)
        if _is_whole(verdict)
        or (index not in echoes and not (whole and whole >= set(verdict.fails_on)))
    ]


def _echoes(ordered: Sequence[PortabilityVerdict]) -> set[int]:
    """Return the indexes of the verdicts that another one makes needless."""
    echoes: set[int] = set()
    around: list[int] = []
    for index, verdict in enumerate(ordered):
        first = verdict.construct.first
        around = [other for other in around if ordered[other].construct.last > first]
        if any(_repeats(verdict, ordered[other]) for other in around):
            echoes.add(index)
        echoes.update(other for other in around if _says_less(ordered[other], verdict))
        around.append(index)
    return echoes


def _repeats(inner: PortabilityVerdict, outer: PortabilityVerdict) -> bool:
    """Return whether what lies in a construct is told by what is told of that construct.

    A row that is matched from the statement's beginning on is about its last words: it tells
    nothing of what lies between.
    """
    if outer.construct.last < inner.construct.last:
        return False
    from_start = outer.construct.first == 0
    if not inner.fails_on and outer.fails_on:
        return not from_start
    same_text = inner.construct.first == outer.construct.first and (
        not from_start or inner.construct.last == outer.construct.last
    )
    return (
        (same_text or not from_start)
        and inner.rule_id == outer.rule_id != DIVERGENCE
        and set(inner.fails_on) <= set(outer.fails_on)
    )


def _says_less(outer: PortabilityVerdict, inner: PortabilityVerdict) -> bool:
    """Return whether a construct fails for what it ends in: `DEFAULT now()` for `now()`."""
    return (
        0 < outer.construct.first < inner.construct.first
        and outer.construct.last <= inner.construct.last
        and outer.rule_id != inner.rule_id
        and bool(outer.fails_on)
        and set(outer.fails_on) <= set(inner.fails_on)
    )


def _is_whole(verdict: PortabilityVerdict) -> bool:
    """Return whether a verdict speaks for all that stands in its statement."""
    return verdict.construct.first == 0 and verdict.feature.kind in WHOLE_STATEMENTS
