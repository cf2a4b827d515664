"""dal-audit obeys its own law, and its own house rules."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from dal_audit.audit import audit
from dal_audit.policy.request import Request

ROOT = Path(__file__).resolve().parent.parent


def test_this_repository_passes_its_own_audit() -> None:
    report = audit(Request(folder=ROOT))
    assert report.open == ()
    assert report.files > 30


def test_no_source_is_longer_than_it_should_be() -> None:
    longest = {
        path.relative_to(ROOT).as_posix(): len(path.read_text(encoding="utf-8").splitlines())
        for path in ROOT.glob("dal_audit/**/*.py")
    }
    assert {name: lines for name, lines in longest.items() if lines > 420} == {}


def test_nothing_is_left_to_do_in_the_code() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "dal_audit", "rules"], cwd=ROOT, capture_output=True, check=True
    )
    for name in listed.stdout.decode().split():
        text = (ROOT / name).read_text(encoding="utf-8")
        assert not re.search(r"\b(TODO|FIXME|XXX)\b", text), name


def test_no_test_judges_by_the_clock() -> None:
    """A busy machine is no fault of the code: what is counted are steps, calls and lines."""
    clock = re.compile(r"\b(?:time\.)?(?:monotonic|perf_counter|process_time)(?:_ns)?\(|\btimeit\.")
    for path in sorted((ROOT / "tests").glob("*.py")):
        assert not clock.search(path.read_text(encoding="utf-8")), path.name
