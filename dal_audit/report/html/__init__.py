"""One HTML file with all findings, to be read in any browser and kept as an artifact of a build.

It loads nothing and runs one script of its own. Without the script the page is complete, only not
to be searched.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from dal_audit.judge.breach import Finding
from dal_audit.report.html.elements import coded, option, shown
from dal_audit.report.html.heading import heading
from dal_audit.report.html.page import page
from dal_audit.report.html.picture import picture
from dal_audit.report.html.sections import sections
from dal_audit.report.model import Report
from dal_audit.report.reach import package_of, reaches_of
from dal_audit.report.source_lines import Quoted
from dal_audit.report.summary import counts, verdicts

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
    yield from sections(findings, Quoted(report.sources), report.source_url)
    yield "</main>"


def _clauses(report: Report) -> Iterator[str]:
    """Yield the verdicts as a table, folded behind how many there are of each."""
    said = list(verdicts(report))
    numbers = Counter(verdict.verdict for verdict in said)
    told = ", ".join(f"{count} {verdict}" for verdict, count in sorted(numbers.items()))
    yield '<section aria-labelledby="law"><details><summary>'
    yield f'<h2 id="law">The clauses of the storage law <small>{told}</small></h2></summary>'
    yield '<div class="wide" tabindex="0" role="region" aria-label="Clauses"><table><thead><tr>'
    yield '<th scope="col">Clause</th><th scope="col">Title</th><th scope="col">Verdict</th>'
    yield '<th scope="col">Findings</th><th scope="col">Reason</th></tr></thead><tbody>'
    for verdict in said:
        name = shown(verdict.clause.id)
        cell = f'<a href="#findings" data-clause="{name}">{name}</a>' if verdict.against else name
        yield (
            f'<tr class="{verdict.verdict.replace(" ", "-")}"><th scope="row">{cell}</th>'
            f"<td>{shown(verdict.clause.title)}</td><td>{verdict.verdict}</td>"
            f"<td>{verdict.against or ''}</td><td>{shown(verdict.reason)}</td></tr>"
        )
    yield "</tbody></table></div>"
    yield from _backends(report.tested or ())
    if report.limited:
        yield "<p>These verdicts are for the given paths only.</p>"
    yield "</details></section>"


def _backends(tested: Sequence[tuple[str, str, bool]]) -> Iterator[str]:
    """Yield on which backends CI was seen to run the storage tests."""
    if not tested:
        return
    yield '<div class="wide"><table><thead><tr><th scope="col">Storage tests on</th>'
    yield '<th scope="col">Job</th><th scope="col">Seen to run and to block</th>'
    yield "</tr></thead><tbody>"
    for backend, by, is_seen in tested:
        yield (
            f'<tr><th scope="row">{shown(backend)}</th><td>{coded(by)}</td>'
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
