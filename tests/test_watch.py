"""`check --watch`: what is printed after each change is what an audit of the disk prints."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dal_audit.audit import audit
from dal_audit.commands import live_audit
from dal_audit.commands.check import UNSET
from dal_audit.commands.live_audit import LiveAudit
from dal_audit.commands.watch import follow
from dal_audit.policy.request import Request
from dal_audit.report.model import Report
from dal_audit.report.render import render
from tests.invocation import run
from tests.test_cache_edits import put, start

LEAK = "import redis\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    start(tmp_path)
    put(tmp_path / "app" / "leak.py", LEAK)
    return tmp_path


def text_of(report: Report) -> str:
    return render(report, "text")


def test_each_update_says_what_an_audit_says(project: Path) -> None:
    request = Request(folder=project)
    live = LiveAudit(request)
    assert text_of(live.read()) == text_of(audit(request))
    edits = {
        "app/leak.py": "x = 1\n",
        "app/other.py": LEAK,
        "migrations/0009_x.up.sql": "CREATE TABLE x (y SERIAL);\n",
        "dal-audit.toml": 'ignore = ["DAL101"]\n',
    }
    for name, text in edits.items():
        put(project / name, text)
        report = live.update([project / name])
        assert report is not None
        assert text_of(report) == text_of(audit(request)), name
    (project / "app/other.py").unlink()
    report = live.update([project / "app/other.py"])
    assert report is not None
    assert text_of(report) == text_of(audit(request))


def test_an_edit_reads_one_file(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    live = LiveAudit(Request(folder=project))
    live.read()

    def fail(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(live_audit, "read_project", fail)
    put(project / "app" / "leak.py", "x = 1\n")
    assert live.update([project / "app" / "leak.py"]) is not None


def test_the_cache_is_no_change(project: Path) -> None:
    live = LiveAudit(Request(folder=project))
    live.read()
    assert live.update([project / ".dal_audit_cache" / "facts"]) is None


def test_a_faulty_configuration_is_said_and_watching_goes_on(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    configuration = project / "dal-audit.toml"

    def changes() -> Iterator[set[Path]]:
        yield set()
        put(configuration, "storage = 3\n")
        yield {configuration}
        put(configuration, "")
        yield {configuration}
        raise KeyboardInterrupt

    options = {**UNSET, "paths": ()}
    code = follow(LiveAudit(Request(folder=project)), changes(), options, text_of)
    captured = capsys.readouterr()
    assert captured.out.count("error[driver-import]") == 2
    assert "storage" in captured.err
    assert captured.err.count("Watching for changes") == 2
    assert code == 1


def test_changes_before_the_first_report_are_not_lost(project: Path) -> None:
    told: list[str] = []
    leak = project / "app" / "leak.py"

    def changes() -> Iterator[set[Path]]:
        yield {leak}

    def rendered(report: Report) -> str:
        put(leak, "x = 1\n")
        told.append(text_of(report))
        return ""

    follow(LiveAudit(Request(folder=project)), changes(), {**UNSET, "paths": ()}, rendered)
    assert [leak.name in text for text in told] == [True, False]


def test_a_missing_package_is_said(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "watchfiles", None)
    result = run(project, "check", "--watch")
    assert result.exit_code == 2
    assert "watchfiles is missing: pip install 'dal-audit[lsp]'" in result.stderr


@pytest.mark.parametrize("words", [("--fix",), ("--output", "x"), ("--format", "json")])
def test_what_has_no_place_beside_it_is_refused(words: tuple[str, ...], project: Path) -> None:
    result = run(project, "check", "--watch", *words)
    assert result.exit_code == 2
    assert f"leave out {words[0]}" in result.stderr
