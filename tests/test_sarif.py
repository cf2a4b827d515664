"""SARIF: the schema, GitHub's limits, and what each part of a finding becomes."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from msgspec.structs import replace

from dal_audit.catalogue.rulebook import SECTIONS, Clause, Rule
from dal_audit.facts import Place, Span
from dal_audit.judge.breach import Breach, Finding, Origin, Related
from dal_audit.report.fingerprint import LineHashes
from dal_audit.report.json_report import render_json
from dal_audit.report.model import Report
from dal_audit.report.sarif import RESULTS_LIMIT, render_sarif

SCHEMA = json.loads(
    # From npm's @microsoft/sarif-multitool-linux 5.7.0 (MIT); OASIS's own is no valid schema.
    (Path(__file__).parent / "data" / "sarif-2.1.0.json").read_text(encoding="utf-8-sig")
)
VALIDATOR = Draft202012Validator(SCHEMA)

CLAUSES = (
    Clause("CX-DBP-010", "One storage API", "Every operation goes through one package."),
    Clause("CX-DBP-030", "Closure audit", "The audit is complete."),
)
SOURCE = "import sqlite3\nx = '😀'; import sqlite3  # é\n\nprint(x)\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for the documents of rules."""
    return tmp_path_factory.mktemp("rules")


def rule_of(
    folder: Path, rule_id: str = "DAL101", name: str = "driver-import", **fields: Any
) -> Rule:
    """Return a rule with a document of its own."""
    texts = dict.fromkeys(SECTIONS, "Nothing to say.")
    texts["What it flags"] = "An import of a driver. Everywhere."
    texts["Bad"] = "`app.py`\n```python\nimport sqlite3  # DAL101\n```"
    texts |= fields.pop("texts", {})
    body = "\n\n".join(f"## {title}\n\n{text}" for title, text in texts.items())
    file = folder / f"{name}.md"
    file.write_text(f"---\nid: {rule_id}\n---\n\n# {name}\n\n{body}\n", encoding="utf-8")
    given = Rule(rule_id, name, "error", "high", ("python",), ("CX-DBP-010",), "0.1.0", file)
    return replace(given, **fields)


def report_of(*findings: Finding, **fields: Any) -> Report:
    """Return a report with findings, and with their rules if no others are given."""
    rules = tuple({one.rule.id: one.rule for one in findings}.values())
    given: dict[str, Any] = {"rules": rules, "clauses": CLAUSES, "version": "0.1.0", **fields}
    return Report(findings, **given)


def finding_of(rule: Rule, place: Place | None = None, **fields: Any) -> Finding:
    """Return an open finding of a rule."""
    standing = {
        key: fields.pop(key)
        for key in ("standing", "justification", "in_source", "origin")
        if key in fields
    }
    severity = fields.pop("severity", rule.severity)
    message = fields.pop("message", "`sqlite3` is a driver; only `app/storage` may import it")
    breach = Breach(place or Place("app.py", Span(1, 8, 1, 15)), message, **fields)
    return Finding(rule, severity, breach, **standing)


def uses(*lines: int, path: str = "app.py") -> tuple[Related, ...]:
    """Return related places on lines."""
    return tuple(Related(Place(path, Span(line, 1, line, 8)), "it is used here") for line in lines)


def run_of(report: Report, **options: Any) -> Any:
    """Return the run of a report, after everything that holds for all runs was checked."""
    text = render_sarif(report, **options)
    text.encode("utf-8")
    assert text.endswith("}\n")
    log = json.loads(text)
    assert [error.message for error in VALIDATOR.iter_errors(log)] == []
    assert log["$schema"] == "https://json.schemastore.org/sarif-2.1.0.json"
    (run,) = log["runs"]
    check_strings(log)
    check_rules(run)
    check_results(run)
    return run


def check_strings(value: Any) -> None:
    """No string that GitHub may require is empty, and nothing is null."""
    if isinstance(value, dict):
        for member in value.values():
            check_strings(member)
    elif isinstance(value, list):
        for member in value:
            check_strings(member)
    else:
        assert value not in {"", None}


