"""The results of a SARIF log: a finding with its places, its code flow, its fixes and its words."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import quote

from msgspec import Struct

from dal_audit.catalogue.rulebook import Severity
from dal_audit.facts import Place, Span
from dal_audit.judge.breach import Breach, Finding, Related
from dal_audit.report.fingerprint import LineHashes
from dal_audit.report.json_report import Object
from dal_audit.report.model import Report
from dal_audit.report.suggestions import is_exact, sarif_fixes
from dal_audit.report.summary import plural
from dal_audit.report.terminal import safe, utf16_index

RELATED_LIMIT: Final = 100
"""GitHub shows no more locations of a result."""

THREAD_LIMIT: Final = 1000
"""GitHub shows no more steps of a code flow."""

LINKS_LIMIT: Final = 10
"""Links in a message; more would bury what it says."""

SNIPPET_LIMIT: Final = 1000
"""Characters; longer source text, such as a generated line, is not quoted."""

SOURCE_ROOT: Final = "%SRCROOT%"
"""What the paths of a log are relative to."""

LEVELS: Final[dict[Severity, str]] = {
    "error": "error",
    "warning": "warning",
    "info": "note",
    "off": "note",
}

_UNDECODABLE: Final = "\N{REPLACEMENT CHARACTER}"
_LINE_END: Final = re.compile(r"\r\n|\r|\n")
_BRACKET: Final = re.compile(r"[\\\[\]]")
_MISREAD: Final = re.compile(r"\]\(|\\[\\\[\]]")
"""What a reader of embedded links would take for a link or for an escape."""


class SourceText(Struct, frozen=True):
    """A source file as results quote it."""

    lines: list[str]
    hashes: LineHashes

    def quoted(self, span: Span) -> tuple[str, str]:
        """Return the text of a span, and the whole lines that it touches, with LF as line end.

        Both are empty where the file has no such place, and where it is not in UTF-8 there: columns
        do not fit the wrong text.
        """
        lines = self.lines[span.line - 1 : span.end_line]
        whole = "\n".join(lines)
        if not lines or _UNDECODABLE in whole:
            return "", ""
        lines[-1] = lines[-1][: utf16_index(lines[-1], span.end_column)]
        lines[0] = lines[0][utf16_index(lines[0], span.column) :]
        return "\n".join(lines), whole


def source_texts(report: Report, findings: Iterable[Finding]) -> dict[str, SourceText]:
    """Return the sources that findings lie in, as far as they are at hand."""
    texts = {}
    for path in {finding.place.path for finding in findings} & report.sources.keys():
        data = report.sources[path]
        lines = _LINE_END.split(data.decode("utf-8", "replace").removeprefix("\ufeff"))
        texts[path] = SourceText(lines, LineHashes(data))
    return texts


def result_of(finding: Finding, index: int, text: SourceText | None, *, suppressed: bool) -> Object:
    """Return a finding as a result; `index` is the place of its rule among the log's."""
    breach = finding.breach
    result: Object = {
        "ruleId": finding.rule.id,
        "ruleIndex": index,
        "level": LEVELS[finding.severity],
        "message": {"text": _message(finding)},
        "locations": [location_of(breach.place, breach.label, text)],
    }
    if breach.related:
        result["relatedLocations"] = [
            {"id": number, **location_of(relation.place, relation.message)}
            for number, relation in enumerate(breach.related[:RELATED_LIMIT], 1)
        ]
    if breach.flow_length:
        result["codeFlows"] = [{"threadFlows": [{"locations": _flow(breach)}]}]
    if text:
        result |= _of_text(breach, text)
    if suppressed:
        # §3.27.23: either all results of a run have suppressions, be they empty, or none has.
        result["suppressions"] = [] if finding.standing == "open" else [_suppression(finding)]
    result["properties"] = _properties(finding)
    return result


def _of_text(breach: Breach, text: SourceText) -> Object:
    """Return what the text of a file adds: fixes of it, and by what a place is known again."""
    known: Object = {}
    if breach.fix is not None and is_exact(breach.fix, text.lines):
        artifact: Object = {"uri": _uri(breach.place.path), "uriBaseId": SOURCE_ROOT}
        known["fixes"] = sarif_fixes(breach.fix, artifact)
    line = breach.place.span.line
    if line <= len(text.hashes):
        known["partialFingerprints"] = {"primaryLocationLineHash": text.hashes[line - 1]}
    return known


