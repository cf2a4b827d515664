"""What code that is run and not followed, such as a `DO` block, may have made and removed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from dal_audit.schema.objects_model import MAX_NAME

_WORDS: Final = re.compile(r"[^\W\d][\w$]*")
_CLAUSES: Final = re.compile(
    r"\b(EXECUTE)\b(?!\s+(?:FUNCTION|PROCEDURE)\b).*|\b(CREATE|ADD|DROP|RENAME)\b[^;]*",
    re.IGNORECASE | re.DOTALL,
)
"""A statement in a block of code that makes or removes something; of `EXECUTE` all that follows."""


class OpaqueCode(Struct, frozen=True):
    """The words in such code, in lower case: of what it makes, and of what it removes."""

    made: frozenset[str] = frozenset()
    removed: frozenset[str] = frozenset()

    @classmethod
    def of(cls, bodies: Iterable[str]) -> OpaqueCode:
        """Return what blocks of code may do.

        Code that puts statements together may do anything to what it names.
        """
        made: set[str] = set()
        removed: set[str] = set()
        for body in bodies:
            for clause in _CLAUSES.finditer(body):
                words = {word.lower()[:MAX_NAME] for word in _WORDS.findall(clause[0])}
                verb = (clause[1] or clause[2]).upper()
                if verb != "DROP":
                    made |= words
                if verb not in {"CREATE", "ADD"}:
                    removed |= words
        return cls(frozenset(made), frozenset(removed))

    def may_make(self, name: str) -> bool:
        """Return whether the code may make an object, by its folded name."""
        return last_of(name) in self.made

    def names(self, name: str) -> bool:
        """Return whether the code may do anything to an object, by its folded name."""
        return last_of(name) in self.made or last_of(name) in self.removed


def last_of(name: str) -> str:
    """Return the last part of a folded name, in lower case, without a number of arguments."""
    return name.rpartition(".")[2].partition("/")[0].lower()
