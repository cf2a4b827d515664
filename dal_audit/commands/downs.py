"""Write the downs that migrations lack: as they are tried on engines, and audited in their place.

What is shown is what would be written. A down that an engine has proved is safe; of each other one
it is said, in the file, too, why a person must look at it.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TypeAlias

from msgspec import Struct, field
from msgspec.structs import replace

from dal_audit.audit import audit
from dal_audit.catalogue.rulebook import known_rules
from dal_audit.commands.fix import Change
from dal_audit.discover.errors import UsageError
from dal_audit.discover.links import leads_out
from dal_audit.discover.projects import ProjectScope, plan_audit
from dal_audit.disk.regular_file import read_regular
from dal_audit.disk.scratch_folder import scratch_folder
from dal_audit.extract.migrations.surroundings import surroundings_below
from dal_audit.facts import START, Edit, Span
from dal_audit.fix.model import Fix
from dal_audit.fix.rewrite import AmendError, amended, text_of
from dal_audit.migrations.down_places import DownPlace, down_place, down_text, place_before
from dal_audit.migrations.model import Migration
from dal_audit.migrations.tools import ALEMBIC, DJANGO, TOOLS, MigrationTool
from dal_audit.policy.request import Request
from dal_audit.replay.downs import WrittenDown, missing_downs, tried
from dal_audit.replay.operation_downs import WrittenReverse, missing_reverses, try_reverses
from dal_audit.replay.plan import Planned, ReplayPlan, plan_replay
from dal_audit.replay.revision_downs import (
    WrittenDowngrade,
    missing_downgrades,
    try_downgrades,
)
from dal_audit.replay.run import Engines, Progress, ReplayRequest
from dal_audit.triage.released_fixes import not_released

RELEASED = "its file may be released, and is not to be edited then"
"""Why a down is unsafe that would stand in the file of its up."""

_Findings: TypeAlias = Counter[tuple[str, str, str]]
"""How often something is found: its file, its rule, and what is said."""

_READS = frozenset({ALEMBIC.name, DJANGO.name})
"""The tools whose migrations in Python are read, and not run."""

LOOK = "Look at this before it is run: {}."


class Proposal(Struct):
    """A down and the file that it goes into; `doubts` say why a person must look at it."""

    root: Path
    path: str
    title: str
    is_acting: bool
    doubts: list[str] = field(default_factory=list)

    @property
    def file(self) -> Path:
        """The file that the down goes into."""
        return self.root / self.path

    @property
    def is_new(self) -> bool:
        """Whether the down has a file of its own, which is not there yet."""
        return not self.file.exists()

    @property
    def said_doubts(self) -> list[str]:
        """The doubts as sentences, but for one that is none of the down's."""
        return [LOOK.format(doubt) for doubt in self.doubts if doubt != RELEASED]


class ScriptProposal(Proposal, kw_only=True):
    """A down in SQL, where its tool looks for it."""

    written: WrittenDown
    place: DownPlace
    tool: MigrationTool

    @property
    def text(self) -> str:
        """The down as its tool reads it, with what is to be known of it."""
        return "".join(text for _, text in self.pieces([]))

    def pieces(self, lines: Sequence[str]) -> Iterator[tuple[int, str]]:
        """Yield what is put in after which line of the file, which has such lines."""
        doubts = [(doubt, False) for doubt in self.said_doubts]
        present = self.written.present
        for insertion in self.written.down.insertions:
            after = self.place.after
            if insertion.before < len(present):
                line = present[insertion.before].place.span.line
                after = place_before(line, lines, self.written.migration.down[-1].lines)
            added = [(line.text, line.is_statement) for line in insertion.lines]
            yield after, down_text([*doubts, *added], self.tool)
            doubts = []


class RevisionProposal(Proposal, kw_only=True):
    """A down in Python: lines of the function `downgrade` of a revision's module."""

    written: WrittenDowngrade


class OperationProposal(Proposal, kw_only=True):
    """A down of one operation of Django's: an argument of its call, and a function for that."""

    written: WrittenReverse


class Downs(Struct):
    """What writing downs comes to; `notes` are sentences about what is not written."""

    changes: tuple[Change, ...]
    written: tuple[Proposal, ...]
    notes: tuple[str, ...]


