"""The way back from a whole revision: its text, and where that goes in the file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from dal_audit.extract.operations.revision_source import Action, RevisionSource
from dal_audit.extract.operations.revision_text import FunctionPlace
from dal_audit.extract.operations.terms import OP, call, string
from dal_audit.extract.source import Lines
from dal_audit.facts import START, Edit, Span
from dal_audit.fix.revisions.inverse import Inverter
from dal_audit.fix.revisions.spelling import Spelling
from dal_audit.fix.revisions.step import BATCH, Step, Undoing

SqlInverse: TypeAlias = Callable[[int], Undoing | None]
"""Returns what takes the SQL of an action back, by its number; None where nobody knows."""

_INDENT = "    "


class Piece(Struct, frozen=True):
    """Lines that go into the body of a way back, after a line of the file, 1-based."""

    after: int
    lines: tuple[str, ...]


class Downgrade(Struct, frozen=True):
    """What is written for a revision, in the place where its way back stands.

    `imports` are lines that the module lacks. `is_acting` is whether any of the lines does
    something; `risks` are clauses that say why a person must look at it.
    """

    pieces: tuple[Piece, ...]
    place: FunctionPlace
    imports: tuple[str, ...] = ()
    imports_after: int = 0
    risks: tuple[str, ...] = ()
    is_acting: bool = True


def undoings(inverter: Inverter, actions: Sequence[Action], by_sql: SqlInverse) -> list[Undoing]:
    """Run a revision, and return what takes each action back, in the order of the actions."""
    inverter.schema.begin()
    found = []
    for number, action in enumerate(actions):
        undoing = inverter.undo(action)
        if action.name == "execute":
            undoing = by_sql(number) or undoing
        found.append(undoing)
    return found


def sql_undoing(statements: Sequence[str], remarks: Sequence[str], risks: Sequence[str]) -> Undoing:
    """Return what runs SQL to take SQL back."""
    steps = [Step("execute", (string(text),)) for text in statements]
    return Undoing(steps, [*remarks], [*risks])


def downgrade_of(source: RevisionSource, placed: Mapping[int, Sequence[Undoing]]) -> Downgrade:
    """Return what takes actions back, as the text of its module.

    `placed` are the ways back from actions, by the line after which they go, each in the order of
    the actions: the last is undone first.
    """
    spelling = Spelling(source.names)
    pieces = tuple(Piece(after, tuple(_lines(own, spelling))) for after, own in placed.items())
    every = [undoing for own in placed.values() for undoing in reversed(own)]
    risks = dict.fromkeys(risk for undoing in every for risk in undoing.risks)
    if spelling.clashes:
        risks["the module has another use for a name that it would import"] = None
    acting = any(undoing.steps for undoing in every)
    imports = tuple(spelling.imports)
    return Downgrade(pieces, source.place, imports, source.names.after, tuple(risks), acting)


def edits_of(downgrade: Downgrade, text: str, doubts: Sequence[str] = ()) -> tuple[Edit, ...]:
    """Return the edits of a file with a text; `doubts` are sentences that stand before all."""
    lines = Lines(text)
    ending = "\r\n" if "\r\n" in text else "\n"
    place = downgrade.place
    edits = []
    if downgrade.imports:
        edits.append(_inserted(lines, downgrade.imports_after, downgrade.imports, ending))
    for number, piece in enumerate(downgrade.pieces):
        own = [f"{place.indent}# {doubt}" for doubt in doubts if not number]
        own += [f"{place.indent}{line}" for line in piece.lines]
        if place.head:
            own = ["", "", place.head, *own]
        if place.idle is None:
            edits.append(_inserted(lines, piece.after, own, ending))
            continue
        edits.append(_in_place(lines, place.idle, place, own, ending))
    return tuple(edits)


def _in_place(
    lines: Lines, idle: Span, place: FunctionPlace, own: Sequence[str], ending: str
) -> Edit:
    """Return the edit that puts lines in the place of a statement that does nothing.

    A comment behind it stands behind the last of them, or below that where it is a comment, too.
    """
    body = ending.join(own)
    text = f"{ending}{body}" if place.is_inline else body.removeprefix(place.indent)
    line, column = idle.end_line, idle.end_column
    rest = lines.text[lines.index(line, column) :].partition("\n")[0]
    comment = rest.lstrip()
    if not comment.startswith("#") or not own[-1].lstrip().startswith("#"):
        return Edit(idle, text)
    until = column + len(rest) - len(comment)
    return Edit(Span(idle.line, idle.column, line, until), f"{text}{ending}{place.indent}")


def _inserted(lines: Lines, after: int, added: Sequence[str], ending: str) -> Edit:
    """Return the edit that puts lines in after a line, which may be the last and have no end."""
    if after == 0:
        return Edit(START, "".join(f"{line}{ending}" for line in added))
    start = lines.starts[after - 1] + len(lines.line(after).rstrip("\r\n"))
    return Edit(lines.span(start, start), "".join(f"{ending}{line}" for line in added))


def _lines(every: Sequence[Undoing], spelling: Spelling) -> Iterator[str]:
    """Yield the lines of a body, without the indentation that is around all of it."""
    steps: list[tuple[Step | None, str]] = []
    for undoing in reversed(every):
        steps += [(None, remark) for remark in undoing.remarks]
        steps += [(step, "") for step in undoing.steps]
    for key, group in groupby(steps, _around):
        own = [*group]
        opening = own[0][0].block if own[0][0] is not None else None
        if key == ():
            yield from _plain(own, spelling, "")
        elif opening is not None:
            yield f"with {spelling.text(opening)} as {BATCH}:"
            yield from _inner(own, spelling)
        else:
            context = call(f"{OP}.get_context")
            yield f"with {spelling.text(context)}.autocommit_block():"
            yield from _plain(own, spelling, _INDENT)


def _around(pair: tuple[Step | None, str]) -> tuple[object, ...]:
    """Return what tells the block of a step from others; nothing for what stands in none."""
    step, _ = pair
    if step is None or (step.block is None and not step.is_autonomous):
        return ()
    return (step.opened_at, step.block, step.is_autonomous)


def _plain(
    steps: Sequence[tuple[Step | None, str]], spelling: Spelling, indent: str
) -> Iterator[str]:
    for step, remark in steps:
        if step is None:
            yield f"{indent}# {remark}"
        else:
            yield from spelling.lines(step.term, indent)


def _inner(steps: Sequence[tuple[Step | None, str]], spelling: Spelling) -> Iterator[str]:
    inner = Spelling(replace(spelling.names, imported={**spelling.names.imported, BATCH: BATCH}))
    for step, _ in steps:
        if step is not None:
            yield from inner.lines(step.inner_term, _INDENT)
    spelling.imports.update(inner.imports)
