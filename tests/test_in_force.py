"""`dal-audit config`: what is in force, and where it comes from."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner

from dal_audit.commands.config import EffectiveValue, render_settings, settings_in_force
from dal_audit.commands.parser import cli
from dal_audit.policy.keys import KEYS
from dal_audit.policy.request import Request
from tests.test_init import PROJECT, make

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

CONFIGURED = """\
[tool.dal-audit]
storage = ["src/app/storage/**"]
ignore = ["driver-exception"]

[tool.dal-audit.backend-versions]
sqlite = "3.40"

[tool.dal-audit.severity]
driver-import = "warning"

[tool.dal-audit.per-file-ignores]
"src/app/main.py" = ["DAL106"]

[tool.dal-audit.ci]
backend-env = { postgresql = "URL" }

[[tool.dal-audit.waivers]]
id = "W1"
rules = ["DAL101"]
paths = ["x.py"]
reason = "old"
granted = 2026-01-01
expires = 2027-01-01
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make(tmp_path, {**PROJECT, "pyproject.toml": CONFIGURED, "y/redis.py": "import redis\n"})


def values(folder: Path, **options: Any) -> dict[str, EffectiveValue]:
    (one,) = settings_in_force(Request(folder=folder, **options))
    return {value.key: value for value in one.values}


def test_each_value_says_where_it_comes_from(project: Path) -> None:
    found = values(project, select=("DAL1",))
    assert (found["storage"].source, found["storage"].place) == ("file", (2, 1))
    assert (found["backend-versions.sqlite"].value, found["backend-versions.sqlite"].place) == (
        "3.40",
        (6, 1),
    )
    assert (found["backend-versions.postgresql"].value) == "14"
    assert found["backend-versions.postgresql"].source == "default"
    assert (found["severity.DAL101"].value, found["severity.DAL101"].place) == ("warning", (9, 1))
    assert found["ci.backend-env"].value == {"postgresql": ["URL"]}
    assert (found["ci.workflows"].value, found["ci.workflows"].source) == (
        [".github/workflows/tests.yml"],
        "found",
    )
    assert (found["source-roots"].value, found["source-roots"].source) == ([".", "src"], "found")
    assert (found["select"].value, found["select"].source) == (["DAL1"], "command line")
    assert (found["ignore"].value, found["ignore"].source) == (["DAL104"], "file")
    assert (found["include"].value, found["include"].source) == (None, "default")


def test_every_key_is_shown(project: Path) -> None:
    shown = {key.partition(".")[0] for key in values(project)}
    assert shown == {key.name for key in KEYS}


def test_the_rules_that_run_have_the_severities_in_force(project: Path) -> None:
    (one,) = settings_in_force(Request(folder=project, select=("DAL10",), ignore=("DAL102",)))
    severities = {rule_id: severity for rule_id, _, severity in one.rules}
    assert severities["DAL101"] == "warning"
    assert "DAL102" not in severities
    assert "DAL201" not in severities


@pytest.mark.parametrize(
    ("path", "standing"),
    [
        ("src/app/main.py", "audited, outside storage; ignored here: DAL106"),
        ("src/app/storage/store.py", "audited, in storage"),
        ("migrations/0001_a.up.sql", "audited, in migrations"),
        ("pyproject.toml", "not audited"),
    ],
)
def test_a_file_is_told_its_standing(project: Path, path: str, standing: str) -> None:
    (one,) = settings_in_force(Request(folder=project, paths=(path,)))
    assert one.zone[path].startswith(standing)


def test_the_text_is_toml_that_means_the_same(project: Path) -> None:
    found = settings_in_force(Request(folder=project))
    read = tomllib.loads(render_settings(found, "text"))
    assert read["storage"] == ["src/app/storage/**"]
    assert read["per-file-ignores"] == {"src/app/main.py": ["DAL106"]}
    assert read["waivers"][0]["expires"] == "2027-01-01"
    assert read["ci"]["backend-env"] == {"postgresql": ["URL"]}


def test_the_command_prints_json_and_the_schema(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)
    answer = CliRunner().invoke(cli, ["config", "--format", "json", "src"])
    assert answer.exit_code == 0
    (one,) = json.loads(answer.output)["projects"]
    assert (one["root"], one["file"]) == (".", "pyproject.toml")
    schema = json.loads(CliRunner().invoke(cli, ["config", "--schema"]).output)
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate({"storage": ["a"]}, schema)


def test_several_projects_are_shown_one_by_one(tmp_path: Path) -> None:
    files = {"a/dal-audit.toml": "", "a/x.py": "", "b/dal-audit.toml": "", "b/y.py": ""}
    found = settings_in_force(Request(folder=make(tmp_path, files)))
    assert [one.root for one in found] == ["a", "b"]


def test_a_faulty_configuration_is_an_error(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "pyproject.toml").write_text("[tool.dal-audit]\nstorge = []\n", encoding="utf-8")
    monkeypatch.chdir(project)
    answer = CliRunner().invoke(cli, ["config"])
    assert answer.exit_code == 2
    assert "did you mean `storage`?" in answer.output
