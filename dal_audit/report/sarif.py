"""SARIF 2.1.0, written for GitHub code scanning and valid for everyone else.

Sources: the OASIS standard (sections are quoted as §), and GitHub's "SARIF support for code
scanning" with its limits. What GitHub does not read but the standard offers is given as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from dal_audit.catalogue.rulebook import Clause, Rule, Severity
from dal_audit.judge.breach import Finding
from dal_audit.report.json_report import Object, json_text
from dal_audit.report.links import HOME, document_of
from dal_audit.report.model import Report
from dal_audit.report.sarif_results import (
    LEVELS,
    SOURCE_ROOT,
    location_of,
    plain,
    result_of,
    sentence,
    source_texts,
)

RESULTS_LIMIT: Final = 25_000
"""GitHub refuses a run with more results."""

DESCRIPTION_LIMIT: Final = 1024
"""Characters; GitHub refuses longer descriptions of a rule."""

TAGS_LIMIT: Final = 10
"""GitHub shows no more tags of a rule."""

_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
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
_PROBLEM_SEVERITIES: Final[dict[Severity, str]] = {
    "error": "error",
    "warning": "warning",
    "info": "recommendation",
    "off": "recommendation",
}

_SENTENCE_END: Final = re.compile(r"[.!?](?=\s)")
_PRE_RELEASE: Final = re.compile(r"(\d+\.\d+\.\d+)\.?(?=[a-z])")


def render_sarif(report: Report, *, suppressed: bool = False, category: str = "") -> str:
    """Return the open findings as SARIF; `suppressed` adds the accepted ones, marked as such.

    They are left out by default because GitHub reads no suppressions and would open alerts for
    them. `category` tells several uploads for one commit apart. Equal reports give equal text.
    """
    rules = sorted(report.rules, key=lambda rule: rule.id)
    found = report.findings if suppressed else report.open
    kept = _kept(found)
    texts = source_texts(report, kept)
    indexes = {rule.id: index for index, rule in enumerate(rules)}
    run: Object = {
        "tool": {"driver": _driver(report, rules)},
        "taxonomies": [_taxonomy(report.clauses)],
        "invocations": [_invocation(found, kept)],
        "columnKind": "utf16CodeUnits",
        # No `uri`: the checkout's place on one machine is nobody's business, nor reproducible.
        "originalUriBaseIds": {
            SOURCE_ROOT: {"description": {"text": "The root of the repository."}}
        },
        "results": [
            result_of(
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
        "defaultConfiguration": {"level": LEVELS[rule.severity]},
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
                "shortDescription": {"text": sentence(clause.title)},
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
            "message": {"text": plain(sentence(finding.breach.message))},
            "locations": [location_of(finding.place)],
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


# The words


def _pascal(words: str) -> str:
    return "".join(word.capitalize() for word in re.split(r"[\W_]+", words))


def _cut(text: str) -> str:
    """Return a description on one line, cut after the last sentence that fits."""
    line = " ".join(text.split())
    if len(line) <= DESCRIPTION_LIMIT:
        return line
    ends = [end.end() for end in _SENTENCE_END.finditer(line, 0, DESCRIPTION_LIMIT + 1)]
    return line[: ends[-1]] if ends else f"{line[: DESCRIPTION_LIMIT - 1].rstrip()}…"
