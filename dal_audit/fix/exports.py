"""Fix what a module offers: take a name out of `__all__`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from dal_audit.facts import Edit, ModuleExports
from dal_audit.fix.model import Fix

_SHOWN: Final = 3
"""So many files that take the name are told."""


def unlisted(shape: ModuleExports, name: str, readers: Sequence[str]) -> Fix | None:
    """Return how a name is taken out of `__all__`; None where that is not told.

    It is unsafe: `readers` are the files that take the name from the module.
    """
    spans = dict(shape.removals)
    if name not in spans or shape.offers_more:
        return None
    shown = ", ".join(f"`{path}`" for path in readers[:_SHOWN])
    more = f" and {len(readers) - _SHOWN} more" if len(readers) > _SHOWN else ""
    users = f"; it is taken from here by {shown}{more}" if readers else ""
    return Fix(f"take `{name}` out of `__all__`{users}", (Edit(spans[name], ""),), "unsafe")
