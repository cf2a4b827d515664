"""A summary in Markdown (GitHub Flavored Markdown), for the page of a job.

Sources: the GFM specification, and GitHub's "Workflow commands", by which a summary that is larger
than 1 MiB is not shown at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Final

from dal_audit.judge.breach import Finding
from dal_audit.report.gfm import code_span, prose, table
from dal_audit.report.grouping import Block, blocks
from dal_audit.report.links import document_of
from dal_audit.report.model import Report
from dal_audit.report.statistics import Row, statistics
from dal_audit.report.summary import Verdict, counts, plural, verdicts

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
        head = ["", f"### {code_span(path) if path else 'In many files'}", ""]
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
    yield f"- {where}{finding.severity} {code_span(finding.rule.name)}: {prose(block.headline)}"
    for path, group in [*files.items()][:FILES_SHOWN]:
        more = f" and {len(group) - 1} more" if len(group) > 1 else ""
        yield f"  - {code_span(f'{path}:{group[0].place.span.line}')}{more}"
    if len(files) > FILES_SHOWN:
        yield f"  - and {plural(len(files) - FILES_SHOWN, 'more file')}"
    if finding.remedy:
        yield f"  - *{prose(finding.remedy)}*"


def _head(report: Report) -> Iterator[str]:
    """Yield what the audit comes to: counts, clauses, rules."""
    yield "## dal-audit"
    yield ""
    yield prose(counts(report))
    if report.assumptions:
        yield ""
        yield from (f"- assumed {prose(line)}" for line in report.assumptions)
        yield from (f"- **note** {prose(line)}" for line in report.notes)
    yield from table(
        ("clause", "", "verdict", "findings", "reason"),
        (
            (
                code_span(said.clause.id),
                prose(said.clause.title),
                _MARKS[said.verdict],
                str(said.against or ""),
                prose(said.reason),
            )
            for said in verdicts(report)
        ),
    )
    if report.tested:
        yield from ("", "Storage tests, as CI was seen to run them and to block a merge:", "")
        for backend, by, is_seen in report.tested:
            yield f"- {_SEEN[is_seen]} {code_span(backend)}: {prose(by)}"
    if report.limited:
        yield from ("", "These verdicts are for the given paths only.")
    rows = statistics(report)
    if rows:
        yield from table(("findings", "rule", "", "severity"), (_rule_row(row) for row in rows))


def _rule_row(row: Row) -> tuple[str, ...]:
    link = f"[{prose(row.rule.name)}]({document_of(row.rule)})"
    return str(row.count), code_span(row.rule.id), link, ", ".join(row.severities)


def _item(finding: Finding) -> Iterator[str]:
    """Yield a finding as an item of a list."""
    breach = finding.breach
    span = breach.place.span
    standing = "" if finding.standing == "open" else f" ({finding.standing})"
    yield (
        f"- **{span.line}:{span.column}** {finding.severity} "
        f"{code_span(finding.rule.name)}{standing}: {prose(breach.message)}"
    )
    for relation in breach.related[:RELATED_SHOWN]:
        where = code_span(f"{relation.place.path}:{relation.place.span.line}")
        yield f"  - {where}: {prose(relation.message)}"
    if len(breach.related) > RELATED_SHOWN:
        yield f"  - and {plural(len(breach.related) - RELATED_SHOWN, 'more place')}"
    if finding.remedy:
        yield f"  - *{prose(finding.remedy)}*"


def _size(line: str) -> int:
    return len(line.encode("utf-8", "backslashreplace")) + 1
