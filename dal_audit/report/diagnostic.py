"""Findings as people are shown them: what is wrong, the source with marks, and what to do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Final

from msgspec import Struct

from dal_audit.judge.breach import Finding, Related
from dal_audit.report.file_rows import file_rows
from dal_audit.report.fix_diff import fix_diff
from dal_audit.report.grouping import Block, blocks
from dal_audit.report.links import document_of
from dal_audit.report.model import Report
from dal_audit.report.paths import shown_place
from dal_audit.report.snippet import MAX_LINE, Excerpts, Mark, last_line
from dal_audit.report.source_lines import Quoted
from dal_audit.report.suggestions import described
from dal_audit.report.terminal import LEAST, Paint, Style, cut, expand, safe, width, wrapped

USES_SHOWN: Final = 3
"""Lines of uses that are shown with their source; the rest is named by its numbers."""

ALIKE_SHOWN: Final = 8
"""Lines of findings alike that are shown with their source."""

STEPS_SHOWN: Final = 8
"""Steps of a way that are shown."""

NUMBERS_SHOWN: Final = 12
"""Lines that are named by their numbers."""

_INDENT: Final = "    "

_SHARED: Final = re.compile("; |, and ")
"""Where a message comes to the boundary or to the reason."""


class DiagnosticRenderer:
    """Draws the findings of a report; `show_all` names all files that a cause reaches."""

    def __init__(self, report: Report, paint: Paint, *, show_all: bool = False) -> None:
        """Keep what excerpts are taken from, and how they may look."""
        self.report = report
        self.paint = paint
        self.show_all = show_all
        self.quoted = Quoted(report.sources)
        self.explained: set[str] = set()
        """The rules of which it was said already where more is said of them."""

    def findings(self, shown: Iterable[Finding]) -> Iterator[str]:
        """Yield the lines of findings; those that have one cause are shown as one."""
        for block in blocks(shown):
            yield from self.spread(block) if block.is_spread else self.group(block)

    def group(self, block: Block) -> Iterator[str]:
        """Yield one finding, or several of one file that are alike, and an empty line."""
        findings, style = block.findings, _style(block)
        yield from self._headline(block, len(findings) - 1)
        shown = _shown(findings)
        gutter = len(str(last_line(shown.marks, self.paint.look.context)))
        yield from self._excerpts(shown.marks, block.first.place.path, gutter, style)
        yield from self._notes(block, shown, gutter)
        if len(findings) == 1:
            yield from self._fix(block.first, gutter)
        yield from self._more(block, gutter)
        yield ""

    def spread(self, block: Block) -> Iterator[str]:
        """Yield a cause with its way, a line for each file that it reaches, and an empty line."""
        yield from self._headline(block, 0)
        marks = _cause_marks(block)
        gutter = len(str(last_line(marks, self.paint.look.context)))
        main = block.origin.place.path if block.origin else ""
        yield from self._excerpts(marks, main, gutter, _style(block))
        arrow = self.paint(":::" if block.origin else "-->", "frame")
        rows = file_rows(block, self.report, self.quoted, self.paint, show_all=self.show_all)
        yield from (f"{' ' * gutter}{arrow} {row}" for row in rows)
        yield from self._notes(block, _Shown([], [], []), gutter)
        yield from self._more(block, gutter)
        yield ""

    def _notes(self, block: Block, shown: _Shown, gutter: int) -> Iterator[str]:
        """Yield the remarks on a block."""
        for title, text in _notes(block.findings, shown):
            yield from self._note(title, text, gutter)

    def _more(self, block: Block, gutter: int) -> Iterator[str]:
        """Yield where more is said of a rule, below its first block."""
        name = block.first.rule.name
        if name not in self.explained:
            self.explained.add(name)
            yield from self._note("more", f"dal-audit explain {name}", gutter)

    def _fix(self, finding: Finding, gutter: int) -> Iterator[str]:
        """Yield the lines that a fix changes."""
        fix, paint = finding.breach.fix, self.paint
        room = paint.look.columns - gutter - 3 if paint.look.columns else MAX_LINE
        rows = fix_diff(fix, self.quoted.lines(finding.place.path)) if fix is not None else ()
        for sign, line in rows:
            style: Style = "error" if sign == "-" else "good"
            yield f"{' ' * gutter} {paint(f'{sign} {cut(expand(line), room)}', style)}"

    def _excerpts(
        self, marks: Iterable[Mark], main: str, gutter: int, style: Style
    ) -> Iterator[str]:
        """Yield the marks of each file below its name, the `main` one by an arrow."""
        excerpts = Excerpts(self.quoted, self.paint, gutter, style)
        for path, here in _by_file(marks):
            arrow = "-->" if path == main else ":::"
            where = shown_place(here[0].place, self.report, self.paint)
            yield f"{' ' * gutter}{self.paint(arrow, 'frame')} {where}"
            yield from excerpts.draw(here)

    def _headline(self, block: Block, more: int) -> Iterator[str]:
        """Yield what is wrong, wrapped where the terminal's width is known."""
        finding, style = block.first, _style(block)
        name, paint = finding.rule.name, self.paint
        columns = paint.look.columns
        told = f"{finding.severity}[{name}]: {safe(block.headline)}"
        head, *rows = wrapped(told, max(columns - len(_INDENT), LEAST) if columns else 0)
        last = rows[-1] if rows else head
        remark = f" (and {more} more in this file)" if more else ""
        is_apart = bool(columns and remark) and len(_INDENT) + width(last + remark) > columns
        # The severity and the name are the beginning of the first row: there is no blank in them.
        first = head.removeprefix(f"{finding.severity}[{name}]")
        linked = paint.link(name, document_of(finding.rule))
        lines = [
            f"{paint(f'{finding.severity}[{linked}]', style)}{paint(first, 'strong')}",
            *(_INDENT + paint(row, "strong") for row in rows),
        ]
        lines[-1] += "" if is_apart else remark
        yield from lines
        if is_apart:
            yield from (_INDENT + row for row in wrapped(remark.strip(), columns - len(_INDENT)))

    def _note(self, title: str, text: str, gutter: int) -> Iterator[str]:
        """Yield a remark below the excerpts, wrapped where the terminal's width is known."""
        indent = gutter + 3 + len(title) + 2
        columns = self.paint.look.columns
        rows = wrapped(safe(text), max(columns - indent, LEAST) if columns else 0)
        head = f"{' ' * gutter} {self.paint('=', 'frame')} {self.paint(title, 'strong')}: "
        yield head + next(rows)
        yield from (" " * indent + row for row in rows)


