"""What an HTML report says of its day and of where its sources are."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from dal_audit.commands.publication import day_of
from dal_audit.discover.errors import UsageError
from dal_audit.discover.web_address import source_url_of, web_home
from tests.invocation import run


@pytest.mark.parametrize(
    ("remote", "home"),
    [
        ("https://github.com/o/r.git", "https://github.com/o/r/blob"),
        ("https://user:secret@github.com/o/r", "https://github.com/o/r/blob"),
        ("git@github.com:o/r.git", "https://github.com/o/r/blob"),
        ("ssh://git@gitlab.com:22/group/sub/r.git", "https://gitlab.com/group/sub/r/-/blob"),
        ("git@gitlab.example.org:g/r.git", "https://gitlab.example.org/g/r/-/blob"),
        ("https://example.org/github/r.git", ""),
        ("https://notgithub.com/o/r.git", ""),
        ("/srv/github.com/o/r.git", ""),
        ('https://github.com/o/r"><script>', ""),
        ("", ""),
    ],
)
def test_remotes_on_known_hosts_have_a_home(remote: str, home: str) -> None:
    assert web_home(remote) == home


def git(folder: Path, *words: str) -> str:
    command = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", *words]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


def test_links_lead_to_the_commit_that_is_checked_out(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    assert source_url_of(tmp_path) == ""
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "leak.py").write_text("import sqlite3\n", encoding="utf-8")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "-m", "a")
    git(tmp_path, "remote", "add", "origin", "https://me:secret@github.com/o/r.git")
    commit = git(tmp_path, "rev-parse", "HEAD").strip()
    address = f"https://github.com/o/r/blob/{commit}/app/leak.py#L1"
    page = run(tmp_path, "check", "--format", "html", "app").stdout
    assert f'href="{address}"' in page
    assert "secret" not in page
    below = source_url_of(tmp_path / "app")
    assert below == f"https://github.com/o/r/blob/{commit}/app/{{path}}#L{{line}}"
    other = run(tmp_path, "check", "--format", "html", "--source-url", "https://x/{path}").stdout
    assert 'href="https://x/app/leak.py"' in other
    assert (
        'href="https://x'
        not in run(tmp_path, "check", "--format", "html", "--source-url", "").stdout
    )


def test_an_address_that_is_none_of_the_web_is_refused(tmp_path: Path) -> None:
    result = run(tmp_path, "check", "--format", "html", "--source-url", "javascript:alert(1)")
    assert result.exit_code == 2
    assert "--source-url is no address of the web" in result.stderr


def test_the_day_is_given_or_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    assert day_of(None) == ""
    assert day_of("2026-01-31") == "2026-01-31"
    assert len(day_of("today")) == len("2026-01-31")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    assert day_of(None) == "1970-01-02"
    assert day_of("2026-01-31") == "2026-01-31"
    for epoch in ("soon", "9" * 30):
        monkeypatch.setenv("SOURCE_DATE_EPOCH", epoch)
        with pytest.raises(UsageError, match="SOURCE_DATE_EPOCH is no day"):
            day_of(None)
    with pytest.raises(UsageError, match="--report-date is no day"):
        day_of("31.1.2026")
