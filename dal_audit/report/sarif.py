"""SARIF 2.1.0, written for GitHub code scanning and valid for everyone else.

Sources: the OASIS standard (sections are quoted as §), and GitHub's "SARIF support for code
scanning" with its limits. What GitHub does not read but the standard offers is given as well.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from typing import Final
from urllib.parse import quote

from msgspec import Struct

from dal_audit.catalogue.rulebook import Clause, Rule, Severity
from dal_audit.facts import Place, Span
from dal_audit.judge.breach import Breach, Finding, Related
from dal_audit.report.fingerprint import line_hashes
from dal_audit.report.json_report import Object, json_text
from dal_audit.report.links import HOME, document_of
from dal_audit.report.model import Report
from dal_audit.report.suggestions import is_exact, sarif_fixes
from dal_audit.report.summary import plural
from dal_audit.report.terminal import safe, utf16_index

RESULTS_LIMIT: Final = 25_000
"""GitHub refuses a run with more results."""

DESCRIPTION_LIMIT: Final = 1024
"""Characters; GitHub refuses longer descriptions of a rule."""

TAGS_LIMIT: Final = 10
"""GitHub shows no more tags of a rule."""

RELATED_LIMIT: Final = 100
"""GitHub shows no more locations of a result."""

THREAD_LIMIT: Final = 1000
"""GitHub shows no more steps of a code flow."""

LINKS_LIMIT: Final = 10
"""Links in a message; more would bury what it says."""

SNIPPET_LIMIT: Final = 1000
"""Characters; longer source text, such as a generated line, is not quoted."""

_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
_ROOT: Final = "%SRCROOT%"
_LAW: Final[Object] = {
    "name": "CX-DBP",
    # uuid5 of the URL namespace and the address of rules/catalogue/clauses.toml on GitHub.
    "guid": "3d68dbc8-c626-57b7-961a-5d67741ba196",
    "index": 0,
}
"""How everything refers to the taxonomy of clauses."""

_TAGS: Final = ("storage", "portability")
_UNREADABLE: Final = "DAL901"
_LEFT_OUT: Final = "results-left-out"

_RANKS: Final[dict[Severity, int]] = {"error": 0, "warning": 1, "info": 2, "off": 3}
_LEVELS: Final[dict[Severity, str]] = {
    "error": "error",
    "warning": "warning",
    "info": "note",
    "off": "note",
}
_PROBLEM_SEVERITIES: Final[dict[Severity, str]] = {
    "error": "error",
    "warning": "warning",
    "info": "recommendation",
    "off": "recommendation",
}

_UNDECODABLE: Final = "\N{REPLACEMENT CHARACTER}"
_LINE_END: Final = re.compile(r"\r\n|\r|\n")
_SENTENCE_END: Final = re.compile(r"[.!?](?=\s)")
_PRE_RELEASE: Final = re.compile(r"(\d+\.\d+\.\d+)\.?(?=[a-z])")
_BRACKET: Final = re.compile(r"[\\\[\]]")
_MISREAD: Final = re.compile(r"\]\(|\\[\\\[\]]")
"""What a reader of embedded links would take for a link or for an escape."""


def render_sarif(report: Report, *, suppressed: bool = False, category: str = "") -> str:
    """Return the open findings as SARIF; `suppressed` adds the accepted ones, marked as such.

    They are left out by default because GitHub reads no suppressions and would open alerts for
    them. `category` tells several uploads for one commit apart. Equal reports give equal text.
    """
    rules = sorted(report.rules, key=lambda rule: rule.id)
    found = report.findings if suppressed else report.open
    kept = _kept(found)
    texts = _texts(report, kept)
    indexes = {rule.id: index for index, rule in enumerate(rules)}
    run: Object = {
        "tool": {"driver": _driver(report, rules)},
        "taxonomies": [_taxonomy(report.clauses)],
        "invocations": [_invocation(found, kept)],
        "columnKind": "utf16CodeUnits",
        # No `uri`: the checkout's place on one machine is nobody's business, nor reproducible.
        "originalUriBaseIds": {_ROOT: {"description": {"text": "The root of the repository."}}},
        "results": [
            _result(
                finding,
                indexes[finding.rule.id],
                texts.get(finding.place.path),
                suppressed=suppressed,
            )
            for finding in kept
        ],
    }
    if category:
        # What stands before the last slash is the category, what follows it the run's own id.
        run["automationDetails"] = {"id": category.rstrip("/") + "/"}
    return json_text({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]})


def _kept(findings: Sequence[Finding]) -> list[Finding]:
    """Return the findings that a run can hold, the most severe first to be kept, in their order."""
    ranked = sorted(range(len(findings)), key=lambda index: _RANKS[findings[index].severity])
    return [findings[index] for index in sorted(ranked[:RESULTS_LIMIT])]


# The tool


def _driver(report: Report, rules: Sequence[Rule]) -> Object:
    clauses = {clause.id: index for index, clause in enumerate(report.clauses)}
    return {
        "name": "dal-audit",
        "version": report.version,
        # A pre-release is `0.1.0rc1` in Python's words and `0.1.0-rc1` in those of semver.org.
        "semanticVersion": _PRE_RELEASE.sub(r"\1-", report.version, count=1),
        "informationUri": HOME,
        "rules": [_rule(rule, clauses) for rule in rules],
        "notifications": [
            _notification(
                _UNREADABLE, "UnreadableFile", "A file could not be read, decoded or parsed."
            ),
            _notification(
                _LEFT_OUT, "ResultsLeftOut", "There are more findings than GitHub takes in one run."
            ),
        ],
        "supportedTaxonomies": [_LAW],
    }


def _rule(rule: Rule, clauses: dict[str, int]) -> Object:
    address = document_of(rule)
    sections = rule.sections
    return {
        "id": rule.id,
        "name": _pascal(rule.name),
        "shortDescription": {"text": _cut(rule.summary)},
        "fullDescription": {"text": _cut(f"{sections['What it flags']} {sections['Why']}")},
        "help": {
            "text": f"{rule.text.strip()}\n\nThis document: {address}\n",
            # GitHub does not read `helpUri`.
            "markdown": f"{rule.text.strip()}\n\n[This document]({address})\n",
        },
        "helpUri": address,
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        "relationships": [
            {
                "target": {"id": clause, "index": clauses[clause], "toolComponent": _LAW},
                "kinds": ["superset"],
            }
            for clause in rule.clauses
            if clause in clauses
        ],
        "properties": {
            "tags": [*rule.clauses[: TAGS_LIMIT - len(_TAGS)], *_TAGS],
            "precision": rule.confidence,
            # No `security-severity`: it would make security alerts of architecture findings.
            "problem.severity": _PROBLEM_SEVERITIES[rule.severity],
        },
    }


def _notification(notification_id: str, name: str, text: str) -> Object:
    # GitHub's validator asks the same of it as of a rule.
    return {
        "id": notification_id,
        "name": name,
        "shortDescription": {"text": text},
        "fullDescription": {"text": text},
        "help": {"text": text},
    }


def _taxonomy(clauses: Iterable[Clause]) -> Object:
    return {
        "name": _LAW["name"],
        "guid": _LAW["guid"],
        "informationUri": f"{HOME}/blob/main/rules/catalogue/clauses.toml",
        "shortDescription": {"text": "The clauses of the storage law."},
        "isComprehensive": True,
        "taxa": [
            {
                "id": clause.id,
                "name": _pascal(clause.title),
                "shortDescription": {"text": _sentence(clause.title)},
                "fullDescription": {"text": _cut(clause.text)},
            }
            for clause in clauses
        ],
    }


def _invocation(found: Sequence[Finding], kept: Sequence[Finding]) -> Object:
    notifications: list[Object] = [
        {
            "descriptor": {"id": _UNREADABLE, "index": 0},
            "level": "error",
            "message": {"text": _plain(_sentence(finding.breach.message))},
            "locations": [_location(finding.place)],
        }
        for finding in found
        if finding.rule.id == _UNREADABLE
    ]
    if len(kept) < len(found):
        missing = f"{len(found) - len(kept)} of {len(found)} findings were left out"
        notifications.append(
            {
                "descriptor": {"id": _LEFT_OUT, "index": 1},
                "level": "error",
                "message": {
                    "text": f"{missing}, the least severe ones: a run holds {RESULTS_LIMIT}."
                },
            }
        )
    # True even where a file could not be read: that is a result, and `false` would make GitHub
    # report a failure of the tool.
    return {"executionSuccessful": True, "toolExecutionNotifications": notifications}


# The results


class _Text(Struct, frozen=True):
    """A source file as results quote it."""

    lines: list[str]
    hashes: list[str]

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


def _texts(report: Report, findings: Iterable[Finding]) -> dict[str, _Text]:
    """Return the sources that findings lie in, as far as they are at hand."""
    texts = {}
    for path in {finding.place.path for finding in findings} & report.sources.keys():
        data = report.sources[path]
        lines = _LINE_END.split(data.decode("utf-8", "replace").removeprefix("\ufeff"))
        texts[path] = _Text(lines, line_hashes(data))
    return texts


def _result(finding: Finding, index: int, text: _Text | None, *, suppressed: bool) -> Object:
    breach = finding.breach
    result: Object = {
        "ruleId": finding.rule.id,
        "ruleIndex": index,
        "level": _LEVELS[finding.severity],
        "message": {"text": _message(finding)},
        "locations": [_location(breach.place, breach.label, text)],
    }
    if breach.related:
        result["relatedLocations"] = [
            {"id": number, **_location(relation.place, relation.message)}
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


def _of_text(breach: Breach, text: _Text) -> Object:
    """Return what only the text of a file tells: fixes, and by what a place is known again."""
    known: Object = {}
    if breach.fix is not None and is_exact(breach.fix, text.lines):
        artifact: Object = {"uri": _uri(breach.place.path), "uriBaseId": _ROOT}
        known["fixes"] = sarif_fixes(breach.fix, artifact)
    line = breach.place.span.line
    if line <= len(text.hashes):
        known["partialFingerprints"] = {"primaryLocationLineHash": text.hashes[line - 1]}
    return known


def _flow(breach: Breach) -> list[Object]:
    """Return the steps by which a driver's object came to where it is found, and that place."""
    steps = [
        _location(relation.place, relation.message)
        for relation in breach.related[: breach.flow_length]
    ]
    steps.append(_location(breach.place, breach.label or breach.message))
    return [{"location": step} for step in steps[-THREAD_LIMIT:]]


