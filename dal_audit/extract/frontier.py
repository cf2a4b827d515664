"""Where the following of names leads next."""

from __future__ import annotations

from msgspec import Struct


class Frontier(Struct, frozen=True):
    """Where a round of following leads.

    It leads to the files in `due`, to those in `doubtful` whose bytes show how to take one of the
    `carried` names from its module, and to those in `callers` whose bytes hold SQL.
    """

    carried: frozenset[tuple[str, str]]
    due: frozenset[str]
    doubtful: frozenset[str]
    callers: frozenset[str] = frozenset()
