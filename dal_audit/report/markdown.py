"""A summary in Markdown (GitHub Flavored Markdown), for the page of a job.

Sources: the GFM specification, and GitHub's "Workflow commands", by which a summary that is larger
than 1 MiB is not shown at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Final

from dal_audit.judge.breach import Finding
from dal_audit.report.grouping import Block, blocks
from dal_audit.report.links import document_of
from dal_audit.report.model import Report
from dal_audit.report.statistics import Row, statistics
from dal_audit.report.summary import Verdict, counts, plural, verdicts
from dal_audit.report.terminal import safe, visible

SIZE_LIMIT: Final = 1024 * 1024
"""Bytes; GitHub shows nothing of a larger summary."""

RELATED_SHOWN: Final = 5
"""Related places that are listed below a finding."""

FILES_SHOWN: Final = 10
"""Files that are listed below a cause that reaches them."""

FOLDED_FROM: Final = 20
"""Findings from which their list is folded, so that the tables stay in view."""

_ROOM: Final = 2048
"""Bytes kept for what is said at the end of a summary that was cut."""

_MARKS: Final[dict[Verdict, str]] = {
    "pass": "✅ pass",
    "pass in part": "✅ pass in part",
    "baselined": "🟡 baselined",
    "fail": "❌ fail",
    "not audited": "⚪ not audited",
}
_SEEN: Final = {True: "✅", False: "⚪"}
_CODE: Final = re.compile(r"`([^`]+)`")
_MEANT: Final = re.compile(r"[\\`*_\[\]<>&#|~$@!]|:(?=/)|\.(?=\S)")
"""Punctuation that means something within a line; `.` and `:` where they could make a link."""


def render_markdown(report: Report, *, show_suppressed: bool = False) -> str:
    """Return the verdicts, a table of rules, and the findings by file, folded where they are many.

    Findings that would make the summary too large are left out, and it says how many they are.
    """
    lines = [*_head(report)]
    shown = [
        finding for finding in report.findings if show_suppressed or finding.standing == "open"
    ]
    room = SIZE_LIMIT - _ROOM - sum(_size(line) for line in lines)
    told, listed = _listed(shown, room)
    if len(shown) >= FOLDED_FROM:
        summary = f"<summary>{plural(told, 'finding')} by file</summary>"
        listed = ["", "<details>", summary, *listed, "", "</details>"]
    lines += listed
    if told < len(shown):
        lines += ["", f"**{plural(len(shown) - told, 'more finding')}** did not fit in here."]
    return "\n".join(lines) + "\n"


def _listed(findings: Iterable[Finding], room: int) -> tuple[int, list[str]]:
    """Return how many findings have room in so many bytes, and these by file."""
    lines: list[str] = []
    told = 0
    for path, group in groupby(blocks(findings), key=_file_of):
        head = ["", f"### {_span(path) or 'In many files'}", ""]
        room -= sum(_size(line) for line in head)
        for block in group:
            items = list(_items(block))
            room -= sum(_size(line) for line in items)
            if room < 0:
                return told, lines
            lines += [*head, *items]
            head = []
            told += len(block.findings)
    return told, lines


def _file_of(block: Block) -> str:
    """Return the file that a block stands below; none for a cause that has no place."""
    if block.is_spread:
        return block.origin.place.path if block.origin else ""
    return block.first.place.path


def _items(block: Block) -> Iterator[str]:
    """Yield a block as items of a list: one for each finding, or one for the cause of all."""
    if block.is_spread:
        yield from _cause(block)
    else:
        for finding in block.findings:
            yield from _item(finding)


def _cause(block: Block) -> Iterator[str]:
    """Yield a cause with the files that it reaches."""
    at = block.origin.place.span if block.origin else None
    where = f"**{at.line}:{at.column}** " if at else ""
    finding, files = block.first, block.by_file
    yield f"- {where}{finding.severity} {_span(finding.rule.name)}: {_text(block.headline)}"
    for path, group in [*files.items()][:FILES_SHOWN]:
        more = f" and {len(group) - 1} more" if len(group) > 1 else ""
        yield f"  - {_span(f'{path}:{group[0].place.span.line}')}{more}"
    if len(files) > FILES_SHOWN:
        yield f"  - and {plural(len(files) - FILES_SHOWN, 'more file')}"
    if finding.remedy:
        yield f"  - *{_text(finding.remedy)}*"


def _head(report: Report) -> Iterator[str]:
    """Yield what the audit comes to: counts, clauses, rules."""
    yield "## dal-audit"
    yield ""
    yield _text(counts(report))
    if report.assumptions:
        yield ""
        yield from (f"- assumed {_text(line)}" for line in report.assumptions)
    yield from _table(
        ("clause", "", "verdict", "findings", "reason"),
        (
            (
                _span(said.clause.id),
                _text(said.clause.title),
                _MARKS[said.verdict],
                str(said.against or ""),
                _text(said.reason),
            )
            for said in verdicts(report)
        ),
    )
    if report.tested:
        yield from ("", "Storage tests, as CI was seen to run them and to block a merge:", "")
        for backend, by, is_seen in report.tested:
            yield f"- {_SEEN[is_seen]} {_span(backend)}: {_text(by)}"
    if report.limited:
        yield from ("", "These verdicts are for the given paths only.")
    rows = statistics(report)
    if rows:
        yield from _table(("findings", "rule", "", "severity"), (_rule_row(row) for row in rows))


def _rule_row(row: Row) -> tuple[str, ...]:
    link = f"[{_text(row.rule.name)}]({document_of(row.rule)})"
    return str(row.count), _span(row.rule.id), link, ", ".join(row.severities)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield ""
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    yield from (f"| {' | '.join(row)} |" for row in rows)


def _item(finding: Finding) -> Iterator[str]:
    """Yield a finding as an item of a list."""
    breach = finding.breach
    span = breach.place.span
    standing = "" if finding.standing == "open" else f" ({finding.standing})"
    yield (
        f"- **{span.line}:{span.column}** {finding.severity} {_span(finding.rule.name)}{standing}: "
        f"{_text(breach.message)}"
    )
    for relation in breach.related[:RELATED_SHOWN]:
        where = _span(f"{relation.place.path}:{relation.place.span.line}")
        yield f"  - {where}: {_text(relation.message)}"
    if len(breach.related) > RELATED_SHOWN:
        yield f"  - and {plural(len(breach.related) - RELATED_SHOWN, 'more place')}"
    if finding.remedy:
        yield f"  - *{_text(finding.remedy)}*"


def _size(line: str) -> int:
    return len(line.encode("utf-8", "backslashreplace")) + 1


def _text(text: str) -> str:
    """Return text in which only code between backticks means anything to a reader of Markdown."""
    parts = _CODE.split(safe(text).replace("\t", " "))
    # Every other part is what stood between backticks.
    return "".join(
        _span(part) if index % 2 else _MEANT.sub(r"\\\g<0>", part)
        for index, part in enumerate(parts)
    )


def _span(code: str) -> str:
    """Return text as a code span (GFM §6.3); in cells of tables only ids are code, without bars."""
    code = visible(code)
    longest = max((len(run) for run in re.findall("`+", code)), default=0)
    fence = "`" * (longest + 1)
    # One blank on both sides is taken off again, by the standard; code of blanks alone keeps all.
    padded = f" {code} " if code[:1] in {"`", " "} or code[-1:] in {"`", " "} else code
    return f"{fence}{padded}{fence}" if code else ""