def check_rules(run: Any) -> None:
    """GitHub's limits of rules, and the references between rules and clauses."""
    driver = run["tool"]["driver"]
    (taxonomy,) = run["taxonomies"]
    assert 0 < len(driver["rules"]) <= 25_000 or run["results"] == []
    assert [rule["id"] for rule in driver["rules"]] == sorted(
        rule["id"] for rule in driver["rules"]
    )
    for rule in driver["rules"]:
        assert re.fullmatch(r"([A-Z][a-z0-9]+)+", rule["name"])
        assert len(rule["name"]) <= 255
        assert len(rule["shortDescription"]["text"]) <= 1024
        assert len(rule["fullDescription"]["text"]) <= 1024
        assert rule["helpUri"] in rule["help"]["markdown"]
        assert rule["helpUri"] in rule["help"]["text"]
        assert rule["defaultConfiguration"]["level"] in {"note", "warning", "error"}
        properties = rule["properties"]
        assert len(properties["tags"]) == len(set(properties["tags"])) <= 10
        assert {"storage", "portability"} <= set(properties["tags"])
        assert properties["precision"] in {"high", "medium", "low"}
        assert properties["problem.severity"] in {"recommendation", "warning", "error"}
        assert "security-severity" not in properties
        for relationship in rule["relationships"]:
            target = relationship["target"]
            assert taxonomy["taxa"][target["index"]]["id"] == target["id"]
            assert target["toolComponent"]["guid"] == taxonomy["guid"]
    assert driver["supportedTaxonomies"] == [
        {"index": 0, **{key: taxonomy[key] for key in ("name", "guid")}}
    ]


def check_results(run: Any) -> None:
    """GitHub's limits of results, and the references from them."""
    driver = run["tool"]["driver"]
    assert run["columnKind"] == "utf16CodeUnits"
    assert len(run["results"]) <= 25_000
    assert len({"suppressions" in result for result in run["results"]}) <= 1
    for result in run["results"]:
        assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in {"note", "warning", "error"}
        assert "kind" not in result
        related = result.get("relatedLocations", [])
        check_message(result["message"]["text"], [one["id"] for one in related])
        assert len(result["locations"]) == 1
        assert len(related) <= 100
        for location in (*result["locations"], *related):
            check_location(location, run)
    invocation = run["invocations"][0]
    assert invocation["executionSuccessful"] is True
    assert "exitCode" not in invocation
    for notification in invocation["toolExecutionNotifications"]:
        descriptor = notification["descriptor"]
        assert driver["notifications"][descriptor["index"]]["id"] == descriptor["id"]


def check_message(text: str, ids: list[int]) -> None:
    """The first sentence is a line of its own, and each link leads somewhere."""
    assert text.isprintable()
    assert text[-1] in ".!?"
    links = [int(number) for number in re.findall(r"(?<!\\)\]\((\d+)\)", text)]
    assert len(links) <= 10
    assert set(links) <= set(ids)
    assert len(ids) == len(set(ids))


def check_location(location: Any, run: Any) -> None:
    """A place has a whole region and a relative URI."""
    physical = location["physicalLocation"]
    artifact, region = physical["artifactLocation"], physical["region"]
    assert {"startLine", "startColumn", "endLine", "endColumn"} <= region.keys()
    begin, end = (
        (region["startLine"], region["startColumn"]),
        (region["endLine"], region["endColumn"]),
    )
    assert (1, 1) <= begin <= end
    assert artifact["uriBaseId"] in run["originalUriBaseIds"]
    assert "uri" not in run["originalUriBaseIds"][artifact["uriBaseId"]]
    # RFC 3986: unreserved characters, encoded bytes and slashes; relative.
    assert re.fullmatch(r"(?!/)(?:[\w.~/-]|%[0-9A-F]{2})+", artifact["uri"], re.ASCII)


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert not VALIDATOR.is_valid({"version": "2.1.0", "runs": [{"tool": {}}]})