def downs(
    request: ReplayRequest, paths: Sequence[str], progress: Progress, *, unsafe: bool
) -> Downs:
    """Write the downs that migrations at some paths lack, of those that are safe, or of all.

    Raises UsageError for what cannot be written, and what `plan_audit` and `audit` raise.
    """
    scopes = plan_audit(tuple(paths), request.folder, request.config, known_rules()).scopes
    plans = [
        (scope, plan_replay(scope, request.on, reads={ALEMBIC.name, DJANGO.name}))
        for scope in scopes
    ]
    notes = [note for _, planned in plans for note in planned.notes]
    proposals: list[Proposal] = []
    with closing(Engines(request)) as engines:
        for scope, plan in plans:
            for planned in plan.sets:
                if planned.tool == DJANGO.name:
                    continue
                write = _revisions if planned.tool == ALEMBIC.name else _scripts
                proposals += write(scope, planned, engines, progress, plan.layout.imports)
            proposals += _operations(scope, plan, engines, progress)
    barren = [own for own in proposals if not own.is_acting]
    proposals = [own for own in proposals if own.is_acting]
    _judge(proposals, Request(paths=tuple(paths), folder=request.folder, config=request.config))
    chosen = [own for own in proposals if unsafe or not own.doubts]
    notes += [f"`{own.title}` is not taken back by any statement" for own in barren]
    notes += [
        f"the down of `{own.title}` is written with `--unsafe-fixes` only: {own.doubts[0]}"
        for own in proposals
        if own.doubts and not unsafe
    ]
    return Downs(tuple(_changes(chosen, request.folder)), tuple(chosen), tuple(notes))


def _scripts(
    scope: ProjectScope,
    planned: Planned,
    engines: Engines,
    progress: Progress,
    _imports: Mapping[str, Sequence[str]],
) -> Iterator[Proposal]:
    """Yield the downs of a set that are asked for, tried, each with its place."""
    wanted = [
        own for own in missing_downs(planned) if _is_asked_for(own.migration, scope.requested)
    ]
    root, tool = scope.policy.root, TOOLS[planned.tool]
    acting = [own for own in wanted if own.down.statements]
    found = [*(tried(planned, acting, engines, progress) if acting else ())]
    found += [own for own in wanted if not own.down.statements]
    for written in found:
        part = (written.migration.down or written.migration.up)[-1]
        lines = text_of((root / part.path).read_bytes(), is_script=True).splitlines()
        place = down_place(written.migration, tool, lines)
        yield ScriptProposal(
            root,
            place.path,
            written.migration.title,
            bool(written.down.statements),
            list(written.doubts()),
            written=written,
            place=place,
            tool=tool,
        )


def _revisions(
    scope: ProjectScope,
    planned: Planned,
    engines: Engines,
    progress: Progress,
    imports: Mapping[str, Sequence[str]],
) -> Iterator[Proposal]:
    """Yield the downs of a set in Python that are asked for, tried."""
    root = scope.policy.root
    surroundings = surroundings_below(root, scope.listed, imports)
    chain, found = missing_downgrades(planned, lambda path: read_regular(root / path), surroundings)
    wanted = [own for own in found if _is_asked_for(own.migration, scope.requested)]
    if any(own.downgrade.is_acting for own in wanted):
        try_downgrades(chain, wanted, engines, progress)
    for written in wanted:
        migration = written.migration
        is_acting = written.downgrade.is_acting
        doubts = list(written.doubts())
        yield RevisionProposal(
            root, migration.path, migration.title, is_acting, doubts, written=written
        )


def _operations(
    scope: ProjectScope, plan: ReplayPlan, engines: Engines, progress: Progress
) -> Iterator[Proposal]:
    """Yield the downs of Django's operations that are asked for, tried."""
    root = scope.policy.root
    for chain, found in missing_reverses(plan, lambda path: read_regular(root / path)):
        wanted = [own for own in found if _is_asked_for(own.migration, scope.requested)]
        if any(own.reverse.is_acting for own in wanted):
            try_reverses(chain, wanted, engines, progress)
        for written in wanted:
            path, is_acting = written.migration.path, written.reverse.is_acting
            doubts = list(written.doubts())
            yield OperationProposal(root, path, written.title, is_acting, doubts, written=written)


def _is_asked_for(migration: Migration, requested: Sequence[str]) -> bool:
    own = migration.path
    return any(path in {".", own} or own.startswith(f"{path}/") for path in requested)


