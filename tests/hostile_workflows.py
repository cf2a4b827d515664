"""Files of CI that nobody means well by: sound ones that chance has broken, and what must hold of them.

Chance comes as a `Random`, so that one generator serves hypothesis and the long run
(`python -m tests.tools.hostile`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import Final, TypeAlias

from dal_audit.assemble.workflows.runs import Runs
from dal_audit.assemble.workflows.walk import MAX_LEGS
from dal_audit.extract.ci import ci_facts
from dal_audit.extract.ci.yaml_tree import MAX_NODES
from dal_audit.facts import FileFacts, NotUnderstood
from dal_audit.facts.ci import CiAction, CiJob, CiWorkflow

SOUND: Final[Mapping[str, str]] = {
    ".github/workflows/ci.yml": """\
on: {pull_request: {paths: ["src/**"]}, push: {branches: [main]}}
env: &env
  PGPASSWORD: example
defaults: {run: {shell: bash, working-directory: src}}
jobs:
  tests: &tests
    if: github.event_name != 'push' && !cancelled()
    strategy:
      matrix:
        db: [sqlite, postgresql]
        python: ["3.12", 3.13]
        include: [{db: mysql, experimental: true}]
        exclude: [{db: sqlite, python: 3.13}]
    continue-on-error: ${{ matrix.experimental || false }}
    services:
      db: {image: "postgres:16", options: --health-cmd pg_isready}
    env: *env
    steps:
      - uses: ./.github/actions/setup
        with: {command: pytest}
      - name: Test
        if: matrix.db == 'postgresql'
        run: |
          export URL="postgresql://localhost/$DB" && pytest -k ${{ matrix.db }} | tee log
          docker compose up -d db; until pg_isready; do sleep 1; done
  called: {needs: [tests], uses: ./.github/workflows/ci.yml}
""",
    ".gitlab-ci.yml": """\
include: [{local: ci/other.yml}]
variables: {PG: {value: "1", description: x}}
.base: &base
  services: [{name: "postgres:16", alias: db}]
  before_script: [pip install tox]
tests:
  <<: *base
  extends: .base
  parallel: {matrix: [{DB: [sqlite, postgresql]}]}
  rules: [{if: $CI_COMMIT_BRANCH == "main", when: manual}, {when: on_success}]
  allow_failure: {exit_codes: 3}
  script: [!reference [.base, before_script], "tox -e $DB || true"]
child: {trigger: {include: ci/child.yml}, needs: [tests]}
""",
    ".circleci/config.yml": """\
version: 2.1
orbs: {acme: acme/tools@1}
commands:
  prepare:
    parameters: {db: {type: string, default: ""}}
    steps: [{when: {condition: {equal: [<< parameters.db >>, ""]}, steps: [{run: make}]}}]
executors: {py: {docker: [{image: "cimg/python:3.12"}, {image: "cimg/postgres:16"}]}}
jobs:
  tests: &tests
    executor: {name: py}
    parameters: {db: {type: string}}
    environment: {DB: << parameters.db >>}
    steps: [checkout, prepare, {run: {name: t, command: "pytest $DB", when: on_fail}}]
workflows:
  main:
    jobs:
      - tests: {matrix: {parameters: {db: [sqlite, postgresql]}}, filters: {branches: {only: main}}}
      - acme/tests: {requires: [tests]}
""",
    "azure-pipelines.yml": """\
trigger: {branches: {include: [main]}}
pr: none
resources: {containers: [{container: pg, image: "postgres:16", options: --health-cmd x}]}
variables: [{name: DB, value: sqlite}]
stages:
  - stage: a
    jobs:
      - job: tests
        condition: false
        continueOnError: true
        strategy: {matrix: {one: {DB: sqlite}, two: {DB: postgresql}}}
        services: {db: pg}
        steps: [{script: "pytest -k $(DB)", env: {URL: "postgresql://localhost"}}]
      - template: x.yml