def test_nothing_found_closes_alerts(folder: Path) -> None:
    run = run_of(report_of(rules=(rule_of(folder),)))
    assert run["results"] == []
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["DAL101"]
    assert run["invocations"] == [{"executionSuccessful": True, "toolExecutionNotifications": []}]
    assert "automationDetails" not in run


def test_a_result(folder: Path) -> None:
    place = Place("app.py", Span(1, 8, 1, 15))
    finding = finding_of(rule_of(folder), place, label="the driver comes in here")
    (result,) = run_of(report_of(finding, sources={"app.py": SOURCE.encode()}))["results"]
    assert result == {
        "ruleId": "DAL101",
        "ruleIndex": 0,
        "level": "error",
        "message": {"text": "`sqlite3` is a driver; only `app/storage` may import it."},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": "app.py", "uriBaseId": "%SRCROOT%"},
                    "region": {
                        "startLine": 1,
                        "startColumn": 8,
                        "endLine": 1,
                        "endColumn": 15,
                        "snippet": {"text": "sqlite3"},
                    },
                    "contextRegion": {
                        "startLine": 1,
                        "endLine": 1,
                        "snippet": {"text": "import sqlite3"},
                    },
                },
                "message": {"text": "the driver comes in here."},
            }
        ],
        "partialFingerprints": {"primaryLocationLineHash": LineHashes(SOURCE.encode())[0]},
        "properties": {"name": "driver-import", "clauses": ["CX-DBP-010"]},
    }


def test_a_rule(folder: Path) -> None:
    rule = rule_of(folder, confidence="medium", severity="info", clauses=("CX-DBP-030",))
    (given,) = run_of(report_of(rules=(rule,)))["tool"]["driver"]["rules"]
    assert given["name"] == "DriverImport"
    assert given["shortDescription"] == {"text": "An import of a driver."}
    assert given["fullDescription"] == {
        "text": "An import of a driver. Everywhere. Nothing to say."
    }
    assert given["help"]["markdown"].startswith(rule.text.strip())
    assert given["help"]["text"].startswith(rule.text.strip())
    assert given["helpUri"].endswith("/rules/driver-import.md")
    assert given["defaultConfiguration"] == {"level": "note"}
    assert [one["target"]["id"] for one in given["relationships"]] == ["CX-DBP-030"]
    assert given["properties"] == {
        "tags": ["CX-DBP-030", "storage", "portability"],
        "precision": "medium",
        "problem.severity": "recommendation",
    }


def test_the_tool(folder: Path) -> None:
    driver = run_of(report_of(rules=(rule_of(folder),), version="0.2.0rc1"))["tool"]["driver"]
    assert driver["name"] == "dal-audit"
    assert driver["version"] == "0.2.0rc1"
    assert driver["semanticVersion"] == "0.2.0-rc1"
    assert driver["informationUri"] == "https://github.com/dal-audit/dal-audit"


def test_the_law(folder: Path) -> None:
    (law,) = run_of(report_of(rules=(rule_of(folder),)))["taxonomies"]
    assert law["name"] == "CX-DBP"
    assert law["taxa"][0] == {
        "id": "CX-DBP-010",
        "name": "OneStorageApi",
        "shortDescription": {"text": "One storage API."},
        "fullDescription": {"text": "Every operation goes through one package."},
    }


@pytest.mark.parametrize(
    ("severity", "level", "problem"),
    [
        ("error", "error", "error"),
        ("warning", "warning", "warning"),
        ("info", "note", "recommendation"),
        ("off", "note", "recommendation"),
    ],
)
def test_levels(folder: Path, severity: Any, level: str, problem: str) -> None:
    run = run_of(report_of(finding_of(rule_of(folder, severity=severity))))
    (rule,) = run["tool"]["driver"]["rules"]
    assert run["results"][0]["level"] == rule["defaultConfiguration"]["level"] == level
    assert rule["properties"]["problem.severity"] == problem


