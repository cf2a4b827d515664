"""What a survey for a port says: what holds a project, what nobody read, what only people know."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, Literal, TypeAlias

from msgspec import Struct

from dal_audit.catalogue.engine_names import ENGINE_TITLES, Engine
from dal_audit.facts import Place

Kind: TypeAlias = Literal[
    "drivers",
    "leaks",
    "toolkits",
    "urls",
    "placeholders",
    "functions",
    "triggers",
    "types",
    "ddl",
    "dml",
    "administration",
    "quoting",
    "divergence",
    "migrations",
    "ci",
    "dependencies",
]
"""What a hold is about, in the order in which a port would go about it."""

KIND_TITLES: Final[Mapping[Kind, str]] = {
    "drivers": "drivers of one engine in storage",
    "leaks": "such drivers outside storage",
    "toolkits": "parts of toolkits for one engine",
    "urls": "connection URLs",
    "placeholders": "placeholders",
    "functions": "functions, operators and literals",
    "triggers": "triggers",
    "types": "types",
    "ddl": "definitions (DDL)",
    "dml": "changes and queries (DML)",
    "administration": "administration",
    "quoting": "quotes",
    "divergence": "what runs, and means something else",
    "migrations": "migration sets",
    "ci": "tests in CI",
    "dependencies": "dependencies",
}

Mending: TypeAlias = Literal["", "safe", "unsafe"]
"""Whether `--fix` mends it, `--fix --unsafe-fixes` does, or people have to."""


class Hold(Struct, frozen=True):
    """A place that holds a project to an engine of today.

    `rule` is the id of the rule that says so, empty for what no rule is about.
    """

    kind: Kind
    place: Place
    message: str
    cure: str
    rule: str = ""
    mending: Mending = ""


class Remark(Struct, frozen=True):
    """A sentence, and the places that it is about; there may be none."""

    text: str
    places: tuple[Place, ...] = ()


class Survey(Struct, frozen=True):
    """What stands between one project and an engine; paths are relative to the current folder.

    `today` are the engines that it speaks to now, by their catalogue names. `statements` were
    judged for the target, in `files` files. `gaps` are what was not read: of that nothing is said.
    """

    project: str
    target: Engine
    version: str
    today: tuple[str, ...]
    holds: tuple[Hold, ...]
    gaps: tuple[Remark, ...]
    questions: tuple[Remark, ...]
    statements: int
    files: int

    @property
    def is_clear(self) -> bool:
        """Whether all was read, and nothing holds the project."""
        return not self.holds and not self.gaps

    def of_kind(self, kind: Kind) -> list[Hold]:
        """Return the holds of a kind, in the order of their places."""
        return [hold for hold in self.holds if hold.kind == kind]


def title_of(engine: str) -> str:
    """Return what an engine is called in a sentence."""
    return ENGINE_TITLES.get(engine, engine)


def titles_of(engines: Iterable[str]) -> str:
    """Return what some engines are called, at least one, as a sentence lists them."""
    *first, last = map(title_of, engines)
    return f"{', '.join(first)} and {last}" if first else last


def mended(holds: Iterable[Hold], mending: Mending) -> int:
    """Return how many of some holds are mended in a way."""
    return sum(hold.mending == mending for hold in holds)


def files_of(holds: Iterable[Hold]) -> int:
    """Return in how many files some holds lie."""
    return len({hold.place.path for hold in holds})
