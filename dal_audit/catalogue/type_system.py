"""How PostgreSQL's types fit together: casts, and what operators and functions take and give.

It is PostgreSQL's own catalogue (`pg_type`, `pg_cast`, `pg_operator`, `pg_proc`), written by
`python -m tests.engines.types`. Types go by the names that it has for them (`int4`, `bpchar`,
`_text` for an array).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Final

import msgspec
from msgspec import Struct

from dal_audit.catalogue.resources import rules_folder

_MARKS: Final = "@#!"
_STRINGS, _TIMES = "S", "D"
"""The categories of texts, and of points in time, which are read and written by settings."""


class Signature(Struct, frozen=True):
    """What an operator or a function takes and gives.

    `mark` is `@` for an aggregate, `#` for one with an order, `!` for what needs a window.
    `optional` arguments at the end may be left out; the last one may `repeat`. `varies` says that
    the same arguments do not give the same at all times, or with all settings.
    """

    arguments: tuple[str, ...]
    result: str
    mark: str = ""
    optional: int = 0
    repeats: bool = False
    varies: bool = False


class TypeSystem(Struct, frozen=True):
    """The types of PostgreSQL, its casts, and the signatures as they are written in the file."""

    types: Mapping[str, str]
    names: Mapping[str, str]
    casts: Mapping[str, str]
    operators: Mapping[str, str]
    functions: Mapping[str, str]

    def category(self, name: str) -> str:
        """Return a type's category (`N` of numbers, `S` of strings, …); empty for no type."""
        return self.types.get(name, " ")[0].strip()

    def is_preferred(self, name: str) -> bool:
        """Return whether a type is the one of its category that is preferred."""
        return self.types.get(name, "")[1:2] == "*"

    def item_of(self, name: str) -> str:
        """Return the type of an array's items; empty where it is no array."""
        return self.types.get(name, "  ").split(" ", 2)[1]

    def title(self, name: str) -> str:
        """Return what PostgreSQL calls a type in its messages."""
        return self.types[name].split(" ", 2)[2] if name in self.types else name

    def cast(self, source: str, target: str) -> str:
        """Return when a cast is made: `i` by itself, `a` by assignment, `e` if asked for."""
        return _casts(self.casts.get(source, "")).get(target, "").lower()

    def cast_varies(self, source: str, target: str) -> bool:
        """Return whether what a cast gives depends on the time, or on settings."""
        if self.category(source) == _STRINGS or self.category(target) == _STRINGS:
            return _TIMES in {self.category(source), self.category(target)}
        return _casts(self.casts.get(source, "")).get(target, "").isupper()

    def operator(self, name: str) -> tuple[Signature, ...]:
        """Return the signatures of an operator: of two arguments, or one that stands before it."""
        return _signatures(self.operators.get(name, ""))

    def function(self, name: str) -> tuple[Signature, ...]:
        """Return the signatures of the functions of a name in lower case."""
        return _signatures(self.functions.get(name, ""))


@cache
def type_system() -> TypeSystem:
    """Read how PostgreSQL's types fit together."""
    file = rules_folder() / "catalogue" / "engines" / "postgresql_types.json"
    return msgspec.json.decode(file.read_bytes(), type=TypeSystem)


@cache
def _casts(text: str) -> dict[str, str]:
    return {cast[1:]: cast[0] for cast in text.split()}


@cache
def _signatures(text: str) -> tuple[Signature, ...]:
    return tuple(_signature(part) for part in text.split())


def _signature(text: str) -> Signature:
    """Read `@int4,+text:1>*text~`."""
    mark = text[0] if text[0] in _MARKS else ""
    taken, _, result = text[len(mark) :].partition(">")
    taken, _, optional = taken.partition(":")
    arguments = tuple(taken.split(",")) if taken else ()
    repeats = arguments[-1:] != () and arguments[-1].startswith("+")
    return Signature(
        tuple(argument.lstrip("+") for argument in arguments),
        result.strip("*~"),
        mark,
        int(optional or 0),
        repeats,
        result.endswith("~"),
    )
