"""The engines: what they are called, what they limit, and what each has by name.

The lists of functions, types and operators are the engines' own. Their files are made by
`python -m tests.engines.lists` and read when SQL is audited; an engine without a file is one of
which nothing is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Final, Literal, TypeAlias

import msgspec
from msgspec import Struct

from dal_audit.catalogue.resources import rules_folder

Engine: TypeAlias = Literal["sqlite", "postgresql"]
"""An engine that is known in full, by the name that the catalogue has for its backend."""

SQLITE: Final = "sqlite"
POSTGRESQL: Final = "postgresql"

ENGINES: Final[tuple[Engine, ...]] = (SQLITE, POSTGRESQL)
"""The engines that are known in full."""

ENGINE_TITLES: Final[Mapping[str, str]] = {
    SQLITE: "SQLite",
    POSTGRESQL: "PostgreSQL",
    "mysql": "MySQL",
    "mariadb": "MariaDB",
    "duckdb": "DuckDB",
}
"""What the backends are called in messages."""

MAX_NAME: Final = 63
"""How many bytes PostgreSQL keeps of a name (the manual, "Identifiers and Key Words")."""


class EngineNames(Struct, frozen=True):
    """The names that an engine knows without any extension, all in lower case.

    `functions` maps a name to the numbers of arguments that it takes, as (least, most) with -1 for
    no upper bound. `types` is None where an engine takes any name for a type. `keywords` are words
    of its grammar: what stands before a parenthesis and is one of them need not be a function.
    `reserved` are those of them that name no table and no column, unless in quotes.
    """

    engine: str
    version: str
    functions: Mapping[str, tuple[tuple[int, int], ...]]
    types: frozenset[str] | None
    operators: frozenset[str] | None
    keywords: frozenset[str]
    reserved: frozenset[str]

    def has_function(self, name: str) -> bool:
        """Return whether a function, an aggregate or a function-like form has this name."""
        return name.lower() in self.functions or name.lower() in self.keywords

    def takes(self, name: str, count: int) -> bool:
        """Return whether a function of this name takes so many arguments.

        A form of the grammar (`coalesce`, `substring(x from 2)`) takes any number.
        """
        arities = self.functions.get(name.lower(), ())
        if any(least <= count and (most < 0 or count <= most) for least, most in arities):
            return True
        return name.lower() in self.keywords

    def has_type(self, name: str) -> bool:
        """Return whether a type has this name, as it is declared, without its arguments."""
        return self.types is None or name.lower() in self.types


@cache
def engine_names(engine: str) -> EngineNames | None:
    """Read an engine's list; None where there is none."""
    file = rules_folder() / "catalogue" / "engines" / f"{engine}.json"
    if not file.is_file():
        return None
    row = msgspec.json.decode(file.read_bytes())
    return EngineNames(
        engine=row["engine"],
        version=row["version"],
        functions={
            name: tuple(_bounds(arity) for arity in arities.split())
            for name, arities in row["functions"].items()
        },
        types=None if row["types"] is None else frozenset(row["types"]),
        operators=None if row["operators"] is None else frozenset(row["operators"]),
        keywords=frozenset(row["keywords"]),
        reserved=frozenset(row["reserved"]),
    )


def _bounds(text: str) -> tuple[int, int]:
    """Read `2`, `1..3` or `1..`."""
    least, dots, most = text.partition("..")
    return int(least), int(most) if most else -1 if dots else int(least)
