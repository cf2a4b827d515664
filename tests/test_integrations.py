"""What README.md and the pages of docs/ tell people to paste is of the form that is expected."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML

from dal_audit.audit import audit
from dal_audit.discover.files import MARKERS
from dal_audit.policy.request import Request
from dal_audit.report.render import render
from tests.test_action import schema

ROOT = Path(__file__).resolve().parent.parent
INTEGRATIONS = ROOT / "docs" / "integrations.md"
DOCUMENTS = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
HOOKS = ROOT / ".pre-commit-hooks.yaml"


def pasted(language: str) -> list[Any]:
    """Return what the fenced blocks of a language hold."""
    text = "".join(path.read_text(encoding="utf-8") for path in DOCUMENTS)
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    return [YAML(typ="safe").load(block) for block in blocks]


def faults(document: Any, name: str) -> list[str]:
    form = schema(name)
    validator = jsonschema.validators.validator_for(form)(form)
    return [error.message for error in validator.iter_errors(document)]


def test_workflows_are_valid() -> None:
    found = [one for one in pasted("yaml") if "jobs" in one]
    assert len(found) > 1
    for one in found:
        # A part of a workflow is shown without what starts it.
        assert faults({"on": "push", **one}, "github-workflows.json") == []


def test_steps_use_inputs_that_the_action_has() -> None:
    inputs = YAML(typ="safe").load((ROOT / "action.yml").read_text(encoding="utf-8"))["inputs"]
    text = INTEGRATIONS.read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z-]+)` \| (.+?) \|", text, re.MULTILINE)
    told = {name: default.strip("`") for name, default in rows if name in inputs}
    assert set(told) == set(inputs)
    for name, default in told.items():
        assert inputs[name]["default"] in {default, ""}, name


def test_the_job_for_gitlab_is_valid() -> None:
    (found,) = [one for one in pasted("yaml") if "dal-audit" in one]
    assert faults(found, "gitlab-ci.json") == []


def test_the_schema_is_where_the_entry_of_schemastore_says() -> None:
    (entry,) = [found for found in pasted("json") if "fileMatch" in found]
    tree = "https://raw.githubusercontent.com/dal-audit/dal-audit/main/"
    assert (ROOT / entry["url"].removeprefix(tree)).is_file()
    assert set(entry["fileMatch"]) <= set(MARKERS)


def test_hooks_that_are_named_exist() -> None:
    hooks = {one["id"]: one for one in YAML(typ="safe").load(HOOKS.read_text(encoding="utf-8"))}
    named = [
        hook["id"]
        for one in pasted("yaml")
        for repository in one.get("repos", ())
        for hook in repository["hooks"]
    ]
    assert named
    assert set(named) <= set(hooks)
    told = INTEGRATIONS.read_text(encoding="utf-8")
    assert all(f"| `{name}` |" in told for name in hooks)
    # Several processes would each read the whole project, and mix their reports.
    assert all(hook["require_serial"] for hook in hooks.values())


@pytest.mark.parametrize("name", ["fixtures/demo", "fixtures/leaks"])
def test_the_problem_matcher_of_the_editor_reads_every_finding(name: str) -> None:
    (tasks,) = [one for one in pasted("json") if "tasks" in one]
    pattern = tasks["tasks"][0]["problemMatcher"]["pattern"]
    report = audit(Request(paths=(name,), folder=ROOT))
    *lines, _ = render(report, "concise").splitlines()
    for line, finding in zip(lines, report.open, strict=True):
        read = re.search(pattern["regexp"], line)
        assert read is not None
        place = finding.place
        assert read[pattern["file"]] == place.path
        assert read[pattern["line"]] == str(place.span.line)
        assert read[pattern["code"]] == finding.rule.id
