"""What the runs of statements give, gathered by the places of the statements.

What is found on one backend after the other is joined here, so that it is told once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from dal_audit.facts import Place, Span
from dal_audit.facts.sql import SqlStatement
from dal_audit.schema import Database, Divergence, Effect, Exemption, Problem, SchemaError

RunKind: TypeAlias = Literal["rerun", "rerun-all", "down", "data-loss"]
"""What a finding is about: a second run of one migration, or of all, the way back, or a loss."""


class RunFinding(Struct, frozen=True):
    """What is to be said of a statement; each backend has its cure, and the rest is `Problem`'s."""

    run: RunKind
    span: Span
    effect: Effect
    reason: str
    cures: Mapping[str, str]


class MigrationRuns(Struct, frozen=True):
    """What the runs of all migrations give, by the places of their statements.

    `errors` are what statements fail for the first time, `exemptions` what the catalogue is wrong
    about in them, `divergences` what the engines do not treat alike, `findings` all else; `paths`
    are the files of the migrations.
    """

    errors: Mapping[Place, tuple[SchemaError, ...]]
    exemptions: Mapping[Place, tuple[Exemption, ...]]
    divergences: Mapping[Place, tuple[Divergence, ...]]
    findings: Mapping[Place, tuple[RunFinding, ...]]
    paths: frozenset[str]


_Key: TypeAlias = tuple[RunKind, Span, Effect, str]
"""What makes problems one finding."""


class Errors(Struct):
    """What statements fail for, with the backends, and the rest of `SchemaErrors`, in order."""

    found: list[tuple[Place, SchemaError, list[str]]]
    exemptions: list[tuple[Place, tuple[Exemption, ...]]]
    divergences: list[tuple[Place, tuple[Divergence, ...]]]


class Findings(Struct):
    """What runs on a backend give, in order: each finding with the cure on each backend."""

    errors: Errors
    found: list[tuple[Place, _Key, dict[str, str]]]


class SchemaErrors:
    """Gathers errors by their statements; what holds on several backends is one error.

    `exemptions` are what the catalogue is wrong about, `divergences` what is not treated alike, by
    the places of the statements.
    """

    def __init__(self) -> None:
        """Begin with none."""
        self.exemptions: dict[Place, tuple[Exemption, ...]] = {}
        self.divergences: dict[Place, tuple[Divergence, ...]] = {}
        self._found: dict[Place, dict[SchemaError, list[str]]] = {}

    def run(self, database: Database, place: Place, statement: SqlStatement) -> None:
        """Run a statement for the first time, and note what the database says of it."""
        self.add(place, database.apply(statement))
        self.exempt(place, database.exemptions(statement))
        if database.divergences:
            self.divergences[place] = database.divergences

    def exempt(self, place: Place, exemptions: tuple[Exemption, ...]) -> None:
        """Note what the catalogue is wrong about in a statement, on one more backend."""
        if exemptions:
            self.exemptions[place] = self.exemptions.get(place, ()) + exemptions

    def add(self, place: Place, errors: Sequence[SchemaError]) -> None:
        """Note what a statement at a place fails for on a backend."""
        for error in errors:
            own = self._found.setdefault(place, {})
            own.setdefault(replace(error, backends=()), []).extend(error.backends)

    def join(self, others: Errors) -> None:
        """Take in what was found by itself on a further backend."""
        for place, error, backends in others.found:
            self._found.setdefault(place, {}).setdefault(error, []).extend(backends)
        for place, exemptions in others.exemptions:
            self.exempt(place, exemptions)
        self.divergences.update(others.divergences)

    def sent(self) -> Errors:
        """Return what was found in the form in which a process sends it."""
        return Errors(
            [
                (place, error, backends)
                for place, own in self._found.items()
                for error, backends in own.items()
            ],
            list(self.exemptions.items()),
            list(self.divergences.items()),
        )

    def all(self) -> dict[Place, tuple[SchemaError, ...]]:
        """Return the errors by the places of their statements."""
        return {
            place: tuple(
                replace(error, backends=tuple(dict.fromkeys(backends)))
                for error, backends in own.items()
            )
            for place, own in self._found.items()
        }


class Gathered:
    """Gathers findings by their statements; what holds on several backends is one finding."""

    def __init__(self) -> None:
        """Begin with none."""
        self.errors = SchemaErrors()
        self._found: dict[Place, dict[_Key, dict[str, str]]] = {}

    def add(self, run: RunKind, place: Place, problem: Problem, backend: str) -> None:
        """Note a problem of a statement at a place."""
        key = (run, problem.span, problem.effect, problem.reason)
        own = self._found.setdefault(place, {})
        own.setdefault(key, {})[backend] = problem.cure

    def join(self, others: Findings) -> None:
        """Take in what was found by itself on a further backend."""
        self.errors.join(others.errors)
        for place, key, cures in others.found:
            self._found.setdefault(place, {}).setdefault(key, {}).update(cures)

    def sent(self) -> Findings:
        """Return what was found in the form in which a process sends it."""
        found = [
            (place, key, cures) for place, own in self._found.items() for key, cures in own.items()
        ]
        return Findings(self.errors.sent(), found)

    def findings(self) -> dict[Place, tuple[RunFinding, ...]]:
        """Return the findings by the places of their statements."""
        return {
            place: tuple(RunFinding(*key, cures) for key, cures in own.items())
            for place, own in self._found.items()
        }