def test_a_finding_s_own_severity_counts(folder: Path) -> None:
    run = run_of(report_of(finding_of(rule_of(folder), severity="warning")))
    assert run["results"][0]["level"] == "warning"
    assert run["tool"]["driver"]["rules"][0]["defaultConfiguration"]["level"] == "error"


def test_long_descriptions_are_cut(folder: Path) -> None:
    sentence = "This is one of many sentences that say it again."
    texts = {"What it flags": "w" * 2000, "Why": " ".join([sentence] * 40)}
    endless = rule_of(folder, name="endless", texts=texts)
    wordy = rule_of(folder, "DAL102", "wordy", texts={"Why": texts["Why"]})
    first, second = run_of(report_of(rules=(endless, wordy)))["tool"]["driver"]["rules"]
    assert len(first["shortDescription"]["text"]) == 1024
    assert first["shortDescription"]["text"].endswith("w…")
    assert second["fullDescription"]["text"].endswith(sentence)
    assert 1024 - len(sentence) <= len(second["fullDescription"]["text"]) <= 1024


@pytest.mark.parametrize(
    ("flags", "description"),
    [
        ("a" * 1023 + ".", "a" * 1023 + "."),
        ("a" * 1024 + ".", "a" * 1023 + "…"),
        ("a. " + "b" * 1021 + ". ", "a."),
        ("a. " + "b" * 1020 + ". ", "a. " + "b" * 1020 + "."),
    ],
)
def test_the_edges_of_the_cut(folder: Path, flags: str, description: str) -> None:
    rule = rule_of(folder, texts={"What it flags": flags})
    (given,) = run_of(report_of(rules=(rule,)))["tool"]["driver"]["rules"]
    assert given["fullDescription"] == {"text": description}


