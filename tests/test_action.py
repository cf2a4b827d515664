"""The GitHub Action and the workflows: valid, without holes, and doing what they say."""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import time
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML

from dal_audit.commands.parser import cli
from dal_audit.extract.cache_form import SETTLED_NS
from dal_audit.report.formats import FORMATS

ROOT = Path(__file__).resolve().parent.parent
ACTION = ROOT / "action.yml"
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
HOSTILE = "$(touch pwned) `touch pwned` \"; touch pwned; ' && touch pwned #"

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="the action's shell is bash")


def read(path: Path) -> Any:
    return YAML(typ="safe").load(path.read_text(encoding="utf-8"))


def steps() -> dict[str, Any]:
    return {one.get("id", one.get("name")): one for one in read(ACTION)["runs"]["steps"]}


def schema(name: str) -> Any:
    """Return one of the schemas that check-jsonschema takes from schemastore.org."""
    # Its files are read, and it is not imported: it may need a newer click than dal-audit does.
    package = importlib.metadata.distribution("check-jsonschema")
    path = Path(str(package.locate_file("check_jsonschema"))) / "builtin_schemas" / "vendor" / name
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", [*WORKFLOWS, ACTION], ids=lambda path: path.name)
def test_workflows_and_action_have_their_form(path: Path) -> None:
    name = "github-actions.json" if path == ACTION else "github-workflows.json"
    form = schema(name)
    found = jsonschema.validators.validator_for(form)(form).iter_errors(read(path))
    assert [error.message for error in found] == []


def test_zizmor_finds_no_hole() -> None:
    answer = subprocess.run(
        [
            str(Path(sysconfig.get_path("scripts")) / "zizmor"),
            *("--offline", "--no-config", "--persona", "pedantic", "--format", "json"),
            *map(str, [ACTION, *WORKFLOWS]),
        ],
        capture_output=True,
        text=True,
        check=False,
        env={key: value for key, value in os.environ.items() if key != "GH_TOKEN"},
    )
    assert json.loads(answer.stdout) == []
    assert answer.returncode == 0


def test_no_script_holds_an_expression() -> None:
    for path in (ACTION, *WORKFLOWS):
        document = read(path)
        jobs = document["jobs"].values() if "jobs" in document else [document["runs"]]
        scripts = [one["run"] for job in jobs for one in job["steps"] if "run" in one]
        assert scripts or path.name == "audit.yml"
        assert [one for one in scripts if "${{" in one] == []


def test_every_input_is_used_and_described() -> None:
    action = read(ACTION)
    text = ACTION.read_text(encoding="utf-8")
    used = set(re.findall(r"inputs\.([a-z-]+)", text))
    assert used == set(action["inputs"])
    assert all(one["description"] and "default" in one for one in action["inputs"].values())
    produced = set(re.findall(r"steps\.audit\.outputs\.([a-z-]+)", text))
    assert produced == set(action["outputs"])


def test_options_and_formats_of_the_action_exist() -> None:
    script = steps()["audit"]["run"]
    known = {name for param in cli.commands["check"].params for name in param.opts}
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", script)) <= known
    assert set(re.findall(r"--format=(\w+)|log=(\w+)", script))
    assert {a or b for a, b in re.findall(r"--format=(\w+)|log=(\w+)", script)} <= set(FORMATS)


def test_the_list_of_tests_for_other_systems_exists() -> None:
    named = re.findall(r"tests/\w+\.py", (ROOT / ".github/workflows/ci.yml").read_text("utf-8"))
    assert named
    assert [one for one in named if not (ROOT / one).is_file()] == []


