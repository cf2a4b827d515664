"""Known gaps: tests that the program does not pass yet, kept in the open in `known-gaps.txt`."""

from __future__ import annotations

from pathlib import Path

import pytest

GAPS = Path(__file__).parent / "known-gaps.txt"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave each listed test out, and show it as `xfailed`: some end the process that runs them."""
    lines = GAPS.read_text(encoding="utf-8").splitlines()
    gaps = {line for line in lines if line and not line.startswith("#")}
    for item in items:
        if item.nodeid in gaps:
            item.add_marker(pytest.mark.xfail(reason="a known gap", run=False))
