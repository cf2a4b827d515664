"""Hostile files of CI: no text ends an audit, grows beyond its size, or is passed over in silence."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from dal_audit.audit import audit
from dal_audit.extract.ci import ci_facts
from dal_audit.extract.ci.shell import commands_at
from dal_audit.extract.python.suite_files import suite_facts
from dal_audit.facts import NotUnderstood, Span
from dal_audit.facts.ci import CiTool, CiWorkflow
from dal_audit.policy.request import Request
from tests.hostile_workflows import SOUND, check_workflow, hostile_workflow
from tests.sampling import runs

WORKFLOW = ".github/workflows/a.yml"
PATHS = (
    WORKFLOW,
    ".gitlab-ci.yml",
    ".circleci/config.yml",
    "azure-pipelines.yml",
    "action.yml",
    "compose.yaml",
    "tox.ini",
    "setup.cfg",
    "pyproject.toml",
    "noxfile.py",
    "Makefile",
    "justfile",
    "package.json",
    "scripts/test.sh",
)
WORDS = (
    "jobs", "on", "steps", "run", "uses", "needs", "if", "matrix", "strategy", "include", "services", "image",
    "script", "extends", "rules", "parallel", "docker", "workflows", "environment", "<<", "variables", "env",
    "testenv", "scripts", "with",
)  # fmt: skip


@given(st.sampled_from(PATHS), st.binary(max_size=200))
@settings(deadline=None)
def test_any_bytes_are_read(path: str, data: bytes) -> None:
    ci_facts(path, data)


@given(
    st.sampled_from(PATHS),
    st.recursive(
        st.one_of(
            st.none(), st.booleans(), st.integers(), st.text(max_size=20), st.sampled_from(WORDS)
        ),
        lambda inner: st.one_of(
            st.lists(inner, max_size=4),
            st.dictionaries(st.sampled_from(WORDS), inner, max_size=5),
        ),
        max_leaves=25,
    ),
)
@settings(deadline=None)
def test_any_tree_is_read(path: str, tree: object) -> None:
    text = yaml.safe_dump(
        {"jobs": {"a": tree}, "on": tree, "steps": tree, "services": tree, "b": tree}
    )
    ci_facts(path, text.encode())


@given(st.randoms(use_true_random=False))
@settings(max_examples=runs(400))
def test_a_workflow_that_chance_has_broken_is_read_and_walked_through(chance: Random) -> None:
    check_workflow(*hostile_workflow(chance))


@pytest.mark.parametrize("path", SOUND)
def test_what_chance_breaks_is_sound_before(path: str) -> None:
    (workflow,) = (
        fact for fact in ci_facts(path, SOUND[path].encode()) if isinstance(fact, CiWorkflow)
    )
    assert workflow.jobs
    check_workflow(path, SOUND[path].encode())


@pytest.mark.parametrize("path", SOUND)
@pytest.mark.parametrize(
    "text", ["[" * 5000, "a: " * 5000 + "x", "- " * 5000 + "x", "a: &a [*a]\njobs: *a\n"]
)
def test_depth_is_no_crash_in_any_system(path: str, text: str) -> None:
    check_workflow(path, text.encode())
    assert any(isinstance(fact, NotUnderstood) for fact in ci_facts(path, text.encode()))


@given(st.text(alphabet="ab \n|&;(){}<>$'\"\\#!=-`:", max_size=80))
@settings(deadline=None)
def test_any_script_is_read(text: str) -> None:
    commands_at(text, Span(1, 1, 1, 1))
    ci_facts("scripts/test.sh", text.encode())


@given(st.text(max_size=100))
@settings(deadline=None)
def test_any_test_file_is_read(text: str) -> None:
    suite_facts(text.encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize("where", ["    strategy: {matrix: *a11}", "    steps: *a11"])
def test_aliases_do_not_grow(where: str) -> None:
    bomb = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    bomb += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    text = "\n".join([*bomb, "on: push", "jobs:", "  t:", where])
    (fact,) = ci_facts(WORKFLOW, text.encode())
    assert isinstance(fact, NotUnderstood)
    assert "aliases" in fact.detail


def test_a_node_that_holds_itself_is_said() -> None:
    (fact,) = ci_facts(WORKFLOW, b"on: push\njobs:\n  t: &t\n    steps: [*t]\n")
    assert isinstance(fact, NotUnderstood)


def test_aliases_are_read() -> None:
    text = b"on: push\njobs:\n  a: &a\n    steps: [{run: pytest}]\n  b: *a\n"
    (workflow,) = ci_facts(WORKFLOW, text)
    assert isinstance(workflow, CiWorkflow)
    assert [len(job.steps) for job in workflow.jobs] == [1, 1]


@pytest.mark.parametrize(
    "data",
    [
        b"on: push\njobs: [",
        b"jobs: {a: *nowhere}",
        b"\xff\xfejobs",
        b"jobs: \xff",
        b"jobs:\n\t- a",
        b"a: \x00",
        b"[" * 5000,
        b"a: " + b"{b: " * 5000,
        b"- " * 5000 + b"x",
        b"x: |\n" + b"y" * (5 << 20),
    ],
)
def test_what_is_no_workflow_is_said(data: bytes) -> None:
    (fact,) = ci_facts(WORKFLOW, data)
    assert isinstance(fact, NotUnderstood)
    assert ci_facts("compose.yaml", data) == ()


def test_a_broken_workflow_is_reported_and_the_others_are_judged(tmp_path: Path) -> None:
    folder = tmp_path / ".github" / "workflows"
    folder.mkdir(parents=True)
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "storage.py").write_text("import sqlite3\nimport psycopg\n")
    (folder / "a.yml").write_text("jobs: [\n")
    text = "on: [pull_request]\njobs:\n  t:\n    steps:\n      - run: pytest -k sqlite\n"
    (folder / "b.yml").write_text(text)
    found = audit(Request(folder=tmp_path)).open
    assert [(one.rule.id, one.place.path) for one in found] == [
        ("DAL901", ".github/workflows/a.yml"),
        ("DAL501", ".github/workflows/b.yml"),
    ]


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_places_hold_behind_line_ends_that_only_yaml_knows(newline: str) -> None:
    text = newline.join(
        ["# \u2028 \x85 é𝒳", "on: push", "jobs:", "  é𝒳: {steps: [{run: pytest}]}", ""]
    )
    (workflow,) = ci_facts(WORKFLOW, text.encode())
    assert isinstance(workflow, CiWorkflow)
    assert workflow.jobs[0].key == Span(4, 3, 4, 6)
    assert workflow.jobs[0].steps[0].script[0].span == Span(4, 23, 4, 29)


def test_a_script_knows_the_line_of_each_command() -> None:
    text = """\
