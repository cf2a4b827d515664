"""A sample of what `python -m tests.tools.fuzz` feeds: each reader reads it or refuses it."""

from __future__ import annotations

import warnings

import pytest

from tests.tools.fuzz.readers import Reader, readers
from tests.tools.fuzz.runs import fed


@pytest.mark.parametrize("reader", readers(), ids=lambda reader: reader.name)
def test_whatever_comes_it_is_read_or_refused(reader: Reader) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found, _ = fed(reader, 60 // reader.cost, seed=1)
    assert found == []