def test_many_clauses(folder: Path) -> None:
    clauses = tuple(Clause(f"CX-DBP-{n:03}", "A clause", "Says something.") for n in range(20))
    rule = rule_of(folder, clauses=tuple(clause.id for clause in clauses))
    (given,) = run_of(report_of(rules=(rule,), clauses=clauses))["tool"]["driver"]["rules"]
    assert len(given["properties"]["tags"]) == 10
    assert len(given["relationships"]) == 20


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("src/app.py", "src/app.py"),
        ("src/my pkg/naïve.py", "src/my%20pkg/na%C3%AFve.py"),
        ("a%20b#c?d.py", "a%2520b%23c%3Fd.py"),
        ("a:b.py", "./a%3Ab.py"),
        ("src/a:b.py", "src/a%3Ab.py"),
        ("back\\slash[1].py", "back%5Cslash%5B1%5D.py"),
        ("😀.py", "%F0%9F%98%80.py"),
        ("not-utf8-\udcff.py", "not-utf8-%FF.py"),
        ("line\nfeed.py", "line%0Afeed.py"),
        (".", "./"),
    ],
)
def test_uris(folder: Path, path: str, uri: str) -> None:
    finding = finding_of(rule_of(folder), Place(path, Span(1, 1, 1, 1)))
    (result,) = run_of(report_of(finding))["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == uri


@settings(max_examples=300)
@given(
    # No file can be called `.` or `..`; the path `.` is the project's folder (see `test_uris`).
    st.binary(min_size=1, max_size=20).filter(
        lambda name: (
            not {b"\0", b"/"} & {bytes([one]) for one in name} and name not in {b".", b".."}
        )
    )
)
def test_a_uri_leads_back_to_the_file(folder: Path, name: bytes) -> None:
    path = name.decode("utf-8", "surrogateescape")
    log = render_sarif(report_of(finding_of(rule_of(folder), Place(path, Span(1, 1, 1, 1)))))
    uri = json.loads(log)["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    assert unquote_to_bytes(uri["artifactLocation"]["uri"]).removeprefix(b"./") == name


def test_columns_count_utf16_units(folder: Path) -> None:
    place = Place("app.py", Span(2, 18, 2, 25))
    source = SOURCE.encode()
    finding = finding_of(rule_of(folder), place)
    (result,) = run_of(report_of(finding, sources={"app.py": source}))["results"]
    physical = result["locations"][0]["physicalLocation"]
    assert physical["region"]["startColumn"] == 18
    assert physical["region"]["snippet"] == {"text": "sqlite3"}
    assert physical["contextRegion"]["snippet"] == {"text": "x = '😀'; import sqlite3  # é"}
    assert result["partialFingerprints"] == {"primaryLocationLineHash": LineHashes(source)[1]}


@pytest.mark.parametrize(
    ("source", "span", "marked", "context"),
    [
        (b"import sqlite3", Span(1, 1, 1, 15), "import sqlite3", None),
        (b"import sqlite3\r\nx", Span(1, 1, 1, 1), None, "import sqlite3"),
        (
            b"from a import (\r\n  b,\r)\n",
            Span(1, 6, 3, 2),
            "a import (\n  b,\n)",
            "from a import (\n  b,\n)",
        ),
        (b"\xef\xbb\xbfimport sqlite3", Span(1, 8, 1, 15), "sqlite3", "import sqlite3"),
        (b"# caf\xe9; sqlite3", Span(1, 9, 1, 16), None, None),
        (b"# caf\xe9\nimport sqlite3", Span(2, 8, 2, 15), "sqlite3", "import sqlite3"),
        (b"x = 1  # " + b"x" * 1000, Span(1, 1, 1, 2), "x", None),
        (b"", Span(1, 1, 1, 1), None, None),
        (b"x\n", Span(7, 1, 7, 2), None, None),
    ],
)
def test_snippets(
    folder: Path, source: bytes, span: Span, marked: str | None, context: str | None
) -> None:
    finding = finding_of(rule_of(folder), Place("app.py", span))
    (result,) = run_of(report_of(finding, sources={"app.py": source}))["results"]
    physical = result["locations"][0]["physicalLocation"]
    assert physical["region"].get("snippet", {}).get("text") == marked
    assert physical.get("contextRegion", {}).get("snippet", {}).get("text") == context
    assert ("partialFingerprints" in result) == (span.line <= len(LineHashes(source)))


def test_no_source_no_fingerprint(folder: Path) -> None:
    finding = finding_of(rule_of(folder), Place("gone.py", Span(1, 1, 1, 1)))
    (result,) = run_of(report_of(finding, sources={"app.py": b"x"}))["results"]
    assert "partialFingerprints" not in result
    assert "snippet" not in result["locations"][0]["physicalLocation"]["region"]


@pytest.mark.parametrize(
    ("related", "second"),
    [
        ((), ""),
        (uses(12), " See also [line 12](1)."),
        (uses(12, 40), " See also [line 12](1) and [line 40](2)."),
        (uses(12, 12, 40), " See also [line 12](1) and [line 40](3)."),
        (uses(3, path="b[1]\\.py"), r" See also [b\[1\]\\.py:3](1)."),
        (
            uses(*range(1, 12)),
            " See also "
            + ", ".join(f"[line {line}]({line})" for line in range(1, 11))
            + " and 1 more place.",
        ),
    ],
)
def test_links(folder: Path, related: tuple[Related, ...], second: str) -> None:
    (result,) = run_of(report_of(finding_of(rule_of(folder), related=related, message="x")))[
        "results"
    ]
    assert result["message"]["text"] == "x." + second
    assert len(result.get("relatedLocations", [])) == len(related)


def test_very_many_related_places(folder: Path) -> None:
    related = uses(*range(2, 252))
    (result,) = run_of(report_of(finding_of(rule_of(folder), related=related)))["results"]
    assert [one["id"] for one in result["relatedLocations"]] == list(range(1, 101))
    assert result["relatedLocations"][0]["message"] == {"text": "it is used here."}
    assert result["message"]["text"].endswith("[line 11](10) and 240 more places.")


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ("two\nlines\r\n\tand more", "two lines and more."),
        ("it ends.", "it ends."),
        ("did you mean `x`?", "did you mean `x`?"),
        ("`allow[x]` and C:\\dir need no escape", "`allow[x]` and C:\\dir need no escape."),
        ("`dict[str](1)` is no link", r"`dict\[str\](1)` is no link."),
        (r"the pattern `\[x`", r"the pattern `\\\[x`."),
        ("placeholders `{0}` stay", "placeholders `{0}` stay."),
        ("a lone \udcff", "a lone \ufffd."),
    ],
)
def test_messages(folder: Path, message: str, text: str) -> None:
    (result,) = run_of(report_of(finding_of(rule_of(folder), message=message)))["results"]
    assert result["message"]["text"] == text


