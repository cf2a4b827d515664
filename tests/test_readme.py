"""What README.md, rules/README.md and the documents say is so.

`UPDATE_EXPECTED=1 python -m pytest tests/test_readme.py` rewrites the generated parts; that run
fails.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from dal_audit import __version__
from dal_audit.audit import audit
from dal_audit.catalogue.rulebook import Rule, clauses, find_rule, rules
from dal_audit.commands.parser import cli
from dal_audit.policy.keys import KEYS, Key, Many, Record
from dal_audit.policy.request import Request
from dal_audit.report.render import FORMATS, render

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
INDEX = ROOT / "rules" / "README.md"
CONFIGURATION = ROOT / "docs" / "configuration.md"
REPORTS = ROOT / "docs" / "reports.md"
SITE = ROOT / "docs" / "site" / "mkdocs.yml"
PAGES = sorted((ROOT / "docs").glob("*.md"))
FOR_USERS = {"adopt", "configuration", "editors", "integrations", "limits", "reports"}
"""The pages that speak of dal-audit's own options alone."""
DOCUMENTS = [README, INDEX, *PAGES, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))

LEFT_OUT = "[...]"
SHOWN = ("state.py", "doctor.py")
"""The files of the demo project whose findings the README shows."""


def rule_table() -> str:
    """Return the table of all rules, with links that count from the rule book."""
    rows = [
        "| id | name | severity | clause | fix | what it reports |",
        "|---|---|---|---|---|---|",
    ]
    for rule in rules():
        link = f"[{rule.name}]({rule.file.name})"
        fix = f"`--fix`{' (unsafe)' * (rule.fix == 'unsafe')}" if rule.fix else ""
        cells = (rule.id, link, rule.severity, ", ".join(rule.clauses), fix, rule.summary)
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def key_table() -> str:
    """Return the table of all keys of the configuration; those of a table within stand below it."""
    rows = ["| key | without it | meaning |", "|---|---|---|"]
    rows += [key_row(key.name, key) for key in KEYS]
    for key in KEYS:
        shape = key.shape.item if isinstance(key.shape, Many) else key.shape
        if isinstance(shape, Record):
            rows += [key_row(f"{key.name}.{inner.name}", inner) for inner in shape.keys]
    return "\n".join(rows)


def key_row(name: str, key: Key) -> str:
    """Return one row; a default that is TOML is code, the rest is prose."""
    is_code = key.default[:1] in '[{"' or key.default == "false"
    default = f"`{key.default}`" if key.default and is_code else key.default or "it must be set"
    return f"| `{name}` | {default} | {key.meaning} |"


def site_rules() -> str:
    """Return the rule book's part of the site's table of contents."""
    return "\n".join(f"      - {rule.id} {rule.name}: rules/{rule.file.name}" for rule in rules())


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


PARTS = {
    README: {"output": output},
    INDEX: {"rules": rule_table},
    CONFIGURATION: {"keys": key_table},
    SITE: {"rules": site_rules},
}
"""What is generated in which document; a mark before and one after it say where."""


def generated(document: Path) -> str:
    """Return a document's text with its generated parts made anew."""
    text = document.read_text(encoding="utf-8")
    for part, make in PARTS[document].items():
        if document == SITE:
            marks = (f"      # {part}\n", f"      # end of {part}\n")
        else:
            marks = (f"<!-- {part} -->\n", f"<!-- end of {part} -->\n")
        head, opening, rest = text.partition(marks[0])
        _, closing, tail = rest.partition(marks[1])
        assert opening
        assert closing
        text = f"{head}{opening}{make()}\n{closing}{tail}"
    return text


@pytest.mark.parametrize("document", PARTS, ids=lambda path: path.name)
def test_generated_parts_are_as_they_would_be_generated(document: Path) -> None:
    made = generated(document)
    if os.environ.get("UPDATE_EXPECTED"):
        document.write_bytes(made.encode("utf-8"))
        pytest.fail(f"rewrote {document.name}; run again without UPDATE_EXPECTED")
    assert document.read_text(encoding="utf-8") == made


def test_the_readme_is_read_at_one_sitting() -> None:
    assert README.read_text("utf-8").count("\n") < 200


def test_versions_in_examples_are_that_of_the_package() -> None:
    told = "".join(path.read_text("utf-8") for path in (README, *PAGES))
    named = re.findall(r"(?:rev: v|dal-audit@v|dal-audit==)([\w.]+)", told)
    assert set(named) == {__version__}


def test_the_site_has_every_page() -> None:
    text = SITE.read_text(encoding="utf-8")
    listed = re.findall(r": (\S+\.md)$", text.partition("\nnav:\n")[2], re.MULTILINE)
    pages = [str(path.relative_to(ROOT)) for path in (*DOCUMENTS, *(rule.file for rule in rules()))]
    assert sorted(listed) == sorted(pages)


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


def test_options_and_formats_exist() -> None:
    users = [page for page in PAGES if page.stem in FOR_USERS]
    assert len(users) == len(FOR_USERS)
    text = "\n".join(path.read_text(encoding="utf-8") for path in (README, *users))
    known = {name for command in cli.commands.values() for name in options_of(command.params)}
    spoken = re.findall(r"dal-audit[^`\n]*|`--[^`\n]*`", text)
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", "\n".join(spoken)))
    assert named - known == {"--all-files"}  # which is pre-commit's
    formats = REPORTS.read_text("utf-8").partition("## Output formats")[2].partition("\n## ")[0]
    assert set(re.findall(r"^\| `(\w+)` ", formats, re.MULTILINE)) == set(FORMATS)


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
    told = "".join(path.read_text(encoding="utf-8") for path in (README, *PAGES))
    in_readme = {one for one in used.findall(told) if not one.startswith("dal-audit/dal-audit@v")}
    assert in_readme
    assert in_readme <= in_workflows


def test_the_changelog_tells_of_each_rule() -> None:
    told = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert sorted(set(re.findall(r"DAL\d{3}", told))) == [rule.id for rule in rules()]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_rules_that_are_named_exist(document: Path) -> None:
    named = re.findall(r"DAL\d{3}", document.read_text(encoding="utf-8"))
    assert [name for name in named if find_rule(name) is None] == []


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