on: push
jobs:
  a:
    steps:
      - run: |

          one
            two
      - run: >-
          three
          four &&
          five

          six
      - run:
          seven
          eight && nine
      - run: "ten; eleven"
"""
    (workflow,) = ci_facts(WORKFLOW, text.encode())
    assert isinstance(workflow, CiWorkflow)
    found = [
        (command.words, command.span.line, command.span.column)
        for step in workflow.jobs[0].steps
        for command in step.script
    ]
    assert found == [
        (("one",), 7, 11),
        (("two",), 8, 13),
        (("three", "four"), 10, 11),
        (("five",), 12, 11),
        (("six",), 14, 11),
        (("seven", "eight"), 16, 11),
        (("nine",), 17, 20),
        (("ten",), 18, 15),
        (("eleven",), 18, 20),
    ]


def test_circles_among_what_commands_call_end() -> None:
    (tool,) = ci_facts("Makefile", b"a: b\n\tmake b\nb: a\n\tmake a\n")
    assert isinstance(tool, CiTool)
    assert [target.name for target in tool.targets] == ["a", "b"]


def test_circles_of_workflows_and_scripts_end(tmp_path: Path) -> None:
    files = {
        "app/storage.py": "import sqlite3\nimport psycopg\n",
        ".github/workflows/a.yml": "on: [pull_request, workflow_call]\njobs:\n  a:\n    needs: b\n"
        "    uses: ./.github/workflows/a.yml\n  b:\n    needs: a\n    steps: [{run: ./x.sh}]\n"
        "  c:\n    steps:\n      - uses: ./act\n",
        "act/action.yml": "runs:\n  using: composite\n  steps:\n    - uses: ./act\n",
        "x.sh": "./x.sh\nmake a\nbash -c 'bash -c \"./x.sh\"'\n",
        "Makefile": "a: a\n\t./x.sh\n\tmake a\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert {one.rule.id for one in audit(Request(folder=tmp_path)).open} == {"DAL501"}
