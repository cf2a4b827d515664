"""A finding as an article of the page: what, where, by which way, and the cure."""

from __future__ import annotations

from collections.abc import Iterator

from dal_audit.facts import Place
from dal_audit.judge.breach import Finding
from dal_audit.report.html.elements import coded, shown
from dal_audit.report.html.source_links import located
from dal_audit.report.links import document_of
from dal_audit.report.reach import package_of
from dal_audit.report.source_lines import Quoted
from dal_audit.report.summary import plural
from dal_audit.report.terminal import expand

RELATED_SHOWN = 20
"""Related places that are listed; a file that uses a driver everywhere has hundreds."""

MAX_LINE = 300
"""Characters; of a longer line of source only the marked part is quoted."""


def article(finding: Finding, quoted: Quoted, source_url: str = "") -> Iterator[str]:
    """Yield a finding's lines of HTML.

    What the script filters and groups by stands in `data-` attributes.
    """
    breach, rule = finding.breach, finding.rule
    traits = {
        "rule": f"{rule.id} {rule.name}",
        "clauses": " ".join(rule.clauses),
        "package": package_of(breach.place.path),
        "file": breach.place.path,
        "driver": breach.driver,
    }
    data = " ".join(f'data-{name}="{shown(value)}"' for name, value in traits.items())
    yield f'<article class="finding {finding.severity}" tabindex="-1" {data}>'
    yield (
        f'<h3><span class="severity">{finding.severity}</span> {coded(breach.message)}</h3>'
        f'<p class="about"><a href="{shown(document_of(rule))}">{shown(rule.id)} '
        f"{shown(rule.name)}</a> · {shown(', '.join(rule.clauses))}</p>"
    )
    if finding.standing != "open":
        yield f'<p class="standing">{finding.standing}: {shown(finding.justification)}</p>'
    yield from excerpt(breach.place, breach.label, quoted, source_url)
    if breach.related:
        yield '<ol class="related">'
        for relation in breach.related[:RELATED_SHOWN]:
            yield "<li>"
            yield from excerpt(relation.place, relation.message, quoted, source_url)
            yield "</li>"
        yield "</ol>"
    if len(breach.related) > RELATED_SHOWN:
        yield f"<p>and {plural(len(breach.related) - RELATED_SHOWN, 'more place')}</p>"
    if breach.fails_on:
        yield f"<p><strong>Fails on</strong> {shown(', '.join(breach.fails_on))}</p>"
    if finding.remedy:
        yield f'<p class="cure"><strong>Help</strong> {coded(finding.remedy)}</p>'
    yield "</article>"


def excerpt(place: Place, label: str, quoted: Quoted, source_url: str) -> Iterator[str]:
    """Yield where a place is, and its first line with the place marked."""
    span = place.span
    told = f" {coded(label)}" if label else ""
    yield f'<p class="place">{located(place, source_url)}{told}</p>'
    before, marked, after = quoted.split(place)
    if not (before + marked + after).strip():
        return
    before = before.lstrip()  # Of a line that stands alone its indentation tells nothing.
    if len(before) + len(marked) + len(after) > MAX_LINE:
        before, after = before[-20:], after[:20]
        marked = marked[:MAX_LINE]
    yield (
        f'<pre><span class="line">{span.line}</span>{shown(expand(before))}'
        f"<mark>{shown(expand(marked))}</mark>{shown(expand(after))}</pre>"
    )
