"""A survey as Markdown: a list of tasks for an issue."""

from __future__ import annotations

from collections.abc import Iterator

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
from dal_audit.report.gfm import code_span, prose, table


def render_markdown(survey: Survey, shown: int) -> str:
    """Return the same as the text, with a task for each place. Of each list so many are `shown`."""
    lines = [f"## {prose(headline(survey))}", "", *map(prose, outcome(survey))]
    if survey.holds:
        lines += table(COLUMNS, rows(survey))
    for title, holds in kinds(survey):
        lines += ["", f"### {prose(title[0].upper() + title[1:])}"]
        for group in groups(holds):
            lines += _group(group, shown)
    if survey.gaps:
        lines += ["", "### Not read, so nothing is said of it", ""]
        for gap in survey.gaps:
            lines += _remark("-", gap, shown)
    lines += ["", "### For people to say", ""]
    for number, question in enumerate(survey.questions, 1):
        lines += _remark(f"{number}.", question, shown)
    if any(hold.mending for hold in survey.holds):
        lines += ["", prose(CONFIGURE)]
    return "\n".join(lines) + "\n"


def _group(group: Group, shown: int) -> Iterator[str]:
    yield from ("", f"*{prose(group.cure)}*", "")
    for hold in group.holds[:shown]:
        mended = f" ({hold.mending} fix)" if hold.mending else ""
        rule = f" {code_span(hold.rule)}" if hold.rule else ""
        yield f"- [ ] {code_span(located(hold.place))}{rule} {prose(hold.message)}{mended}"
    yield from _more(len(group.holds), shown, "")


def _remark(mark: str, remark: Remark, shown: int) -> Iterator[str]:
    yield f"{mark} {prose(remark.text)}"
    indent = " " * (len(mark) + 1)
    for place in remark.places[:shown]:
        yield f"{indent}- {code_span(located(place))}"
    yield from _more(len(remark.places), shown, indent)


def _more(count: int, shown: int, indent: str) -> Iterator[str]:
    if told := more(count, shown):
        yield f"{indent}- {prose(told)}"