def _judge(proposals: Sequence[Proposal], request: Request) -> None:
    """Add to the doubts what git and an audit say of the downs in their places."""
    for root in {own.root for own in proposals}:
        edited = [own for own in proposals if own.root == root and not own.is_new]
        free = not_released({own.path for own in edited}, root)
        for own in edited:
            if own.path not in free:
                own.doubts.append(RELEASED)
    before = Counter(_found(request)) if proposals else _Findings()
    undoubted = [own for own in proposals if not own.doubts]
    _doubt(undoubted, undoubted, request, before)
    _doubt(proposals, [own for own in proposals if own not in undoubted], request, before)


def _doubt(
    written: Sequence[Proposal], judged: Sequence[Proposal], request: Request, before: _Findings
) -> None:
    """Add to the doubts about some downs what an audit says of their files with all of some.

    What is written without being asked for is judged by itself.
    """
    more = _new_findings(written, request, before) if judged else {}
    for own in judged:
        own.doubts += more.get(str(own.file), [])[:1]


def _new_findings(
    proposals: Sequence[Proposal], request: Request, before: _Findings
) -> dict[str, list[str]]:
    """Return what an audit finds in each file with its downs, and does not find without them."""
    with scratch_folder() as folder:
        instead = {}
        for number, change in enumerate(_changes(proposals, request.folder)):
            instead[str(change.file)] = copy = folder / f"{number}{change.file.suffix}"
            copy.write_bytes(change.after)
        more = Counter(_found(replace(request, instead=instead))) - before
    found: dict[str, list[str]] = {}
    for file, rule, message in more:
        if Path(file) in {own.file for own in proposals}:
            found.setdefault(file, []).append(f"{rule} says that {message}")
    return found


def _found(request: Request) -> Iterator[tuple[str, str, str]]:
    report = audit(request)
    base = os.path.normpath(request.folder / report.there)
    for finding in report.open:
        file = os.path.normpath(os.path.join(base, finding.place.path))  # noqa: PTH118  # no link is resolved
        yield file, finding.rule.id, finding.breach.message


def _changes(proposals: Iterable[Proposal], folder: Path) -> Iterator[Change]:
    """Yield the files with the downs in their places. Raises UsageError for one that cannot be."""
    by_file: dict[Path, list[Proposal]] = {}
    for own in proposals:
        by_file.setdefault(own.file, []).append(own)
    for file, several in sorted(by_file.items()):
        if leads_out(file, several[0].root):
            raise UsageError(f"error: `{file}` is a link that leads out of the project")
        path = Path(os.path.relpath(file, folder)).as_posix()
        scripts = [own for own in several if isinstance(own, ScriptProposal)]
        if scripts and scripts[0].is_new:
            text = "".join(own.text for own in scripts)
            yield Change(path, file, b"", text.encode(), is_new=True)
            continue
        before = file.read_bytes()
        try:
            after = _with_downs(before, scripts) if scripts else _with_downgrade(before, several)
        except AmendError as error:
            raise UsageError(f"error: `{path}` cannot be amended: {error}") from error
        yield Change(path, file, before, after)


def _with_downgrade(before: bytes, proposals: Sequence[Proposal]) -> bytes:
    """Return a module's bytes with its way back in it."""
    fixes = [
        Fix("write the down", own.written.edits(own.said_doubts), "safe")
        for own in proposals
        if isinstance(own, (RevisionProposal, OperationProposal))
    ]
    return amended(before, fixes, is_script=False)


def _with_downs(before: bytes, proposals: Sequence[ScriptProposal]) -> bytes:
    text = text_of(before, is_script=True)
    lines = text.splitlines(keepends=True)
    ending = "\r\n" if "\r\n" in text else "\n"
    added: dict[int, str] = {}
    for own in proposals:
        mark = f"\n{own.place.mark}\n" if own.place.mark else ""
        for after, piece in own.pieces(lines):
            added[after] = added.get(after, "") + mark + piece
    fixes = [_insertion(lines, after, piece, ending) for after, piece in added.items()]
    return amended(before, fixes, is_script=True)


def _insertion(lines: Sequence[str], after: int, text: str, ending: str) -> Fix:
    """Return the fix that puts lines in after a line, which may be the last and have no end."""
    if after == 0:
        span, text = START, text.replace("\n", ending)
    else:
        bare = lines[after - 1].rstrip("\r\n")
        column = 1 + len(bare.encode("utf-16-le")) // 2
        span = Span(after, column, after, column)
        text = f"\n{text}".removesuffix("\n").replace("\n", ending)
    return Fix("write the down", (Edit(span, text),), "safe")
