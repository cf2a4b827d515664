"""All that is known of one file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from dal_audit.facts.ci import CiFact
    from dal_audit.facts.sql import SqlFileName, SqlStatement
from dal_audit.facts.python import PythonFact
from dal_audit.facts.source import FactRecord

Fact: TypeAlias = "PythonFact | SqlStatement | SqlFileName | CiFact"
"""In quotes, because the records of SQL are loaded only where there is SQL."""


ReadDepth: TypeAlias = Literal["ruled-out", "read", "linked", "whole"]
"""How closely a file was looked at: its bytes ruled it out, its syntax was read for what matters
anywhere, for all that it imports and offers, or also for what it hands to functions of others."""


class FileFacts(FactRecord, frozen=True):
    """All that is known of one file.

    `importing` are the texts of its import statements, and what looks like one; None where only a
    parser can tell.
    """

    path: str
    facts: tuple[Fact, ...]
    attention: ReadDepth
    importing: tuple[str, ...] | None = None
