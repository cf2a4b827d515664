"""The command that audits other people's code tells a crash and a difference from what is well."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.examples import CHECKOUT
from tests.tools import children
from tests.tools.ecosystem import ways
from tests.tools.ecosystem.__main__ import pinned
from tests.tools.ecosystem.trees import NoTreeError, sources, tree_of

TREE = CHECKOUT / "fixtures/leaks"


def test_a_sound_tree_is_the_same_in_all_ways() -> None:
    done = ways.audit_tree("leaks", TREE, ways.Plan())
    assert done.wrong == ()
    assert len(done.ways) == 6
    assert done.findings
    assert done.on_disk == len(list(sources(TREE)))


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("raise SystemExit(3)", "it ended with 3"),
        ("import os; os.abort()", "it ended with -6"),
        ("print('{'); raise SystemExit(0)", "no JSON"),
        ("import time; time.sleep(900)", "it hung"),
    ],
)
def test_what_is_wrong_is_said(
    code: str, said: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    monkeypatch.setattr(children, "_RUN", code)
    plan = ways.Plan("quick", most=1 if said == "it hung" else 600)
    done = ways.audit_tree("bad", tmp_path, plan)
    assert any(said in what for what in done.wrong)


def test_another_order_of_findings_is_another_digest() -> None:
    finding = {"rule": 1, "path": "a", "line": 1, "column": 1, "message": "b"}
    other = {**finding, "line": 2}
    digests = {
        ways.digest_of({"findings": found}) for found in ([finding, other], [other, finding])
    }
    assert len(digests) == 2


def test_what_is_pinned_has_a_version() -> None:
    assert all("==" in name for name in pinned())


def test_a_folder_is_a_tree_and_nothing_is_none(tmp_path: Path) -> None:
    assert tree_of(str(TREE), tmp_path) == TREE.resolve()
    with pytest.raises(NoTreeError):
        tree_of("./no such folder", tmp_path)


def test_trees_take_turns_with_the_ways(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    monkeypatch.setattr(ways, "audited", lambda *_, **__: children.Ended(0, b"{}", b"", 0.0, 0))
    plans = [ways.Plan("rotated", ("python3.10",), turn=turn) for turn in range(4)]
    done = [ways.audit_tree("a", tmp_path, plan).ways for plan in plans]
    base = ("new cache", "warm cache, another seed")
    assert {way[:2] for way in done} == {base}
    further = [way[2:] for way in done]
    assert further[:2] == [("4 processes, another seed",), ("by python3.10",)]
    assert further[2] == ("changed, warm", "changed, cold")
    assert further[3] == further[0]


def test_a_difference_is_told_by_its_way() -> None:
    runs = [
        (way, children.Ended(0, out, b"", 0.0, 0), b"{}")
        for way, out in (("1 process", b"1"), ("warm", b"2"), ("changed, a", b"3"))
    ]
    assert list(ways._differences(runs)) == ["warm: other findings"]
