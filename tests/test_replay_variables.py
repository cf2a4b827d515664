"""What `replay --env` and `--env-file` hand to a project's interpreter, and that nobody sees it."""

from __future__ import annotations

from pathlib import Path

import pytest

from dal_audit.discover.errors import UsageError
from dal_audit.replay.variables import masked, variables_of
from tests.test_replay_python import ENV, USERS, alembic_project, run

NEEDY = f"import os\n\nassert os.environ['SITE_KEY'] == 'a-long-secret'\n{ENV}"
TELLING = "def upgrade():\n    import os\n\n    raise RuntimeError(os.environ['SITE_KEY'])\n"


def test_what_settings_need_is_handed_over(tmp_path: Path) -> None:
    root = alembic_project(tmp_path, USERS, env=NEEDY)
    assert "is not run" in run(root, "--on", "sqlite").output
    file = tmp_path / "site.env"
    file.write_text("SITE_KEY='a-long-secret'\n", encoding="utf-8")
    for words in (("--env", "SITE_KEY=a-long-secret"), ("--env-file", str(file))):
        found = run(root, "--on", "sqlite", *words)
        assert "is not run" not in found.output
        assert "a-long-secret" not in found.output


def test_a_value_that_a_migration_tells_is_hidden(tmp_path: Path) -> None:
    root = alembic_project(tmp_path, TELLING)
    found = run(root, "--on", "sqlite", "--env", "SITE_KEY=a-long-secret")
    assert "a-long-secret" not in found.output
    assert "***" in found.output


def test_words_count_more_than_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SET_HERE", "x y")
    file = tmp_path / ".env"
    file.write_text('# mine\n\nexport A="1 2"\nB=b#c\nD = \'"\'\n', encoding="utf-8")
    found = dict(variables_of(["B=2", "SET_HERE", "E="], file))
    assert found == {"A": "1 2", "B": "2", "D": '"', "SET_HERE": "x y", "E": ""}


@pytest.mark.parametrize("word", ["=secret", "1A=secret", "not-set", "NEVER_SET_ANYWHERE"])
def test_what_is_no_variable_is_an_error_without_its_value(word: str) -> None:
    with pytest.raises(UsageError) as raised:
        variables_of([word], None)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("text", ["secret\n", "A\n", "a b=secret\n"])
def test_a_line_that_is_no_variable_is_an_error_without_its_value(
    tmp_path: Path, text: str
) -> None:
    file = tmp_path / "v"
    file.write_text(f"A=1\n{text}", encoding="utf-8")
    with pytest.raises(UsageError, match="line 2") as raised:
        variables_of([], file)
    assert "secret" not in str(raised.value)


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        variables_of([], tmp_path / "none")


def test_values_are_hidden_wherever_they_stand_but_in_paths() -> None:
    said = {"message": "in abcdef: abcd", "path": "/abcd/x", "rows": [{"text": "abc"}, 1, None]}
    hidden = {"message": "in ***: ***", "path": "/abcd/x", "rows": [{"text": "abc"}, 1, None]}
    assert masked(said, ["abcd", "abcdef", "abc"]) == hidden