def _properties(finding: Finding) -> Object:
    breach = finding.breach
    properties: Object = {"name": finding.rule.name, "clauses": list(finding.rule.clauses)}
    if breach.fails_on is not None:
        properties["fails_on"] = list(breach.fails_on)
    if breach.fails_later_on:
        properties["fails_later_on"] = list(breach.fails_later_on)
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
    first = _plain(_sentence(breach.message))
    if breach.remedy:
        first = f"{first} {_plain(_sentence(breach.remedy))}"
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


def _location(place: Place, message: str = "", text: _Text | None = None) -> Object:
    span = place.span
    region: Object = {
        "startLine": span.line,
        "startColumn": span.column,
        "endLine": span.end_line,
        "endColumn": span.end_column,
    }
    physical: Object = {
        "artifactLocation": {"uri": _uri(place.path), "uriBaseId": _ROOT},
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
        location["message"] = {"text": _plain(_sentence(message))}
    return location


def _uri(path: str) -> str:
    """Return a path as a relative URI of its very bytes (RFC 3986, section 4.2)."""
    if path == ".":
        # A finding in no file, yet a result without a location is refused by GitHub.
        return "./"
    uri = quote(os.fsencode(path))
    # `:` is encoded; yet a reader that decodes first would take what precedes it for a scheme.
    return f"./{uri}" if ":" in path.partition("/")[0] else uri


# The words


def _pascal(words: str) -> str:
    return "".join(word.capitalize() for word in re.split(r"[\W_]+", words))


def _sentence(text: str) -> str:
    """Return text on one line that ends as a sentence does."""
    line = " ".join(text.split())
    return line if line.endswith((".", "!", "?")) else f"{line}."


def _cut(text: str) -> str:
    """Return a description on one line, cut after the last sentence that fits."""
    line = " ".join(text.split())
    if len(line) <= DESCRIPTION_LIMIT:
        return line
    ends = [end.end() for end in _SENTENCE_END.finditer(line, 0, DESCRIPTION_LIMIT + 1)]
    return line[: ends[-1]] if ends else f"{line[: DESCRIPTION_LIMIT - 1].rstrip()}…"


def _plain(text: str) -> str:
    """Return text that a reader of embedded links (§3.11.6) shows as it is.

    The standard wants brackets escaped within a link's text alone, and viewers differ on escapes
    elsewhere; so text is escaped only where it would otherwise be read as something else. Braces
    stay single: placeholders (§3.11.5) are looked for only in messages with arguments.
    """
    return _escaped(text) if _MISREAD.search(text) else text


def _escaped(text: str) -> str:
    return _BRACKET.sub(r"\\\g<0>", text)
