"""What shells complete."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dal_audit.catalogue.rulebook import rules
from dal_audit.commands.parser import cli
from dal_audit.report.formats import FORMATS

PROGRAM = "from dal_audit.commands.main import main; main()"


def completed(*words: str) -> list[tuple[str, str]]:
    """Return the kinds and texts that bash is told for the last of these words."""
    answer = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={
            **os.environ,
            "COMP_WORDS": " ".join(("dal-audit", *words)),
            "COMP_CWORD": str(len(words)),
            "_DAL_AUDIT_COMPLETE": "bash_complete",
        },
        capture_output=True,
        text=True,
        check=True,
    )
    pairs = (line.partition(",") for line in answer.stdout.splitlines())
    return [(kind, text) for kind, _, text in pairs]


def test_the_first_word_is_a_command_or_a_path() -> None:
    found = completed("")
    assert found[0] == ("file", "")
    assert {text for kind, text in found if kind == "plain"} == set(cli.commands)


def test_options_of_an_audit_need_no_command() -> None:
    assert completed("--fo") == [("plain", "--format")]
    assert completed("src", "--fo") == [("plain", "--format")]


def test_formats_are_completed() -> None:
    assert [text for _, text in completed("--format", "")] == list(FORMATS)


@pytest.mark.parametrize("words", [("--select",), ("check", "--ignore"), ("explain",)])
def test_rules_are_completed_by_id_and_name(words: tuple[str, ...]) -> None:
    assert completed(*words, "dal10") == [
        ("plain", rule.id) for rule in rules() if rule.id.startswith("DAL10")
    ]
    assert ("plain", "driver-import") in completed(*words, "driver-i")


def test_the_last_rule_of_a_list_is_completed() -> None:
    assert completed("--select", "DAL101,raw") == [("plain", "DAL101,raw-sql")]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_takes_its_script(shell: str, tmp_path: Path) -> None:
    program = shutil.which(shell)
    answer = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, "_DAL_AUDIT_COMPLETE": f"{shell}_source"},
        capture_output=True,
        text=True,
        check=False,
    )
    if answer.returncode and shell == "bash":
        pytest.skip("click asks for bash 4.4 or newer, and there is none")
    assert "_DAL_AUDIT_COMPLETE" in answer.stdout
    if program is not None:
        script = tmp_path / "script"
        script.write_text(answer.stdout, encoding="utf-8")
        subprocess.run([program, "-n", str(script)], check=True)