@settings(max_examples=300)
@given(st.text("[]()\\1a", min_size=1, max_size=12))
def test_a_message_reads_as_it_was_written(folder: Path, message: str) -> None:
    log = json.loads(render_sarif(report_of(finding_of(rule_of(folder), message=message))))
    text = log["runs"][0]["results"][0]["message"]["text"]
    # As §3.11.6 has it, and as GitHub's own viewer for VS Code reads it.
    assert not re.search(r"(?<!\\)(?:\\\\)*\[(?:[^\\\]\[]|\\[\\\[\]])*\]\(\d+\)", text)
    assert re.sub(r"\\([\\\[\]])", r"\1", text) == f"{message}."


def test_control_characters_are_escaped(folder: Path) -> None:
    report = report_of(finding_of(rule_of(folder), label="a \x1b[31m bell \x07 \x00"))
    text = render_sarif(report)
    assert not re.search(r"[\x00-\x09\x0b-\x1f]", text)
    assert "\\u001b[31m bell \\u0007" in text


def test_accepted_findings_stay_out(folder: Path) -> None:
    rule = rule_of(folder)
    findings = (
        finding_of(rule),
        finding_of(rule, standing="suppressed", justification="one-off copy", in_source=True),
        finding_of(rule, standing="suppressed", justification="per-file-ignores"),
        finding_of(rule, standing="waived", justification="W-1: until March"),
        finding_of(rule, standing="suppressed", in_source=True),
    )
    report = report_of(*findings)
    assert len(run_of(report)["results"]) == 1
    results = run_of(report, suppressed=True)["results"]
    accepted = {"status": "accepted"}
    assert [result["suppressions"] for result in results] == [
        [],
        [{"kind": "inSource", "justification": "one-off copy", **accepted}],
        [{"kind": "external", "justification": "per-file-ignores", **accepted}],
        [{"kind": "external", "justification": "W-1: until March", **accepted}],
        [{"kind": "inSource", **accepted}],
    ]


@pytest.mark.parametrize(
    ("category", "automation"), [("dal-audit", "dal-audit/"), ("a/b", "a/b/"), ("a/", "a/")]
)
def test_category(folder: Path, category: str, automation: str) -> None:
    run = run_of(report_of(rules=(rule_of(folder),)), category=category)
    assert run["automationDetails"] == {"id": automation}


def test_an_unreadable_file_is_a_result_and_a_notification(folder: Path) -> None:
    unreadable = rule_of(folder, "DAL901", "unreadable-file")
    place = Place("broken.py", Span(3, 2, 3, 3))
    finding = finding_of(unreadable, place, message="the file cannot be parsed: no colon")
    run = run_of(report_of(finding_of(rule_of(folder)), finding))
    (notification,) = run["invocations"][0]["toolExecutionNotifications"]
    assert notification["descriptor"] == {"id": "DAL901", "index": 0}
    assert notification["level"] == "error"
    assert notification["message"] == run["results"][1]["message"]
    assert notification["locations"] == run["results"][1]["locations"]


