"""Facts that were made in parts, on whatever machine, make the report that one run makes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from dal_audit.audit import audit
from dal_audit.commands.facts import Shard, shard_of, write_facts
from dal_audit.commands.parser import cli
from dal_audit.discover.errors import UsageError
from dal_audit.extract import extractor
from dal_audit.facts import SourceFile
from dal_audit.policy.request import Request
from dal_audit.report.formats import Format
from dal_audit.report.model import Report
from dal_audit.report.render import render
from tests.examples import TODAY
from tests.sampling import runs
from tests.test_cache_edits import MODULES, STORE, edit, edits, put, start


def parts(root: Path, count: int) -> tuple[Path, ...]:
    """Write the facts of a project in so many parts."""
    request = Request(folder=root, jobs=1)
    outputs = tuple(root.parent / f"{number}.facts" for number in range(1, count + 1))
    for number, output in enumerate(outputs, 1):
        write_facts(request, output, Shard(number, count))
    return outputs


def said(report: Report) -> tuple[str, ...]:
    """Return a report in each format."""
    forms: tuple[Format, ...] = get_args(Format)
    return tuple(render(report, form) for form in forms)


def asked(root: Path, facts: tuple[Path, ...] = (), *, cache: bool = False) -> Request:
    """Return a request for a project that takes facts."""
    return Request(folder=root, today=TODAY, jobs=1, facts=facts, cache=cache, select=("DAL",))


@settings(max_examples=runs(60))
@given(
    done=st.lists(edits, max_size=6),
    later=st.lists(edits, max_size=2),
    count=st.integers(1, 4),
    cache=st.booleans(),
)
def test_the_parts_make_the_report_that_one_run_makes(
    done: Sequence[tuple[str, str, str]],
    later: Sequence[tuple[str, str, str]],
    count: int,
    cache: bool,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    root = tmp_path_factory.mktemp("parts") / "project"
    start(root)
    for change in done:
        edit(root, *change)
    written = parts(root, count)
    assert said(audit(asked(root, written, cache=cache))) == said(audit(asked(root)))
    paths = set(root.rglob("*.py"))
    for change in later:
        edit(root, *change)
    if paths == set(root.rglob("*.py")):  # Facts of another tree are refused.
        assert said(audit(asked(root, written, cache=cache))) == said(audit(asked(root)))


def test_with_all_parts_no_file_is_looked_at_for_the_first_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "project"
    start(root)
    for number in range(20):
        put(root / "app" / f"leak_{number}.py", f"{MODULES['leak']}# {number}\n")
    written = parts(root, 3)
    looked: list[str] = []
    real = extractor.extract_file

    def looking(file: SourceFile, *further: object) -> object:
        looked.append(file.path)
        return real(file, *further)  # type: ignore[arg-type]

    monkeypatch.setattr(extractor, "extract_file", looking)
    audit(asked(root, written))
    assert looked == []
    audit(asked(root, written[:2]))
    some = set(looked)
    shard = Shard(3, 3)
    assert some == {path for path in some if shard.holds(SourceFile(path, "", 0))}
    assert 0 < len(some) < 20


def test_each_file_is_in_one_part() -> None:
    files = [SourceFile(f"app/module_{number}.py", "", 0) for number in range(400)]
    for count in (1, 2, 7):
        shards = [Shard(number, count) for number in range(1, count + 1)]
        assert all(sum(shard.holds(file) for shard in shards) == 1 for file in files)
        assert all(sum(map(shard.holds, files)) > 400 / count / 2 for shard in shards)


def test_a_changed_file_is_read_itself(tmp_path: Path) -> None:
    root = tmp_path / "project"
    start(root)
    written = parts(root, 2)
    put(root / "app" / "two.py", STORE)
    assert said(audit(asked(root, written))) == said(audit(asked(root)))


def test_what_cannot_be_used_is_said(tmp_path: Path) -> None:
    root = tmp_path / "project"
    start(root)
    (written,) = parts(root, 1)
    damaged = tmp_path / "damaged"
    damaged.write_bytes(written.read_bytes()[:-1])
    put(root / "more" / "importlib.py", "")  # What is no stranger any more is another tree.
    for file, reason in ((written, "of another version"), (damaged, "no whole file")):
        with pytest.raises(UsageError, match=reason):
            audit(asked(root, (file,)))
    answer = CliRunner().invoke(cli, ["check", "--facts", str(tmp_path / "none"), str(root)])
    assert answer.exit_code == 2


@pytest.mark.parametrize("text", ["", "1", "0/2", "3/2", "a/b", "1/2/3", "-1/2", "²/3"])
def test_what_is_no_part_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        shard_of(text)


def test_the_command_writes_and_check_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "project"
    start(root)
    monkeypatch.chdir(root)
    names = []
    for part in ("1/2", "2/2"):
        names.append(str(tmp_path / part.replace("/", "-")))
        answer = CliRunner().invoke(cli, ["facts", "--shard", part, "--output", names[-1]])
        assert answer.exit_code == 0, answer.output
    facts = [word for name in names for word in ("--facts", name)]
    plain = CliRunner().invoke(cli, ["check", "--no-cache"])
    assert CliRunner().invoke(cli, ["check", "--no-cache", *facts]).output == plain.output
    assert CliRunner().invoke(cli, ["facts", "--shard", "3/2", "--output", "x"]).exit_code == 2
