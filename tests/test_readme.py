"""What README.md and rules/README.md say is so.

`UPDATE_EXPECTED=1 python -m pytest tests/test_readme.py` rewrites the generated parts; that run
fails.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from dal_audit.audit import audit
from dal_audit.catalogue.rulebook import Rule, clauses, find_rule, rules
from dal_audit.commands.parser import cli
from dal_audit.policy.keys import KEYS
from dal_audit.policy.request import Request
from dal_audit.report.render import FORMATS, render

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
INDEX = ROOT / "rules" / "README.md"
INTEGRATIONS = ROOT / "docs" / "integrations.md"
DOCUMENTS = [README, INDEX, INTEGRATIONS, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))

LEFT_OUT = "[...]"
SHOWN = ("state.py", "doctor.py")
"""The files of the demo project whose findings the README shows."""


def rule_table(folder: str) -> str:
    """Return the table of all rules, with links that count from the document's folder."""
    rows = [
        "| id | name | severity | clause | fix | what it reports |",
        "|---|---|---|---|---|---|",
    ]
    for rule in rules():
        link = f"[{rule.name}]({folder}{rule.file.name})"
        fix = f"`--fix`{' (unsafe)' * (rule.fix == 'unsafe')}" if rule.fix else ""
        cells = (rule.id, link, rule.severity, ", ".join(rule.clauses), fix, rule.summary)
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def output() -> str:
    """Return parts of what `dal-audit fixtures/demo` prints: two findings, and how it ends."""
    report = audit(Request(paths=("fixtures/demo",), folder=ROOT))
    *findings, ending, verdicts, more = render(report, "text").rstrip("\n").split("\n\n")
    wanted = re.compile(
        rf"error\[(?:dynamic-)?driver-import\][^\n]*\n *--> [^\n]*/({'|'.join(SHOWN)}):"
    )
    chosen = [one for one in findings if wanted.match(one)]
    assert len(chosen) == len(SHOWN)
    parts = [LEFT_OUT, *chosen, LEFT_OUT, ending, verdicts, more]
    return "```text\n$ dal-audit fixtures/demo\n" + "\n\n".join(parts) + "\n```"


def generated(document: Path) -> str:
    """Return a document's text with its generated parts made anew."""
    text = document.read_text(encoding="utf-8")
    parts = {"rules": rule_table("rules/" if document == README else "")}
    if document == README:
        parts["output"] = output()
    for part, made in parts.items():
        head, opening, rest = text.partition(f"<!-- {part} -->\n")
        _, closing, tail = rest.partition(f"<!-- end of {part} -->\n")
        assert opening
        assert closing
        text = f"{head}{opening}{made}\n{closing}{tail}"
    return text


@pytest.mark.parametrize("document", [README, INDEX], ids=["README", "rules"])
def test_generated_parts_are_as_they_would_be_generated(document: Path) -> None:
    made = generated(document)
    if os.environ.get("UPDATE_EXPECTED"):
        document.write_bytes(made.encode("utf-8"))
        pytest.fail(f"rewrote {document.name}; run again without UPDATE_EXPECTED")
    assert document.read_text(encoding="utf-8") == made


def test_continuous_integration_runs_the_test_command_of_the_readme() -> None:
    (command,) = re.findall(r"^python .*python -m tests$", README.read_text("utf-8"), re.MULTILINE)
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert script.rstrip().endswith(f"\n{command}")
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    install, _, tests = command.rpartition(" && ")
    assert f"run: {install}\n" in workflow
    assert f"run: {tests}\n" in workflow


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_into_the_repository_lead_somewhere(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?:)([^)#]+)", text)
    assert [link for link in links if not (document.parent / link).exists()] == []


def test_options_formats_and_keys_exist() -> None:
    text = README.read_text(encoding="utf-8")
    integrations = INTEGRATIONS.read_text(encoding="utf-8")
    known = {name for command in cli.commands.values() for name in options_of(command.params)}
    spoken = re.findall(r"dal-audit[^`\n]*|`--[^`\n]*`", text + integrations)
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", "\n".join(spoken)))
    assert named - known == {"--help", "--all-files"}  # the last is pre-commit's
    formats = text.partition("## Output formats")[2].partition("\n## ")[0]
    assert set(re.findall(r"^\| `(\w+)` ", formats, re.MULTILINE)) == set(FORMATS)
    configuration = text.partition("## Configuration")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`.+?`) \|", configuration, re.MULTILINE)
    keys = {key for row in rows for key in re.findall(r"`([a-z-]+)`", row)}
    assert keys
    assert keys <= {key.name for key in KEYS}


def options_of(params: Iterable[object]) -> list[str]:
    """Return the names of a command's options."""
    return [name for param in params for name in getattr(param, "opts", ())]


def test_actions_are_pinned_as_in_the_workflows() -> None:
    pinned = re.compile(r"uses: (\S+@[0-9a-f]{40} # v[\d.]+)$", re.MULTILINE)
    used = re.compile(r"uses: (.+)$", re.MULTILINE)
    in_workflows = {
        action
        for path in (*WORKFLOWS, ROOT / "action.yml")
        for action in used.findall(path.read_text(encoding="utf-8"))
    }
    assert in_workflows
    in_workflows = {one for one in in_workflows if not one.startswith("./ ")}  # our own
    assert all(pinned.fullmatch(f"uses: {action}") for action in in_workflows)
    told = "".join(path.read_text(encoding="utf-8") for path in (README, INTEGRATIONS))
    in_readme = {one for one in used.findall(told) if not one.startswith("dal-audit/dal-audit@v")}
    assert in_readme
    assert in_readme <= in_workflows


def test_the_changelog_tells_of_each_rule() -> None:
    told = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert sorted(set(re.findall(r"DAL\d{3}", told))) == [rule.id for rule in rules()]


@pytest.mark.parametrize("document", [README, INDEX], ids=["README", "rules"])
def test_rules_that_are_named_exist(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    planned = text.partition("## What it does not do yet")[2].partition("\n## ")[0]
    named = re.findall(r"DAL\d{3}", text.replace(planned, "")) if planned else []
    assert [one for one in named if find_rule(one) is None] == []
    assert [one for one in re.findall(r"DAL\d{3}", planned) if find_rule(one)] == []


def test_the_index_names_every_clause_that_is_enforced() -> None:
    enforced = {clause for rule in rules() for clause in rule.clauses}
    text = INDEX.read_text(encoding="utf-8")
    assert {clause.id for clause in clauses() if clause.id in enforced and clause.id in text} == (
        enforced
    )


def test_summaries_fit_into_a_table() -> None:
    def breaks(rule: Rule) -> bool:
        return "|" in rule.summary or "\n" in rule.summary

    assert [rule.name for rule in rules() if breaks(rule)] == []
