"""What the command line says of itself, and of what it does not understand."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from dal_audit.commands.parser import cli
from dal_audit.commands.usage import COMMAND_GROUPS, EXIT_CODES, GROUPS


def said(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(cli, list(words), prog_name="dal-audit")
    return done.exit_code, done.output


def test_every_option_and_command_is_in_a_group() -> None:
    check = cli.commands["check"]
    options = {option.name for option in check.params if isinstance(option, click.Option)}
    assert sorted(name for names in GROUPS.values() for name in names) == sorted(map(str, options))
    assert sorted(name for names in COMMAND_GROUPS.values() for name in names) == sorted(
        cli.commands
    )


def test_help_is_a_command_as_well() -> None:
    assert said("help") == said("--help")
    assert said("help", "check") == said("check", "--help")
    assert said("help", "basline") == (
        2,
        "error: there is no command `basline`; did you mean `baseline`?\n",
    )
    _, shown = said("help")
    assert all(f"{code} " in shown for code, _ in EXIT_CODES)


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("--formt", "json"), "no such option: `--formt`; did you mean `--format`?"),
        (("--fail-on", "warn"), "it takes error, warning, info; did you mean `warning`?"),
        (("--jobs", "0"), "`--jobs`: 0 is not in the range"),
        (("--jobs",), "option `--jobs` requires an argument"),
        (("chek",), "no such file, folder or command: `chek`"),
        (("no/such/place",), "no such file or folder: `no/such/place`"),
    ],
)
def test_errors_of_usage_look_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], error: str
) -> None:
    monkeypatch.chdir(tmp_path)
    code, output = said(*words)
    assert code == 2
    assert output.startswith("error: ")
    assert error in output


def test_a_path_is_no_misspelt_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "chek").mkdir()
    assert "command" not in said("check", "chek")[1]


def test_clean_says_what_it_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app.py").write_text("import sqlite3\n")
    assert said("clean") == (0, "nothing to remove in .dal_audit_cache\n")
    said("check", "--cache-dir", "kept", ".")
    code, output = said("clean", "--cache-dir", "kept")
    assert code == 0
    assert output.startswith("removed kept: ") or output == "nothing to remove in kept\n"


def test_a_table_for_pyproject_in_a_file_of_our_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dal-audit.toml").write_text("[tool.dal-audit]\nstorage = ['db/**']\n")
    code, output = said("check", ".")
    assert code == 2
    assert "leave out the line `[tool.dal-audit]`" in output
    assert "--> dal-audit.toml:1" in output


def test_a_prefix_in_a_comment_is_told_what_it_could_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app.py").write_text("import sqlite3  # dal-audit: allow[DAL1] so it is\n")
    assert "there is no rule `DAL1`; a comment names whole rules, such as DAL101" in said(".")[1]
