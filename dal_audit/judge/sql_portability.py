"""Which backends take a construct of SQL: the catalogue's rows, judged by what a project targets.

The one place where a row, the backends that run a file and their minimum versions come together;
the checks only choose whose rows they report.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from functools import cache
from typing import Final, NamedTuple
from weakref import ref

from msgspec.structs import replace

from dal_audit.assemble.engine_modules import backends_for
from dal_audit.assemble.first_runs import first_runs
from dal_audit.assemble.library_versions import DJANGO, SQLALCHEMY, library_version
from dal_audit.assemble.project import Project
from dal_audit.catalogue.engine_names import ENGINE_TITLES
from dal_audit.catalogue.operations import ALEMBIC, OperationForm, feature_of
from dal_audit.catalogue.operations import DJANGO as DJANGO_TOOL
from dal_audit.catalogue.portability import Feature
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
from dal_audit.judge.verdicts import FUNCTION, PortabilityVerdict, without_echoes
from dal_audit.schema import EXEMPTED

MAKE_FUNCTIONS = frozenset({"postgresql"})
"""The backends in which SQL itself can make functions."""

_CALLED = re.compile(r"(\w+)/\d")
"""The functions that a row's pattern is about: each with the number of its arguments."""

GIVEN_FUNCTIONS = frozenset({"sqlite"})
"""The backends whose connections a program can give functions of its own."""

LOOK_UP_LATE = frozenset({"sqlite"})
"""The backends that take any function in such places as a view, and look it up when it is used."""

_OF_USE = frozenset({"default-unknown-function"})
"""Rows, other than those of functions, whose example fails when what it makes is used."""

_LIBRARIES: Final = {ALEMBIC: SQLALCHEMY, DJANGO_TOOL: DJANGO}
"""The library whose version changes what a tool's operations come to."""


def verdicts(
    statement: SqlStatement, file: FileFacts, project: Project
) -> list[PortabilityVerdict]:
    """Return a verdict for each construct of a statement that is not portable.

    One construct, one verdict: what speaks for the whole statement speaks for all in it that the
    same backends reject, and what speaks for a construct speaks for what lies in that.
    """
    if not statement.constructs and not statement.calls:
        return []
    before, path, asked, found = _LAST[0]
    if before is not statement or path != file.path or asked() is not project:
        found = _verdicts(statement, file, project)
        _LAST[0] = _Asked(statement, file.path, ref(project), found)
    return found


class _Asked(NamedTuple):
    """A statement that verdicts were asked for, in which file of which project, and what was said.

    The checks of all rules ask for the same statement, one after the other.
    """

    statement: SqlStatement | None
    path: str
    project: Callable[[], Project | None]
    found: list[PortabilityVerdict]


_LAST: Final = [_Asked(None, "", lambda: None, [])]


def _verdicts(
    statement: SqlStatement, file: FileFacts, project: Project
) -> list[PortabilityVerdict]:
    backends = backends_for(statement, file.path, project)
    found = [
        _verdict(construct, backends, file.path, project) for construct in statement.constructs
    ]
    rows = {construct.first for construct in statement.constructs}
    found += [
        _verdict_of_call(call, backends, file.path, project, in_code=statement.within is not None)
        for call in statement.calls
        if call.first not in rows
    ]
    late = _looked_up_late(statement)
    in_code = statement.within is not None
    known = list(_not_made(filter(None, found), file.path, project, in_code=in_code))
    late_rows = _OF_USE if in_code else frozenset[str]()
    in_use = [_in_use(verdict, late, late_rows) for verdict in known]
    return without_echoes(list(_not_exempt(in_use, Place(file.path, statement.span), project)))


def _not_made(
    found: Iterable[PortabilityVerdict], path: str, project: Project, *, in_code: bool
) -> Iterator[PortabilityVerdict]:
    """Yield verdicts without those on what the project itself makes.

    Code gives SQLite's connections functions (`create_function`), and an extension of PostgreSQL
    may bring an operator that no engine has of its own.
    """
    files = project.sql_files
    extended = files.has_extensions(path, in_code=in_code)
    for verdict in found:
        made: set[str] = set()
        if in_code and verdict.construct.called and files.is_given(verdict.construct.called):
            made |= GIVEN_FUNCTIONS
        is_nowhere = set(verdict.fails_on) == set(verdict.backends)
        if is_nowhere and verdict.feature.kind == "operators" and extended:
            made |= MAKE_FUNCTIONS
        fails_on = tuple(backend for backend in verdict.fails_on if backend not in made)
        if fails_on or not verdict.fails_on:
            yield replace(verdict, fails_on=fails_on)


