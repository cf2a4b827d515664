"""One HTML file with all findings, to be read in any browser and kept as an artifact of a build.

It loads nothing and runs one script of its own. Without the script the page is complete, only not
to be searched.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from itertools import groupby

from dal_audit.judge.breach import Finding
from dal_audit.report.html.elements import option, shown
from dal_audit.report.html.finding import article
from dal_audit.report.html.heading import heading
from dal_audit.report.html.page import page
from dal_audit.report.html.picture import picture
from dal_audit.report.model import Report
from dal_audit.report.reach import package_of, reaches_of
from dal_audit.report.source_lines import Quoted
from dal_audit.report.summary import counts, plural, verdicts

__all__ = ["elements", "page", "picture", "render_html"]


def render_html(report: Report, *, show_suppressed: bool = False) -> str:
    """Return the report as a page. Equal reports give equal text."""
    findings = [
        finding for finding in report.findings if show_suppressed or finding.standing == "open"
    ]
    return page(f"dal-audit: {counts(report)}", report.version, _body(report, findings))


def _body(report: Report, findings: Sequence[Finding]) -> Iterator[str]:
    yield '<a class="skip" href="#findings">Skip to the findings</a>'
    yield from heading(report)
    yield "<main>"
    yield from _clauses(report)
    yield from picture(reaches_of(report.findings), is_open=False)
    yield from _tools(findings)
    yield from _sections(findings, Quoted(report.sources))
    yield "</main>"


def _clauses(report: Report) -> Iterator[str]:
    """Yield the verdicts as a table."""
    yield '<section aria-labelledby="law"><h2 id="law">The clauses of the storage law</h2>'
    yield '<div class="wide"><table><thead><tr><th scope="col">Clause</th>'
    yield '<th scope="col">Title</th><th scope="col">Verdict</th>'
    yield '<th scope="col">Findings</th><th scope="col">Reason</th></tr></thead><tbody>'
    for said in verdicts(report):
        name = shown(said.clause.id)
        cell = f'<a href="#findings" data-clause="{name}">{name}</a>' if said.against else name
        yield (
            f'<tr class="{said.verdict.replace(" ", "-")}"><th scope="row">{cell}</th>'
            f"<td>{shown(said.clause.title)}</td><td>{said.verdict}</td>"
            f"<td>{said.against or ''}</td><td>{shown(said.reason)}</td></tr>"
        )
    yield "</tbody></table></div>"
    yield from _backends(report.tested or ())
    if report.limited:
        yield "<p>These verdicts are for the given paths only.</p>"
    yield "</section>"


def _backends(tested: Sequence[tuple[str, str, bool]]) -> Iterator[str]:
    """Yield on which backends CI was seen to run the storage tests."""
    if not tested:
        return
    yield '<div class="wide"><table><thead><tr><th scope="col">Storage tests on</th>'
    yield '<th scope="col">Job</th><th scope="col">Seen to run and to block</th>'
    yield "</tr></thead><tbody>"
    for backend, by, is_seen in tested:
        yield (
            f'<tr><th scope="row">{shown(backend)}</th><td>{shown(by)}</td>'
            f"<td>{'yes' if is_seen else 'no'}</td></tr>"
        )
    yield "</tbody></table></div>"


def _tools(findings: Iterable[Finding]) -> Iterator[str]:
    """Yield the fields by which findings are searched, filtered and grouped; a script works them.

    They are hidden until the script says that it runs.
    """
    found = list(findings)
    choices = {
        "clause": {clause for finding in found for clause in finding.rule.clauses},
        "rule": {f"{finding.rule.id} {finding.rule.name}" for finding in found},
        "package": {package_of(finding.place.path) for finding in found},
        "driver": {finding.breach.driver for finding in found if finding.breach.driver},
    }
    yield '<form id="tools" role="search" hidden>'
    yield '<label>Search <input type="search" id="search" autocomplete="off"></label>'
    for name, values in choices.items():
        yield f'<label>{name.capitalize()} <select id="{name}"><option value="">all</option>'
        yield from (option(value) for value in sorted(values))
        yield "</select></label>"
    yield '<label>Group by <select id="group">'
    yield from (option(value) for value in ("rule", "clause", "package", "file"))
    yield "</select></label>"
    yield '<button type="reset">Show all</button>'
    yield '<output id="count" aria-live="polite"></output>'
    yield "</form>"


def _sections(findings: Iterable[Finding], quoted: Quoted) -> Iterator[str]:
    """Yield the findings by rule, in the order of the rules' ids."""
    found = sorted(findings, key=lambda finding: finding.rule.id)
    yield '<div id="findings" tabindex="-1">'
    if not found:
        yield "<p>No findings.</p>"
    for rule, group in groupby(found, key=lambda finding: finding.rule):
        members = list(group)
        yield f'<section class="group"><h2>{escape(rule.id)} {escape(rule.name)} '
        yield f"<small>{plural(len(members), 'finding')}</small></h2>"
        for member in members:
            yield from article(member, quoted)
        yield "</section>"
    yield "</div>"
