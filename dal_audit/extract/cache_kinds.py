"""The kinds of what a cache keeps of a content, and how each is read back."""

from __future__ import annotations

from functools import cache
from typing import Any, Literal, TypeAlias

from msgspec.msgpack import Decoder

from dal_audit.facts import NotUnderstood, PythonFact, ReadDepth, Suppression, ValueFacts

FactsKind: TypeAlias = Literal["first", "whole", "storage", "script"]
OtherKind: TypeAlias = Literal[
    "accessed",
    "loads",
    "accesses",
    "named",
    "marks",
    "revision",
    "embedded",
    "surrounded",
    "ci",
    "suite",
    "rust",
    "claims",
]
Kind: TypeAlias = FactsKind | OtherKind
"""Of what something is kept: the first look at a Python file, a reading of the whole, one of the
whole in storage, an SQL file; the words that a file's bytes access, what it imports as only a
parser can tell, the accesses in it, what a file says that accesses led to, what a migration tool
reads in it, the migration that a Python file is, the SQL in it, that of revisions with what else of
the project it hangs on, what a file of Rust spells; the claims of findings that a second reading
bore out."""


@cache
def decoder_of(kind: Kind) -> Decoder[Any]:
    """Return what reads the facts of a kind back; it knows their types when it is first needed."""
    if kind == "script":
        from dal_audit.facts.sql import SqlStatement

        fact = SqlStatement | Suppression | NotUnderstood
        return Decoder(tuple[ReadDepth, tuple[str, ...] | None, tuple[fact, ...]])
    if kind == "marks":
        from dal_audit.facts.migrations import MigrationMarks

        return Decoder(tuple[MigrationMarks | None])
    if kind == "revision":
        from dal_audit.facts.migrations import Revision

        return Decoder(tuple[Revision | None])
    if kind == "embedded":
        from dal_audit.facts.sql import SqlFileName, SqlStatement

        return Decoder(tuple[tuple[SqlStatement | SqlFileName, ...]])
    if kind == "surrounded":
        from dal_audit.facts.sql import SqlFileName, SqlStatement

        return Decoder(tuple[tuple[bytes, tuple[SqlStatement | SqlFileName, ...]]])
    if kind == "ci":
        from dal_audit.facts.ci import CiRead

        return Decoder(tuple[CiRead])
    if kind == "suite":
        from dal_audit.facts.ci import SuiteFile

        return Decoder(tuple[tuple[SuiteFile | Suppression, ...]])
    if kind == "rust":
        from dal_audit.facts.rust import RustFact

        return Decoder(tuple[tuple[RustFact, ...]])
    if kind == "claims":
        from dal_audit.facts.claims import Claim

        return Decoder(tuple[tuple[Claim, ...]])
    if kind in {"accessed", "loads"}:
        return Decoder(tuple[tuple[str, ...]])
    if kind in {"accesses", "named"}:
        return Decoder(tuple[ValueFacts | None])
    return Decoder(tuple[ReadDepth, tuple[str, ...] | None, tuple[PythonFact, ...]])