def _not_exempt(
    found: Iterable[PortabilityVerdict], place: Place, project: Project
) -> Iterator[PortabilityVerdict]:
    """Yield verdicts without those that the schema knows to be wrong."""
    for verdict in found:
        needs_rows = verdict.feature.needs_rows and not verdict.feature.differs
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
            late = _in_parentheses("generated", added)
            return late if statement.within is None else late + _in_parentheses("default", added)
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


def _in_use(
    verdict: PortabilityVerdict, late: Sequence[Span], late_rows: AbstractSet[str]
) -> PortabilityVerdict:
    """Return a verdict as it is where functions are looked up late."""
    at = verdict.construct.span
    is_of_function = verdict.feature.kind == "functions" or verdict.feature.id in late_rows
    if not is_of_function or not any(
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
            yield mended_breach_of(verdict, statement, file)


def mended_breach_of(
    verdict: PortabilityVerdict, statement: SqlStatement, file: FileFacts
) -> Breach:
    """Return a verdict on a statement as a breach with its fix, where there is one."""
    fix = fix_of(verdict.construct, verdict.feature, statement, verdict.backends)
    return replace(breach_of(verdict, statement, file), fix=fix)


def breach_of(verdict: PortabilityVerdict, statement: SqlStatement, file: FileFacts) -> Breach:
    """Return a verdict on a statement as a breach in a file."""
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
        extent=extent_of(statement, span),
        severity=None if verdict.fails_on or verdict.late else "warning",
        fails_on=verdict.fails_on,
        remedy=verdict.feature.cure,
    )


def at_same_place(statement: SqlStatement, file: FileFacts) -> Sequence[SqlStatement]:
    """Return all statements that an operation of code comes to; else the statement alone."""
    if statement.within is None or not statement.within.is_operation:
        return (statement,)
    return [
        fact
        for fact in file.facts
        if isinstance(fact, SqlStatement) and fact.span == statement.span
    ]


def extent_of(statement: SqlStatement, span: Span) -> tuple[int, int]:
    """Return the lines on which a comment is about a place in a statement.

    Those are the place's own in a file of SQL; in code no comment can stand inside of a text.
    """
    return (span.line, span.end_line) if statement.within is None else statement.within.lines


def overlap(span: Span, other: Span) -> bool:
    """Return whether two places share any text."""
    return (span.line, span.column) < (other.end_line, other.end_column) and (
        other.line,
        other.column,
    ) < (span.end_line, span.end_column)


def message_of(verdict: PortabilityVerdict) -> str:
    """Return what is wrong with a construct, in one sentence without a full stop."""
    title, failing = verdict.feature.title, verdict.fails_on
    if verdict.feature.differs and isinstance(verdict.feature, OperationForm):
        return title
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
    feature = feature_of(construct.feature)
    fails_on = _fails_on(feature.id, backends, project.policy.backend_versions)
    if fails_on and isinstance(feature, OperationForm) and feature.library:
        since = tuple(map(int, feature.library.split(".")))
        fails_on = fails_on if library_version(project, _LIBRARIES[feature.kind]) < since else ()
    if MAKE_FUNCTIONS.intersection(fails_on) and feature.kind == "functions":
        called = frozenset(_CALLED.findall(feature.match))
        if project.sql_files.makes(called, path):
            fails_on = tuple(name for name in fails_on if name not in MAKE_FUNCTIONS)
    differs = feature.differs and len(backends) > 1
    return (
        PortabilityVerdict(construct, feature, backends, fails_on) if fails_on or differs else None
    )


def _verdict_of_call(
    call: SqlCall, backends: tuple[str, ...], path: str, project: Project, *, in_code: bool
) -> PortabilityVerdict | None:
    """Return what becomes of a call that no row is about; None where every backend has it.

    PostgreSQL also has what the same migrations make, and what an extension brings is not known.
    """
    files, name = project.sql_files, call.name.lower()
    is_nowhere = len(call.lacked_by) > 1
    is_given = files.is_given(name) or (is_nowhere and files.is_given_any)
    fails_on = tuple(
        backend
        for backend in backends
        if backend in call.lacked_by
        and not (backend in MAKE_FUNCTIONS and files.may_call(name, path, in_code=in_code))
        and not (in_code and backend in GIVEN_FUNCTIONS and is_given)
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
    rejecting = feature_of(feature_id).fails_on(
        {backend: oldest.get(backend, "") for backend in backends}
    )
    return tuple(backend for backend in backends if backend in rejecting)