def _cause_marks(block: Block) -> list[Mark]:
    """Return the marks of a cause: the steps of its way, or the first of its places."""
    steps = block.way[-STEPS_SHOWN:]
    if not steps:
        told = block.origins[: USES_SHOWN + 1]
        return [Mark(origin.place, origin.message, main=True) for origin in told]
    number = "{}. " if len(steps) > 1 else ""
    return [
        Mark(
            step.place,
            number.format(index) + step.message,
            main=step is steps[-1],
            whole=step is steps[-1],
        )
        for index, step in enumerate(steps, 1)
    ]


def _style(block: Block) -> Style:
    return "info" if block.first.severity == "off" else block.first.severity


class _Shown(Struct, frozen=True):
    """What is shown of findings alike, and what is only named: one place a line."""

    marks: list[Mark]
    alike: list[Related]
    """Places of further findings."""
    uses: list[Related]
    """Further places where what is found is used."""


def _shown(findings: Sequence[Finding]) -> _Shown:
    """Choose what is shown; the steps of a way have numbers, and what they lead to has the last."""
    first = findings[0].breach
    steps = first.related[: first.flow_length][-STEPS_SHOWN:]
    marks = _main_marks(findings, f"{len(steps) + 1}. " if steps else "")
    marks += [
        Mark(relation.place, f"{step}. {relation.message}")
        for step, relation in enumerate(steps, 1)
    ]
    uses = _first_of_lines(
        relation for finding in findings for relation in finding.breach.related[first.flow_length :]
    )
    worth = _worth_showing(uses, findings)
    marks += [Mark(use.place, use.message) for use in worth]
    alike = [Related(finding.place, finding.breach.message) for finding in findings[ALIKE_SHOWN:]]
    return _Shown(marks, alike, [use for use in uses if use not in worth])


def _main_marks(findings: Sequence[Finding], number: str) -> list[Mark]:
    """Return the marks of what is found, each with the number behind those of the steps."""
    is_alone = len(findings) == 1
    return [
        Mark(
            finding.place,
            f"{number}{finding.breach.label if is_alone else _what(finding)}",
            main=True,
            whole=is_alone,
        )
        for finding in findings[:ALIKE_SHOWN]
    ]


def _worth_showing(uses: list[Related], findings: Sequence[Finding]) -> list[Related]:
    """Return the uses that are shown with their source."""
    # Findings alike share what is in other files; of uses, their own lines say enough.
    path = findings[0].place.path
    worth = uses if len(findings) == 1 else [use for use in uses if use.place.path != path]
    # Never all but one: that line would say no more than the source itself.
    return worth[: USES_SHOWN + (len(worth) == USES_SHOWN + 1)]


def _what(finding: Finding) -> str:
    """Return what a message says before it comes to what is the same for all findings alike."""
    return _SHARED.split(finding.breach.message, maxsplit=1)[0]


def _first_of_lines(related: Iterable[Related]) -> list[Related]:
    """Return the first place of each line."""
    first: dict[tuple[str, int], Related] = {}
    for relation in related:
        first.setdefault((relation.place.path, relation.place.span.line), relation)
    return list(first.values())


def _by_file(marks: Iterable[Mark]) -> Iterator[tuple[str, list[Mark]]]:
    """Yield marks file by file: the file of the first one, then the others in their order."""
    files: dict[str, list[Mark]] = {}
    for mark in marks:
        files.setdefault(mark.place.path, []).append(mark)
    yield from files.items()


def _notes(findings: Sequence[Finding], shown: _Shown) -> Iterator[tuple[str, str]]:
    """Yield the remarks on findings alike: a title and a text."""
    finding = findings[0]
    path = finding.place.path
    if shown.alike:
        yield "also", _named(shown.alike, path)
    if shown.uses:
        yield "used", _named(shown.uses, path)
    if finding.standing != "open":
        yield finding.standing, finding.justification
    if finding.breach.fails_on:
        yield "fails on", ", ".join(finding.breach.fails_on)
    yield "help", finding.remedy
    fixes = {finding.breach.fix and described(finding.breach.fix) for finding in findings}
    if len(fixes) == 1 and (fix := fixes.pop()):
        yield "fix", fix


def _named(left: Sequence[Related], path: str) -> str:
    """Return the lines that are not shown; in other files than the finding's with their names."""
    ordered = sorted(left, key=lambda relation: (relation.place.path != path, relation.place))
    shown = []
    for name, group in groupby(ordered[:NUMBERS_SHOWN], key=lambda relation: relation.place.path):
        numbers = ", ".join(str(relation.place.span.line) for relation in group)
        word = "line" if "," not in numbers else "lines"
        shown.append(f"{word} {numbers}" if name == path else f"{name}:{numbers}")
    more = f", and {len(left) - NUMBERS_SHOWN} more" if len(left) > NUMBERS_SHOWN else ""
    return f"on {'; '.join(shown)}{more}"