def test_too_many_results(folder: Path) -> None:
    rule = rule_of(folder)
    severities = ("info", "warning", "error")
    findings = [
        finding_of(rule, Place(f"f{n:05}.py", Span(1, 1, 1, 2)), severity=severities[n % 3])
        for n in range(RESULTS_LIMIT + 3000)
    ]
    log = json.loads(render_sarif(report_of(*findings)))
    (run,) = log["runs"]
    levels = [result["level"] for result in run["results"]]
    assert len(levels) == RESULTS_LIMIT == 25_000
    assert levels.count("note") == 28_000 // 3 + 1 - 3000
    paths = [
        result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        for result in run["results"]
    ]
    assert paths == sorted(paths)
    (notification,) = run["invocations"][0]["toolExecutionNotifications"]
    assert notification["descriptor"] == {"id": "results-left-out", "index": 1}
    assert notification["message"]["text"].startswith("3000 of 28000 findings were left out")


def test_equal_reports_give_equal_text(folder: Path) -> None:
    rules = [rule_of(folder, f"DAL10{n}", f"rule-{n}") for n in range(1, 6)]
    paths = [f"{letter}.py" for letter in "abcdef"]
    findings = tuple(
        finding_of(rule, Place(path, Span(1, 1, 1, 2)), related=uses(1, 2, path=path))
        for path in paths
        for rule in rules
    )
    texts = set()
    for seed in range(5):
        shuffle = random.Random(seed).sample
        sources = {path: path.encode() for path in shuffle(paths, len(paths))}
        rules_that_ran = tuple(shuffle(rules, len(rules)))
        texts.add(render_sarif(report_of(*findings, rules=rules_that_ran, sources=sources)))
    assert len(texts) == 1


def test_the_order_of_findings_is_kept(folder: Path) -> None:
    rule = rule_of(folder)
    paths = ["b.py", "a.py", "a.py", "c.py"]
    findings = [finding_of(rule, Place(path, Span(1, 1, 1, 2))) for path in paths]
    results = run_of(report_of(*findings))["results"]
    given = [one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for one in results]
    assert given == paths


def test_nothing_tells_of_the_machine(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report = report_of(finding_of(rule_of(folder)), sources={"app.py": SOURCE.encode()})
    before = render_sarif(report)
    monkeypatch.chdir(folder)
    assert render_sarif(report) == before
    assert str(folder) not in before
    assert "Utc" not in before


def test_the_way_of_a_leak_is_a_code_flow_that_ends_where_it_arrived(folder: Path) -> None:
    rule = rule_of(folder)
    related = uses(1, path="storage.py") + uses(2, path="between.py") + uses(9)
    log = run_of(
        report_of(finding_of(rule, related=related, flow_length=2, label="it arrives here"))
    )
    (flow,) = log["results"][0]["codeFlows"][0]["threadFlows"]
    steps = [step["location"] for step in flow["locations"]]
    assert [step["physicalLocation"]["artifactLocation"]["uri"] for step in steps] == [
        "storage.py",
        "between.py",
        "app.py",
    ]
    assert steps[-1]["message"]["text"].startswith("it arrives here")


def test_a_finding_without_a_way_has_no_code_flow(folder: Path) -> None:
    log = run_of(report_of(finding_of(rule_of(folder), related=uses(1, 2))))
    assert "codeFlows" not in log["results"][0]


def test_findings_of_one_cause_name_its_origin(folder: Path) -> None:
    rule = rule_of(folder)
    origin = Origin("app.db.Row", Place("app/db.py", Span(3, 1, 3, 4)), "it is handed on here")
    report = report_of(
        *(finding_of(rule, Place(path, Span(1, 1, 1, 4)), origin=origin) for path in "ab"),
        finding_of(rule),
    )
    *properties, alone = [result["properties"] for result in run_of(report)["results"]]
    assert "origin" not in alone
    for named in (known["origin"] for known in properties):
        location = named["location"]["physicalLocation"]
        assert named["name"] == "app.db.Row"
        assert named["location"]["message"]["text"] == "it is handed on here."
        assert (location["artifactLocation"]["uri"], location["region"]["startLine"]) == (
            "app/db.py",
            3,
        )
    told = [found["origin"] for found in json.loads(render_json(report))["findings"]]
    assert told[-1] is None
    assert [(known["name"], known["path"], known["line"]) for known in told[:-1]] == [
        ("app.db.Row", "app/db.py", 3)
    ] * 2
