"""No file is read behind the back of what is kept of an audit.

What an audit found is told again where files that changed answer what they did (`inquiries`). So
what is read of a file is an answer that the cache takes down, or the file is barred. Each file that
is opened while the fixtures are audited is held to that, by who opened it.
"""

from __future__ import annotations

import builtins
import io
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, Final

import pytest

from dal_audit.audit import audit
from dal_audit.catalogue.drivers import catalogue_in_force
from dal_audit.discover.cache_folder import CACHE
from dal_audit.discover.unread import may_be_read
from dal_audit.extract import cache, extractor, second_reading
from dal_audit.extract.answers import Respondents
from dal_audit.extract.inquiries import NO, YES, Question
from dal_audit.extract.migrations import tool_settings
from dal_audit.facts import SourceFile
from dal_audit.policy.request import BASELINE, Request
from dal_audit.report import sources
from tests.examples import TODAY

FIXTURES: Final = Path(__file__).parent.parent / "fixtures"
PROJECTS: Final = sorted(
    folder
    for folder in (*FIXTURES.iterdir(), *FIXTURES.glob("ci/*"))
    if (folder / "expected.txt").exists()
)

ASKING: Final = (
    cache.Cache._through.__code__,
    extractor.digests_of.__code__,
    sources.Sources.__getitem__.__code__,
    second_reading.denied.__code__,
)
"""Who opens a file to take down what it answers, to know it by its bytes, for a report's lines, or to
have what was found in it read once more.

A report is made anew whether or not the audit is; and where a file's answers are the same, LibCST
says of the same places the same."""


def _is_asked(frame: FrameType | None) -> bool:
    """Return whether something is opened on behalf of a question."""
    while frame is not None:
        if frame.f_code in ASKING:
            return True
        frame = frame.f_back
    return False


@contextmanager
def opened_in(folder: Path) -> Iterator[dict[str, bool]]:
    """Yield the files of a folder that are opened meanwhile, and whether without being asked."""
    opened: dict[str, bool] = {}

    def watched(opening: Callable[..., Any]) -> Callable[..., Any]:
        def opens(path: Any, *words: Any, **named: Any) -> Any:
            if str(path).startswith(f"{folder}/"):
                name = str(path)[len(f"{folder}/") :]
                opened[name] = opened.get(name, False) or not _is_asked(sys._getframe(1))
            return opening(path, *words, **named)

        return opens

    with pytest.MonkeyPatch.context() as patch:
        opens = watched(open)
        patch.setattr(builtins, "open", opens)
        patch.setattr(io, "open", opens)
        patch.setattr(os, "open", watched(os.open))
        yield opened


def unasked_of(opened: dict[str, bool]) -> set[str]:
    """Return the files that were opened without being asked."""
    return {path for path, is_unasked in opened.items() if is_unasked}


@pytest.mark.parametrize("project", PROJECTS, ids=lambda project: project.name)
def test_what_is_read_of_a_file_is_an_answer_of_it(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "SETTLED_NS", -(10**9))  # What was just copied is old enough.
    root = tmp_path / "project"
    shutil.copytree(project, root, ignore=shutil.ignore_patterns(CACHE))
    (root / CACHE).mkdir()
    subprocess.run(["git", "init", "-q", "."], cwd=root, check=True)
    with opened_in(root) as opened:
        report = audit(Request((".",), folder=root, today=TODAY, cache=True, jobs=1))
    # What is never read may change, and nobody looks (`discover/sweep`).
    assert [path for path in opened if not may_be_read(path) and path != BASELINE] == []
    if report.outcome is None:
        assert project.name == "monorepo"  # Of several projects at once nothing is kept.
        return
    assert report.outcome.inquiry is not None
    answering = {path for path, _ in report.outcome.inquiry.answers()}
    assert unasked_of(opened) & answering == set()


def test_who_reads_without_asking_is_seen(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_text("")
    with opened_in(tmp_path) as opened:
        file.read_bytes()
    assert opened == {"a.py": True}
    with opened_in(tmp_path) as opened:
        extractor.digests_of([SourceFile("a.py", str(file), 0)])
    assert opened == {"a.py": False}


def test_settings_of_tools_are_read_whatever_their_suffix() -> None:
    assert [name for name in tool_settings.READERS if not may_be_read(f"db/{name}")] == []


@pytest.mark.parametrize("path", ["json", "scripts/json", "app/package.json", "x.sql", "a.PY"])
def test_what_may_be_read_by_its_name(path: str) -> None:
    assert may_be_read(path)
    assert not may_be_read(f"{path}.JSON")


def test_each_file_is_asked_for_an_answer_of_its_own(tmp_path: Path) -> None:
    texts = {"sql.py": "x = 'SELECT a FROM b'\n", "none.py": "x = 1\n"}
    files = [SourceFile(name, str(tmp_path / name), len(text)) for name, text in texts.items()]
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    options = extractor.ExtractionOptions(catalogue_in_force(), frozenset(), thorough=True)
    respondents = Respondents([Question("first"), Question("sql")], options)
    assert [respondents.answer(1, file) for file in files * 2] == [YES, NO] * 2
    assert respondents.answer(0, files[0]) != YES
