"""A sample of what `python -m tests.tools.faults` does: what is written is whole, or as it was."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Collection, Iterator

import pytest

from tests.tools.faults import Tally, full_disk, killed

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="limits and signals of POSIX")


@pytest.mark.parametrize(("fault", "writer"), [(killed, "init"), (full_disk, "output")])
def test_what_is_cut_short_is_whole_or_as_it_was(
    fault: Callable[[int, random.Random, Collection[str]], Iterator[Tally]], writer: str
) -> None:
    (tally,) = fault(2, random.Random(1), [writer])
    assert tally.wrong == []
    assert (tally.count, tally.hit > 0) == (2, True)
