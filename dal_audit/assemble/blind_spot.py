"""Something that an audit did not look at; apart from what finds it, as every report has some."""

from __future__ import annotations

from msgspec import Struct


class BlindSpot(Struct, frozen=True):
    """Something that was not looked at, and why; `is_total` where nothing else was, either.

    `scope` tells which clauses it is about: those that need a `driver`, an `interface` or the
    `order` of migrations, those about a language, the one of an id, or all of them (empty).
    """

    scope: str
    reason: str
    is_total: bool = False
