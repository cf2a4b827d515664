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
    done = ways.audit_tree("leaks", TREE, (), 600, quick=False)
    assert done.wrong == ()
    assert done.runs == 6
    assert done.findings > 0
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
    most = 1 if said == "it hung" else 600
    done = ways.audit_tree("bad", tmp_path, (), most, quick=True)
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