def _flow(breach: Breach) -> list[Object]:
    """Return the steps by which a driver's object came to where it is found, and that place."""
    steps = [
        location_of(relation.place, relation.message)
        for relation in breach.related[: breach.flow_length]
    ]
    steps.append(location_of(breach.place, breach.label or breach.message))
    return [{"location": step} for step in steps[-THREAD_LIMIT:]]


def _properties(finding: Finding) -> Object:
    breach = finding.breach
    properties: Object = {"name": finding.rule.name, "clauses": list(finding.rule.clauses)}
    if breach.fails_on is not None:
        properties["fails_on"] = list(breach.fails_on)
    if breach.fails_later_on:
        properties["fails_later_on"] = list(breach.fails_later_on)
    if breach.run:
        properties["run"] = breach.run
    if finding.origin is not None:
        origin = finding.origin
        properties["origin"] = {
            "name": origin.name,
            "location": location_of(origin.place, origin.message),
        }
    return properties


def _suppression(finding: Finding) -> Object:
    suppression: Object = {
        "kind": "inSource" if finding.in_source else "external",
        "status": "accepted",
    }
    if finding.justification:
        suppression["justification"] = finding.justification
    return suppression


def _message(finding: Finding) -> str:
    """Return what is wrong in one sentence, and in a second one links to the related places."""
    breach = finding.breach
    first = plain(sentence(breach.message))
    if breach.remedy:
        first = f"{first} {plain(sentence(breach.remedy))}"
    links: dict[str, int] = {}
    for number, relation in enumerate(breach.related[:RELATED_LIMIT], 1):
        links.setdefault(_line_name(relation, breach.place.path), number)
    if not links:
        return first
    shown = [f"[{_escaped(name)}]({links[name]})" for name in list(links)[:LINKS_LIMIT]]
    more = len({_line_name(relation, breach.place.path) for relation in breach.related}) - len(
        shown
    )
    if more:
        shown.append(plural(more, "more place"))
    listed = " and ".join(filter(None, [", ".join(shown[:-1]), shown[-1]]))
    return f"{first} See also {listed}."


def _line_name(related: Related, path: str) -> str:
    """Return what a link to a related place is called, seen from a file."""
    place = related.place
    line = place.span.line
    return f"line {line}" if place.path == path else f"{safe(place.path)}:{line}"


def location_of(place: Place, message: str = "", text: SourceText | None = None) -> Object:
    """Return a place with what is said of it, and its source where that is at hand."""
    span = place.span
    region: Object = {
        "startLine": span.line,
        "startColumn": span.column,
        "endLine": span.end_line,
        "endColumn": span.end_column,
    }
    physical: Object = {
        "artifactLocation": {"uri": _uri(place.path), "uriBaseId": SOURCE_ROOT},
        "region": region,
    }
    marked, lines = text.quoted(span) if text else ("", "")
    if 0 < len(marked) <= SNIPPET_LIMIT:
        region["snippet"] = {"text": marked}
    # §3.29.5: a context is larger than the region.
    if len(marked) < len(lines) <= SNIPPET_LIMIT:
        physical["contextRegion"] = {
            "startLine": span.line,
            "endLine": span.end_line,
            "snippet": {"text": lines},
        }
    location: Object = {"physicalLocation": physical}
    if message:
        location["message"] = {"text": plain(sentence(message))}
    return location


def _uri(path: str) -> str:
    """Return a path as a relative URI of its very bytes (RFC 3986, section 4.2)."""
    if path == ".":
        # A finding in no file, yet a result without a location is refused by GitHub.
        return "./"
    uri = quote(os.fsencode(path))
    # `:` is encoded; yet a reader that decodes first would take what precedes it for a scheme.
    return f"./{uri}" if ":" in path.partition("/")[0] else uri


def sentence(text: str) -> str:
    """Return text on one line that ends as a sentence does."""
    line = " ".join(text.split())
    return line if line.endswith((".", "!", "?")) else f"{line}."


def plain(text: str) -> str:
    """Return text that a reader of embedded links (§3.11.6) shows as it is.

    The standard wants brackets escaped within a link's text alone, and viewers differ on escapes
    elsewhere; so text is escaped only where it would otherwise be read as something else. Braces
    stay single: placeholders (§3.11.5) are looked for only in messages with arguments.
    """
    return _escaped(text) if _MISREAD.search(text) else text


def _escaped(text: str) -> str:
    return _BRACKET.sub(r"\\\g<0>", text)
