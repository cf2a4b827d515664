"""Fix: how the text of a file is changed so that a breach in it is gone."""

from __future__ import annotations

from typing import Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from dal_audit.facts import Edit

Applicability: TypeAlias = Literal["safe", "unsafe"]
"""Whether a fix keeps what the text means, or whether a person must say so."""


class Fix(Struct, frozen=True):
    """Edits of the file that a breach lies in, which belong together and do not overlap.

    `message` says in one sentence without a full stop what they do.
    """

    message: str
    edits: tuple[Edit, ...]
    applicability: Applicability
    is_partial: bool = False
    """Whether the breach stays, with less to it."""

    @property
    def is_safe(self) -> bool:
        """Whether it may be applied without asking."""
        return self.applicability == "safe"

    def as_unsafe(self) -> Fix:
        """Return the same fix for a person to decide about."""
        return replace(self, applicability="unsafe")
