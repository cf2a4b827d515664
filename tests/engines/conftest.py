"""The engines, at hand for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.engines.servers import Engine, NewestSqlite, PythonSqlite, postgres


@pytest.fixture(scope="session")
def engines(server: str) -> Iterator[tuple[Engine, ...]]:
    """Every engine that the catalogue speaks of; a missing one fails."""
    with postgres(server) as postgresql:
        yield PythonSqlite(), NewestSqlite(), postgresql
