"""The command line: exit codes, options, streams, and what is never shown."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner

from dal_audit.commands.check import UNSET
from dal_audit.commands.main import COMMANDS, plain_words
from dal_audit.commands.parser import cli
from dal_audit.commands.plain_words import CHOICES, FLAGS, RULES, plain_options
from dal_audit.report.formats import FORMATS
from tests.sampling import EVERYTHING

LEAK = "import sqlite3\n"
CLEAN = "import json\n"
Answer = subprocess.CompletedProcess[str]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with one leak, one clean file and a storage package."""
    for name, text in {
        "app/storage/sqlite.py": LEAK,
        "app/service.py": LEAK,
        "app/clean.py": CLEAN,
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


def run(folder: Path, *words: str, env: Mapping[str, str] | None = None) -> Answer:
    settings = {key: value for key, value in os.environ.items() if not key.endswith("_COLOR")}
    return subprocess.run(
        [sys.executable, "-m", "dal_audit", *words],
        cwd=folder,
        env={**settings, **(env or {})},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


@pytest.mark.parametrize("form", FORMATS if EVERYTHING else FORMATS[::2])
def test_findings_exit_with_1_in_every_format(project: Path, form: str) -> None:
    answer = run(project, ".", "--format", form)
    assert answer.returncode == 1
    assert answer.stderr == ""
    assert "DAL101" in answer.stdout or "driver-import" in answer.stdout


@pytest.mark.parametrize("form", FORMATS if EVERYTHING else FORMATS[1::2])
def test_no_findings_exit_with_0_in_every_format(project: Path, form: str) -> None:
    (project / "app/service.py").write_text(CLEAN, encoding="utf-8")
    answer = run(project, ".", "--format", form)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert answer.stdout


@pytest.mark.parametrize("form", ["json", "sarif", "gitlab", "rdjson"])
def test_formats_for_programs_are_json_and_nothing_else(project: Path, form: str) -> None:
    assert json.loads(run(project, ".", "--format", form).stdout)


def test_exit_zero_and_fail_on_decide_the_code(project: Path) -> None:
    assert run(project, ".", "--exit-zero").returncode == 0
    (project / "dal-audit.toml").write_text('[severity]\nDAL101 = "warning"\n', encoding="utf-8")
    assert run(project, ".", "--fail-on", "error").returncode == 0
    assert run(project, ".", "--fail-on", "warning").returncode == 1


def test_paths_that_do_not_exist_are_named_all_at_once(project: Path) -> None:
    answer = run(project, "nowhere", "app", "neither.py")
    assert answer.returncode == 2
    assert answer.stdout == ""
    assert "`nowhere`" in answer.stderr
    assert "`neither.py`" in answer.stderr


def test_an_unknown_rule_is_refused_with_a_hint(project: Path) -> None:
    answer = run(project, ".", "--select", "driver-imprt")
    assert answer.returncode == 2
    assert "driver-import" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_all_faults_of_a_configuration_are_told_with_their_place(project: Path) -> None:
    text = 'storag = ["app/storage/**"]\nselect = ["DAL101x"]\n'
    (project / "dal-audit.toml").write_text(text, encoding="utf-8")
    answer = run(project, ".")
    assert answer.returncode == 2
    assert answer.stdout == ""
    assert "dal-audit.toml:1:1" in answer.stderr
    assert "dal-audit.toml:2:" in answer.stderr
    assert "did you mean" in answer.stderr


def test_a_check_that_fails_ends_the_audit_with_3(project: Path) -> None:
    broken = (
        "import dal_audit.checks.driver_import as module\n"
        "from dal_audit.judge.check import check\n"
        "@check('DAL101')\n"
        "def driver_import(fact: module.Import, file: module.FileFacts, project: module.Project):\n"
        "    raise ValueError('boom')\n"
        "module.driver_import = driver_import\n"
        "from dal_audit.commands.main import main\n"
        "main()\n"
    )
    script = project.parent / "broken.py"
    script.write_text(broken, encoding="utf-8")
    answer = subprocess.run(
        [sys.executable, str(script), "."],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 3
    assert "DAL101 driver-import failed on app/" in answer.stderr
    assert "boom" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_several_reports_of_one_run_go_to_their_files(project: Path) -> None:
    answer = run(
        project,
        *(".", "--format", "sarif", "--output", "a.sarif"),
        *("--format", "json", "--output", "b.json", "--format", "concise"),
    )
    assert answer.returncode == 1
    assert "app/service.py:1:8: DAL101" in answer.stdout
    assert json.loads((project / "a.sarif").read_text(encoding="utf-8"))["version"] == "2.1.0"
    assert json.loads((project / "b.json").read_text(encoding="utf-8"))


def test_the_folder_of_a_report_is_made(project: Path) -> None:
    run(project, ".", "--format", "junit", "--output", "build/reports/dal-audit.xml")
    assert (project / "build/reports/dal-audit.xml").read_text(encoding="utf-8").startswith("<?xml")


def test_statistics_take_the_place_of_findings(project: Path) -> None:
    answer = run(
        project,
        ".",
        "--statistics",
        "--format",
        "text",
        "--format",
        "json",
        "--output",
        "-",
        "--output",
        "s.json",
    )
    assert (answer.returncode, answer.stderr) == (1, "")
    assert answer.stdout.startswith("1  DAL101  driver-import  error, in 1 file\n\n1 finding")
    (row,) = json.loads((project / "s.json").read_text(encoding="utf-8"))
    assert (row["id"], row["count"]) == ("DAL101", 1)
    assert run(project, ".", "--statistics", "--exit-zero").returncode == 0


def test_statistics_are_refused_in_formats_that_have_none(project: Path) -> None:
    answer = run(project, ".", "--statistics", "--format", "sarif")
    assert (answer.returncode, answer.stdout) == (2, "")
    assert "--statistics" in answer.stderr


def test_junit_fails_as_the_exit_code_does(project: Path) -> None:
    (project / "app/service.py").write_text('URL = "sqlite:///x.db"\n', encoding="utf-8")
    answer = run(project, ".", "--format", "junit", "--fail-on", "error")
    assert answer.returncode == 0
    assert 'failures="0"' in answer.stdout
    assert "DAL109" in answer.stdout


def test_two_reports_to_one_place_are_refused(project: Path) -> None:
    answer = run(project, ".", "--format", "sarif", "--format", "json")
    assert answer.returncode == 2
    assert "--output" in answer.stderr


def test_quiet_says_nothing_where_there_is_nothing(project: Path) -> None:
    assert "DAL101" in run(project, ".", "--quiet", "--format", "concise").stdout
    (project / "app/service.py").unlink()
    assert run(project, ".", "--quiet").stdout == ""


@pytest.mark.parametrize(
    ("words", "env", "colored"),
    [
        ((), {}, False),
        ((), {"FORCE_COLOR": "1"}, True),
        ((), {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        (("--color", "always"), {"NO_COLOR": "1"}, True),
        (("--color", "never"), {"FORCE_COLOR": "1"}, False),
    ],
)
def test_color_is_decided_by_option_then_environment(
    project: Path, words: tuple[str, ...], env: Mapping[str, str], colored: bool
) -> None:
    assert ("\x1b[" in run(project, ".", *words, env=env).stdout) is colored


def test_a_reader_that_goes_away_ends_it_quietly(project: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "dal_audit", "."],
        cwd=project,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        complaint = process.stderr.read()
    assert complaint == b""
    assert process.returncode not in {0, 3}


def test_an_interrupted_audit_has_found_nothing(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_request: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("dal_audit.audit.audit", interrupt)
    answer = CliRunner().invoke(cli, [str(project)])
    assert (answer.exit_code, answer.output) == (130, "error: interrupted\n")


def test_a_closed_output_is_no_bug(project: Path) -> None:
    command = f"exec {sys.executable} -m dal_audit . >&-"
    answer = subprocess.run(["sh", "-c", command], cwd=project, capture_output=True, check=False)
    assert (answer.returncode, answer.stderr) == (2, b"error: standard output is closed\n")


def test_a_full_disk_is_no_bug(project: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        answer = subprocess.run(
            [sys.executable, "-m", "dal_audit", "."],
            cwd=project,
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert answer.returncode == 2
    assert b"Traceback" not in answer.stderr


def test_what_is_complained_of_is_not_obeyed(project: Path) -> None:
    answer = run(project, "\x1b[31m\u202e\x9b")
    assert answer.returncode == 2
    assert answer.stderr == "error: no such file or folder: `\\x1b[31m\\u202e\\x9b`\n"


@pytest.mark.parametrize(
    ("folder", "asked", "shown"),
    [
        (".", ".", "app/service.py"),
        ("app", ".", "service.py"),
        ("app/storage", "..", "../service.py"),
        ("app/storage", "../service.py", "../service.py"),
        ("elsewhere", "../app", "../app/service.py"),
        ("elsewhere/deep", "../../app/service.py", "../../app/service.py"),
    ],
)
def test_paths_are_shown_from_the_current_folder(
    project: Path, folder: str, asked: str, shown: str
) -> None:
    (project / folder).mkdir(parents=True, exist_ok=True)
    for form in ("concise", "text"):
        report = run(project / folder, asked, "--format", form).stdout
        assert f"{'--> ' if form == 'text' else ''}{shown}:1:8" in report


def test_files_only_limit_what_is_reported(project: Path) -> None:
    (project / "app/storage/__init__.py").write_text(
        "from sqlite3 import Connection as Connection\n", encoding="utf-8"
    )
    user = project / "app/user.py"
    user.write_text("from app.storage import Connection\n", encoding="utf-8")
    answer = run(project, "app/user.py", "--format", "concise")
    assert [line.split()[1] for line in answer.stdout.splitlines()[:-1]] == ["DAL103"]
    assert "for the given paths only" in run(project, "app/user.py").stdout


def test_explain_prints_a_document_and_suggests_near_misses(project: Path) -> None:
    assert "\nHow to fix\n" in run(project, "explain", "dal101").stdout
    assert "## How to fix" in run(project, "explain", "dal101", "--format", "markdown").stdout
    record = json.loads(run(project, "explain", "driver-import", "--format", "json").stdout)
    assert record[0]["id"] == "DAL101"
    missed = run(project, "explain", "driver-imports")
    assert missed.returncode == 2
    assert "did you mean `driver-import`" in missed.stderr


def test_rules_lists_every_rule(project: Path) -> None:
    lines = run(project, "rules").stdout.splitlines()
    assert lines[0].startswith("DAL101  driver-import")
    assert len(json.loads(run(project, "rules", "--format", "json").stdout)) == len(lines)


def test_a_folder_named_like_a_command_needs_a_path(project: Path) -> None:
    (project / "rules").mkdir()
    (project / "rules/leak.py").write_text(LEAK, encoding="utf-8")
    assert "driver-import" in run(project, "rules").stdout
    assert run(project, "./rules").returncode == 1


def test_output_depends_on_neither_processes_nor_hash_seeds(project: Path) -> None:
    texts = {
        run(project, ".", "--jobs", jobs, env={"PYTHONHASHSEED": seed}).stdout
        for jobs in ("1", "2")
        for seed in ("0", "1")
    }
    assert len(texts) == 1


def test_a_run_on_paths_alone_is_one_without_options() -> None:
    """What such a run does not ask click is what click would say."""
    check = cli.commands["check"]
    params = check.make_context("check", ["a.py", "b"]).params
    assert params == {**UNSET, "paths": ("a.py", "b")}
    assert set(cli.commands) == COMMANDS


@pytest.mark.parametrize(
    ("words", "paths"),
    [
        ([], ()),
        (["check"], ()),
        (["a.py"], ("a.py",)),
        (["check", "a.py", "sub"], ("a.py", "sub")),
        (["sub", "rules"], ("sub", "rules")),
        (["check", "rules"], ("rules",)),
        (["rules"], None),
        (["a.py", "--fix"], None),
        (["--help"], None),
        (["-"], None),
        (["--", "a.py"], None),
        (["missing.py"], None),
        ([""], None),
    ],
)
def test_what_click_is_not_asked(
    words: list[str], paths: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.py").touch()
    (tmp_path / "sub").mkdir()
    (tmp_path / "rules").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("_DAL_AUDIT_COMPLETE", raising=False)
    wanted = None if os.name == "nt" or paths is None else {"paths": paths}
    assert plain_words(words) == wanted
    monkeypatch.setenv("_DAL_AUDIT_COMPLETE", "bash_complete")
    assert plain_words(words) is None


@pytest.mark.parametrize(
    "line",
    [
        "a.py -q",
        "check --select DAL1,DAL2 --select DAL403 a.py --no-cache",
        "--select=DAL1, --ignore DAL102 --extend-select DAL9,,DAL8 sub",
        "--format sarif --format=text --jobs 2 --exit-zero --no-links --fail-on warning",
        "--color always --color never --cache --no-cache --cache sub a.py --show-all",
        "--show-suppressed --quiet --jobs=08",
    ],
)
def test_plain_options_are_what_click_reads(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.py").touch()
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path)
    words = line.split()
    options = plain_options(words)
    assert options is not None
    check = cli.commands["check"]
    assert {**UNSET, **options} == check.make_context("check", words[words[0] == "check" :]).params


def test_each_plain_option_is_one_of_clicks() -> None:
    check = cli.commands["check"]
    chosen = [f"{name}={word}" for name, (_, known) in CHOICES.items() for word in known]
    formats = [f"--format={form}" for form in FORMATS]
    for word in (*FLAGS, *(f"{name}=DAL1" for name in RULES), *chosen, *formats):
        options = plain_options([word])
        assert options is not None
        assert {**UNSET, **options} == check.make_context("check", [word]).params


@pytest.mark.parametrize(
    "line",
    [
        "--select",
        "--select -q",
        "--select= a.py",
        "--format toml",
        "--color blue",
        "--jobs 0",
        "--jobs -1",
        "--jobs ²",
        "--jobs",
        "--sel DAL1",
        "-qv",
        "--fix",
        "--no-cache=1",
        "--config a.toml",
        "--output x",
        "-- a.py",
        "-",
        "missing.py --no-cache",
    ],
)
def test_what_is_not_plain_is_for_click(line: str) -> None:
    assert plain_options(line.split()) is None


@pytest.mark.skipif(os.name == "nt", reason="SIGPIPE is POSIX's")
@pytest.mark.parametrize("words", [[], ["--no-cache"]])
def test_a_reader_that_goes_away_is_no_finding(words: list[str], project: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    answer = subprocess.run(
        [sys.executable, "-m", "dal_audit", *words, "."],
        cwd=project,
        stdout=writer,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writer)
    assert (answer.returncode, answer.stderr) == (141, b"")


def test_the_version_is_told_as_click_tells_it(project: Path) -> None:
    answer = run(project, "--version")
    assert (answer.returncode, answer.stderr) == (0, "")
    assert answer.stdout == CliRunner().invoke(cli, ["--version"], prog_name="dal-audit").output
    assert answer.stdout.startswith("dal-audit, version ")


@pytest.mark.parametrize("name", ["numbers", "click", "msgspec", "secrets", "difflib", "ast"])
def test_no_module_of_the_project_is_imported(name: str, project: Path) -> None:
    (project / f"{name}.py").write_text("open('trace', 'w').close()\n")
    answer = run(project, "check", "--no-cache", "--show-suppressed", ".")
    assert answer.returncode == 1
    assert not (project / "trace").exists()