""",
}
"""A file of each system that uses most of what is read of it."""

ENCODINGS: Final = (*("utf-8",) * 12, "utf-8-sig", "utf-16", "utf-16-le", "latin-1", "cp1252")
_BITS: Final = (
    *("&a ", "*a", "*env", "*tests", "<<: *tests", "<<: [*a, *a]", "!reference [a, b]", "!!map "),
    *("{", "}", "[", "]", "- ", ": ", "? ", "|\n", ">-\n", "'", '"', "#", "\t", "\r", "\r\n", "%"),
    *("\x00", "\x85", "\u2028", "\ufeff", "é", "𝒳", "on", "null", "~", "3.10", "0x1F", "---\n"),
    *("${{ ", " }}", "fromJSON('[1]')", "matrix.db", "<< parameters.db >>", "$(", "`", "<<EOF\n"),
)
"""What is put in by chance."""

Change: TypeAlias = "Callable[[str, Random], str]"


def hostile_workflow(chance: Random) -> tuple[str, bytes]:
    """Return a path of CI, and a file for it that was sound before some changes."""
    path = chance.choice(list(SOUND))
    text = SOUND[path]
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        text = chance.choice(_CHANGES)(text, chance)
    return path, text.encode(chance.choice(ENCODINGS), "replace")


def _put_in(text: str, chance: Random) -> str:
    at = chance.randint(0, len(text))
    return text[:at] + chance.choice(_BITS) * chance.choice((1, 1, 2, 50)) + text[at:]


def _cut_out(text: str, chance: Random) -> str:
    at = chance.randint(0, len(text))
    return text[:at] + text[at + chance.randint(1, 30) :]


def _moved(text: str, chance: Random) -> str:
    """Put one line where another stands."""
    rows = text.split("\n")
    rows.insert(chance.randint(0, len(rows)), chance.choice(rows))
    return "\n".join(rows)


def _indented(text: str, chance: Random) -> str:
    rows = text.split("\n")
    at = chance.randrange(len(rows))
    rows[at] = " " * chance.choice((1, 2, 7, 3000)) + rows[at].lstrip()
    return "\n".join(rows)


def _renamed(text: str, chance: Random) -> str:
    """Write one word of the file where another stands, so that names lead into circles."""
    words = [word for word in text.replace(",", " ").split() if word.isalpha()] or ["x"]
    return text.replace(chance.choice(words), chance.choice(words))


def _nested(text: str, chance: Random) -> str:
    depth = chance.choice((5, 60, 99, 101, 5000))
    opening, closing = chance.choice((("[", "]"), ("{a: ", "}"), ("- ", "")))
    return f"{text}\nz: {opening * depth}x{closing * depth}\n"


def _grown(text: str, chance: Random) -> str:
    """Add nodes that name each other, so that they would grow without a bound."""
    width, depth = chance.choice(((2, 3), (9, 12), (40, 6)))
    rows = ["b0: &b0 [x, y]"]
    rows += [
        f"b{level}: &b{level} [{', '.join([f'*b{level - 1}'] * width)}]"
        for level in range(1, depth)
    ]
    return "\n".join([*rows, text, f"jobs: {{t: {{steps: *b{depth - 1}}}}}"])


_CHANGES: Final[tuple[Change, ...]] = (
    *(_put_in, _cut_out, _indented, _nested, _grown),
    *(_put_in, *(_moved,) * 4, *(_renamed,) * 6),
)
"""Most leave sound YAML, so that what is read of it is walked through as well."""


def check_workflow(path: str, data: bytes) -> None:
    """Read a file and walk through its jobs: both end, and what is said lies in the file."""
    facts = ci_facts(path, data)
    found = [fact for fact in facts if isinstance(fact, (CiWorkflow, CiAction, NotUnderstood))]
    rows = data.count(b"\n") + data.count(b"\r") + 2
    for workflow in found:
        assert 1 <= workflow.span.line <= rows
        jobs = workflow.jobs if isinstance(workflow, CiWorkflow) else ()
        for job in jobs:
            assert 1 <= job.key.line <= rows
            assert all(1 <= line <= rows for line in _lines_of(job))
    assert sum(len(fact.jobs) for fact in found if isinstance(fact, CiWorkflow)) < MAX_NODES
    runs = Runs([FileFacts(path, facts, "read")], None, ())
    runs.walk()
    assert sum(len(run.legs) for run in runs.found) <= 4 * MAX_LEGS


def _lines_of(job: CiJob) -> list[int]:
    return [command.span.line for step in job.steps for command in step.script]
