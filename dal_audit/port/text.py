"""A survey as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dal_audit.port.model import Remark, Survey
from dal_audit.port.paragraphs import (
    COLUMNS,
    CONFIGURE,
    Group,
    groups,
    headline,
    kinds,
    located,
    more,
    outcome,
    rows,
)
from dal_audit.report.terminal import safe


def render_text(survey: Survey, shown: int) -> str:
    """Return the estimate, the places by kind, what was not read, and what people decide.

    Of each list of places so many are `shown`.
    """
    lines = [headline(survey), "", *outcome(survey)]
    if survey.holds:
        lines += ["", *_table(survey)]
    for title, holds in kinds(survey):
        lines += ["", title]
        for group in groups(holds):
            lines += _group(group, shown)
    if survey.gaps:
        lines += ["", "Not read, so nothing is said of it"]
        for gap in survey.gaps:
            lines += _remark("-", gap, shown)
    lines += ["", "For people to say"]
    for number, question in enumerate(survey.questions, 1):
        lines += _remark(f"{number}.", question, shown)
    if any(hold.mending for hold in survey.holds):
        lines += ["", CONFIGURE]
    return "".join(f"{safe(line)}\n" for line in lines)


def _table(survey: Survey) -> Iterator[str]:
    cells = [COLUMNS, *rows(survey)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for title, *counts in cells:
        numbers = "  ".join(
            count.rjust(width) for count, width in zip(counts, widths[1:], strict=True)
        )
        yield f"  {title.ljust(widths[0])}  {numbers}"


def _group(group: Group, shown: int) -> Iterator[str]:
    for hold in group.holds[:shown]:
        mended = f" [{hold.mending} fix]" if hold.mending else ""
        rule = f" {hold.rule}" if hold.rule else ""
        yield f"  {located(hold.place)}:{rule} {hold.message}{mended}"
    yield from _more(len(group.holds), shown, "  ")
    yield f"    help: {group.cure}"


def _remark(mark: str, remark: Remark, shown: int) -> Iterator[str]:
    yield f"  {mark} {remark.text}"
    places: Sequence[str] = [located(place) for place in remark.places]
    yield from (f"      {place}" for place in places[:shown])
    yield from _more(len(places), shown, "      ")


def _more(count: int, shown: int, indent: str) -> Iterator[str]:
    if told := more(count, shown):
        yield f"{indent}{told}"