class Runner:
    """What a runner gives to a step of the action, in a folder of its own."""

    def __init__(self, folder: Path, program: str) -> None:
        self.folder = folder
        self.program = folder / "program"
        self.program.write_text(f"#!/usr/bin/env bash\n{program}\n", encoding="utf-8")
        self.program.chmod(0o755)
        self.work = folder / "work"
        self.work.mkdir()

    def audit(self, **inputs: str) -> tuple[dict[str, str], str, str]:
        """Run the step; return its outputs, its log and the summary."""
        step = steps()["audit"]
        action = read(ACTION)
        defaults = {
            name: action["inputs"][expression[1]]["default"]
            for name, value in step["env"].items()
            if (expression := re.search(r"inputs\.([a-z-]+)", value))
        }
        files = {
            "GITHUB_OUTPUT": str(self.folder / "output"),
            "GITHUB_STEP_SUMMARY": str(self.folder / "summary"),
            "RUNNER_TEMP": str(self.folder),
        }
        for name in ("output", "summary"):
            (self.folder / name).write_text("", encoding="utf-8")
        answer = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            cwd=self.work,
            env={**os.environ, **defaults, **files, "PROGRAM": str(self.program), **inputs},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (answer.returncode, answer.stderr) == (0, "")
        lines = (self.folder / "output").read_text(encoding="utf-8").splitlines()
        outputs = dict(line.split("=", 1) for line in lines)
        return outputs, answer.stdout, (self.folder / "summary").read_text(encoding="utf-8")


def test_inputs_are_words_and_never_commands(tmp_path: Path) -> None:
    runner = Runner(tmp_path, 'printf "%s\\n" "$@"; exit 1')
    outputs, log, _ = runner.audit(
        PATHS=f"src\n{HOSTILE}\r\n\n-x y",
        ARGS=f"--exit-zero\n{HOSTILE}",
        CONFIG=HOSTILE,
        SINCE=HOSTILE,
        FAIL_ON="error",
        SUMMARY="false",
        ANNOTATIONS="true",
    )
    assert log.splitlines() == [
        "check",
        "--fail-on=error",
        "--format=github",
        "--output=-",
        "--format=sarif",
        f"--output={tmp_path}/dal-audit.sarif",
        f"--config={HOSTILE}",
        f"--since={HOSTILE}",
        "--exit-zero",
        HOSTILE,
        "--",
        "src",
        HOSTILE,
        "-x y",
    ]
    assert outputs == {"exit-code": "1"}
    assert list(runner.work.iterdir()) == []


def test_the_action_audits_and_says_where_the_report_is(tmp_path: Path) -> None:
    runner = Runner(tmp_path, f'exec "{sys.executable}" -m dal_audit "$@"')
    (runner.work / "app.py").write_text("import sqlite3\n", encoding="utf-8")
    outputs, log, summary = runner.audit(PYTHONPATH=str(ROOT))
    assert outputs["exit-code"] == "1"
    assert "error[driver-import]" in log
    assert "driver-import" in summary
    report = json.loads(Path(outputs["sarif-file"]).read_text(encoding="utf-8"))
    assert [one["ruleId"] for one in report["runs"][0]["results"]] == ["DAL101"]


def test_no_module_of_the_audited_project_is_loaded() -> None:
    script = steps()["install"]["run"]
    assert re.findall(r"-m \w+", script) == ["-m venv", "-m pip", "-m pip"]
    assert script.count(" -I -m ") == 3


def test_facts_are_kept_where_the_action_keeps_them(tmp_path: Path) -> None:
    runner = Runner(tmp_path, f'exec "{sys.executable}" -m dal_audit "$@"')
    (runner.work / "app.py").write_text("import sqlite3\n", encoding="utf-8")
    (step,) = (one for one in read(ACTION)["runs"]["steps"] if "cache@" in one.get("uses", ""))
    runner.audit(PYTHONPATH=str(ROOT))
    assert not (tmp_path / "dal-audit-cache").exists()
    time.sleep(SETTLED_NS / 1e9 + 0.1)  # What changed just before an audit is not kept.
    runner.audit(PYTHONPATH=str(ROOT), CACHE="true")
    assert list((tmp_path / "dal-audit-cache").glob("*.facts"))
    assert step["with"]["path"].endswith("/dal-audit-cache")


def test_a_wrong_configuration_leaves_no_report(tmp_path: Path) -> None:
    runner = Runner(tmp_path, f'exec "{sys.executable}" -m dal_audit "$@" 2>&1')
    outputs, log, _ = runner.audit(PYTHONPATH=str(ROOT), CONFIG="nowhere.toml")
    assert outputs == {"exit-code": "2"}
    assert "nowhere.toml" in log
