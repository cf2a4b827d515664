"""What is read of CI is the same from the cache, and one workflow is told from another file."""

from __future__ import annotations

import os
import time
from pathlib import Path

from dal_audit.audit import audit
from dal_audit.extract.ci import ci_facts
from dal_audit.facts.ci import CiTool, CiWorkflow
from dal_audit.facts.ci_files import ci_kind_of
from dal_audit.policy.request import Request

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures" / "ci"


def test_kinds_of_files_go_by_their_paths() -> None:
    assert ci_kind_of(".github/workflows/a.yaml") == "github"
    assert ci_kind_of("docs/.github/workflows/a.yaml") is None
    assert ci_kind_of(".woodpecker/test.yaml") == "foreign"
    assert ci_kind_of("deploy/docker-compose.test.yml") == "compose"
    assert ci_kind_of("src/main.py") is None
    assert ci_kind_of("services/a/Makefile") == "make"


def test_findings_are_the_same_from_the_cache(tmp_path: Path) -> None:
    request = Request(folder=FIXTURES / "faulty", cache=True, cache_folder=tmp_path)
    cold = audit(request)
    warm = audit(request)
    assert [one.breach for one in warm.findings] == [one.breach for one in cold.findings]
    assert len(cold.open) == 6


def test_equal_bytes_of_two_files_are_read_as_what_each_is(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "storage.py").write_text("import sqlite3\nimport psycopg\n")
    same = (
        "on: [pull_request]\njobs:\n  t:\n    script: [pytest]\n    steps:\n      - run: pytest\n"
    )
    for name in (".gitlab-ci.yml", ".github/workflows/a.yml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(same)
    old = time.time() - 3600
    for path in tmp_path.rglob("*"):
        os.utime(path, (old, old))
    request = Request(folder=tmp_path, cache=True, cache_folder=tmp_path / "kept")
    assert [one.breach for one in audit(request).open] == [
        one.breach for one in audit(request).open
    ]


def test_tox_factors_and_lists() -> None:
    text = """
[tox]
envlist = py{312,313}-{sqlite,postgres}, lint
[testenv]
pass_env = PG*
set_env =
    postgres: URL = postgresql://x
    !postgres: URL = {env:OUTER:}
commands =
    sqlite: pytest -k sqlite \\
        {posargs:tests}
    postgres: pytest
[testenv:lint]
commands = ruff check
"""
    (tool,) = ci_facts("tox.ini", text.encode())
    assert isinstance(tool, CiTool)
    found = {target.name: target for target in tool.targets}
    assert [*found] == [
        "py312-sqlite",
        "py312-postgres",
        "py313-sqlite",
        "py313-postgres",
        "lint",
        "*",
    ]
    assert found["py312-sqlite"].commands[0].words == ("pytest", "-k", "sqlite", "tests")
    assert dict(found["py312-sqlite"].env) == {"URL": "${OUTER:-}"}
    assert dict(found["py313-postgres"].env) == {"URL": "postgresql://x"}
    assert found["py313-postgres"].commands[0].words == ("pytest",)
    assert found["lint"].commands[0].words == ("ruff", "check")
    assert "PG*" in (found["lint"].passes or ())


def test_nothing_is_said_of_odd_escapes_in_sessions() -> None:
    """Python warns of them, and the tests, as some environments, make errors of its warnings."""
    text = (
        'import nox\nDIGITS = "\\d"\n@nox.session\ndef tests(session):\n    session.run("pytest")\n'
    )
    (tool,) = ci_facts("noxfile.py", text.encode())
    assert isinstance(tool, CiTool)
    assert [target.name for target in tool.targets if target.commands] == ["tests"]


def test_keys_that_stand_twice_are_kept() -> None:
    (workflow,) = ci_facts(".github/workflows/a.yml", b"on: push\njobs:\n  a: {if: x, if: y}\n")
    assert isinstance(workflow, CiWorkflow)
    assert [(key.text, key.span.line) for key in workflow.duplicates] == [("if", 3)]


def test_a_package_and_a_justfile() -> None:
    (package,) = ci_facts("package.json", b'{"name": "x", "scripts": {"test": "jest --ci"}}')
    assert isinstance(package, CiTool)
    assert package.targets[0].commands[0].words == ("jest", "--ci")
    (just,) = ci_facts(
        "justfile", b"default: test\n\ntest backend='x':\n    @pytest -k {{backend}}\n"
    )
    assert isinstance(just, CiTool)
    assert [(target.name, target.needs) for target in just.targets] == [
        ("default", ("test",)),
        ("test", ()),
    ]
    assert just.targets[1].commands[0].words == ("pytest", "-k", "${backend}")
