"""The findings of the page: by rule, and those of one cause behind that cause."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Final

from dal_audit.judge.breach import Finding
from dal_audit.report.grouping import Block, blocks
from dal_audit.report.html.elements import coded, shown
from dal_audit.report.html.finding import article, excerpt
from dal_audit.report.links import document_of
from dal_audit.report.source_lines import Quoted
from dal_audit.report.summary import plural

ON_PAPER: Final = 1_000
"""Findings that are printed whole, on about 250 pages; of more, browsers make none in the end."""


def sections(findings: Iterable[Finding], quoted: Quoted, source_url: str) -> Iterator[str]:
    """Yield the findings by rule, in the order of the rules' ids; what reaches most comes first."""
    found = sorted(blocks(findings), key=_order)
    if sum(len(block.findings) for block in found) > ON_PAPER:
        yield '<div id="findings" class="many" tabindex="-1">'
        yield '<p class="paper">Lines of source and further places are left out on paper.</p>'
    else:
        yield '<div id="findings" tabindex="-1">'
    if not found:
        yield "<p>No findings.</p>"
    for rule, group in groupby(found, key=lambda block: block.first.rule):
        members = list(group)
        count = sum(len(block.findings) for block in members)
        yield f'<section class="group"><h2>{shown(rule.id)} {shown(rule.name)} '
        yield f"<small>{plural(count, 'finding')}</small></h2>"
        for block in members:
            yield from _block(block, quoted, source_url)
        yield "</section>"
    yield "</div>"


def _order(block: Block) -> tuple[object, ...]:
    """Causes that reach many files come first; the others keep their order."""
    first = block.first
    reached = -len(block.by_file) if block.is_spread else 0
    return first.rule.id, reached, first.place.path, first.place.span


def _block(block: Block, quoted: Quoted, source_url: str) -> Iterator[str]:
    if len(block.findings) == 1:
        yield from article(block.first, quoted, source_url)
        return
    first, files = block.first, len(block.by_file)
    yield f'<section class="block {first.severity}">'
    yield (
        f'<h3><span class="severity">{first.severity}</span> {coded(block.headline)}</h3>'
        f'<p class="about"><a href="{shown(document_of(first.rule))}">{shown(first.rule.id)} '
        f"{shown(first.rule.name)}</a></p>"
    )
    for step in block.way:
        yield from excerpt(step.place, step.message, quoted, source_url)
    if first.remedy:
        yield f'<p class="cure"><strong>Help</strong> {coded(first.remedy)}</p>'
    where = plural(files, "file")
    yield f"<details><summary>{plural(len(block.findings), 'finding')} in {where}</summary>"
    for finding in block.findings:
        yield from article(finding, quoted, source_url)
    yield "</details></section>"
