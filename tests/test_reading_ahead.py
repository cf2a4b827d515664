"""LibCST loads in a process of its own, and says there what it would say here."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from dal_audit.audit import audit
from dal_audit.extract import parallel, second_reading
from dal_audit.extract.cache import no_cache
from dal_audit.extract.second_reading import SecondReader, denied
from dal_audit.facts import SourceFile, Span
from dal_audit.facts.claims import Claim
from dal_audit.policy.request import Request
from dal_audit.report.render import render
from dal_audit.triage import grounds
from tests.examples import TODAY

pytestmark = pytest.mark.skipif(
    not hasattr(os, "fork") or sys.platform == "darwin", reason="nothing is forked here"
)

TEXT = "import sqlite3\nimport redis\n"
BORNE_OUT = Claim(Span(1, 8, 1, 15), "import", "sqlite3")
DENIED = Claim(Span(2, 8, 2, 13), "import", "sqlite3")


@pytest.fixture
def unloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Behave as where nothing has loaded LibCST, and another process may do that."""
    monkeypatch.setattr(second_reading, "_loads_apart", lambda jobs: jobs != 1)


def source(folder: Path, name: str = "app.py") -> SourceFile:
    """Return a file of a folder, written."""
    (folder / name).write_text(TEXT)
    return SourceFile(name, str(folder / name), len(TEXT))


def process_of(reader: SecondReader) -> int | None:
    """Return the id of the process that a reader has begun."""
    return None if reader._ahead is None else reader._ahead._worker.pid


@pytest.mark.usefixtures("unloaded")
@pytest.mark.parametrize("jobs", [1, 2])
def test_what_is_denied_is_the_same(jobs: int, tmp_path: Path) -> None:
    file = source(tmp_path)
    reader = SecondReader(jobs, shortcuts=True)
    reader.begin()
    assert (process_of(reader) is not None) == (jobs == 2)
    found = denied({"app.py": file}, {"app.py": (BORNE_OUT, DENIED)}, no_cache(), reader)
    assert [denial.claim for denial in found["app.py"]] == [DENIED]
    reader.close()


@pytest.mark.usefixtures("unloaded")
def test_a_process_that_nobody_asks_ends() -> None:
    reader = SecondReader(2, shortcuts=True)
    reader.begin()
    process = process_of(reader)
    assert process is not None
    reader.close()
    with pytest.raises(ChildProcessError):
        os.waitpid(process, 0)


@pytest.mark.usefixtures("unloaded")
def test_a_path_that_is_no_text_is_asked_here(tmp_path: Path) -> None:
    file = source(tmp_path)
    odd = SourceFile("\udcff.py", file.absolute, file.size)
    reader = SecondReader(2, shortcuts=True)
    reader.begin()
    assert [denial.claim for denial in reader.denials([(odd, (DENIED,))])[0]] == [DENIED]
    reader.close()


@pytest.mark.parametrize("question", ["short", "long" * (1 << 18)])
def test_a_process_that_fails_says_why(question: str) -> None:
    def load() -> None:
        message = "nothing to load"
        raise ImportError(message)

    ahead = parallel.Ahead(load, list, str)
    with pytest.raises(parallel.WorkerError, match="ImportError: nothing to load"):
        ahead.ask(question, str)
    ahead.abandon()


def said_of(folder: Path) -> str:
    """Return what an audit of a folder says, whose storage is one file."""
    (folder / "dal-audit.toml").write_text('storage = ["store.py"]\n')
    report = audit(Request((".",), folder=folder, today=TODAY, select=("DAL1",)))
    return render(report, "sarif")


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[int | None]:
    """Note which processes are begun."""
    noted: list[int | None] = []
    begin = SecondReader.begin

    def beginning(reader: SecondReader) -> None:
        begin(reader)
        noted.append(process_of(reader))

    monkeypatch.setattr(SecondReader, "begin", beginning)
    return noted


@pytest.mark.usefixtures("unloaded")
def test_findings_are_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, begun: list[int | None]
) -> None:
    source(tmp_path)
    here = said_of(tmp_path)
    assert begun == []
    monkeypatch.setattr(grounds, "WORTH_A_PROCESS", 0)
    assert said_of(tmp_path) == here
    assert len(begun) == 1
    assert begun != [None]


@pytest.mark.usefixtures("unloaded")
def test_nothing_is_begun_where_only_storage_imports_a_driver(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, begun: list[int | None]
) -> None:
    source(tmp_path, "store.py")
    (tmp_path / "app.py").write_text("import store\n")
    monkeypatch.setattr(grounds, "WORTH_A_PROCESS", 0)
    assert "DAL101" not in said_of(tmp_path).partition('"results"')[2]
    assert begun == []
