"""Whether an engine refuses a statement for its text, so that nothing it makes can stand there.

What it would make is followed all the same, or each mistake would be many errors; it only keeps
nothing else from being dropped.
"""

from __future__ import annotations

from typing import Final

from dal_audit.catalogue.operations import feature_of
from dal_audit.catalogue.portability import Feature
from dal_audit.facts.sql import SqlStatement

_OFTEN_MADE_UP_FOR: Final = frozenset({"functions", "types"})
"""Rows of these kinds an engine may take: in a view, or as programs replace them on the way."""


def is_refused(statement: SqlStatement, backend: str) -> bool:
    """Return whether no version of an engine takes a construct of a statement, whatever stands."""
    return any(
        _is_never_taken(feature_of(construct.feature), backend)
        for construct in statement.constructs
    )


def _is_never_taken(feature: Feature, backend: str) -> bool:
    never = feature.engines.get(backend, True) is False
    return never and not feature.needs_rows and feature.kind not in _OFTEN_MADE_UP_FOR
