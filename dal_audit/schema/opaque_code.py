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


ANYTHING: Final = "EXECUTE *"
"""The body of code of which nothing at all is known."""


class OpaqueCode(Struct, frozen=True):
    """The words in such code, in lower case: of what it makes, and of what it removes."""

    made: frozenset[str] = frozenset()
    removed: frozenset[str] = frozenset()
    is_any: bool = False
    """Whether some of it may do anything to anything."""
    assembled: frozenset[str] = frozenset()
    """The words of statements that it puts together."""

    @classmethod
    def of(cls, bodies: Iterable[str]) -> OpaqueCode:
        """Return what blocks of code may do.

        Code that puts statements together may do anything to what it names.
        """
        made: set[str] = set()
        removed: set[str] = set()
        assembled: set[str] = set()
        is_any = False
        for body in bodies:
            is_any = is_any or body == ANYTHING
            for clause in _CLAUSES.finditer(body):
                words = {word.lower()[:MAX_NAME] for word in _WORDS.findall(clause[0])}
                verb = (clause[1] or clause[2]).upper()
                if verb == "EXECUTE":
                    assembled |= words
                if verb != "DROP":
                    made |= words
                if verb not in {"CREATE", "ADD"}:
                    removed |= words
        return cls(frozenset(made), frozenset(removed), is_any, frozenset(assembled))

    def may_make(self, name: str) -> bool:
        """Return whether the code may make an object, by its folded name."""
        return self.is_any or last_of(name) in self.made

    def names(self, name: str) -> bool:
        """Return whether the code may do anything to an object, by its folded name."""
        return self.may_make(name) or self.may_remove_any((name,))

    def may_change(self, table: str) -> bool:
        """Return whether the code may do anything to the parts of a table, by its folded name."""
        return self.is_any or last_of(table) in self.assembled

    def may_make_any(self, names: Iterable[str]) -> bool:
        """Return whether the code may make an object of one of some folded names."""
        return self.is_any or not self.made.isdisjoint(map(last_of, names))

    def may_remove_any(self, names: Iterable[str]) -> bool:
        """Return whether the code may remove an object of one of some folded names."""
        return self.is_any or not self.removed.isdisjoint(map(last_of, names))


NONE: Final = OpaqueCode()
"""No such code."""


def last_of(name: str) -> str:
    """Return the last part of a folded name, in lower case, without a number of arguments."""
    return name.rpartition(".")[2].partition("/")[0].lower()
