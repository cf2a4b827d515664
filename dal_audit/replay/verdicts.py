"""What engines say of ways back that were written, and how they are asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from msgspec import Struct, field

from dal_audit.catalogue.engine_names import ENGINE_TITLES, Engine
from dal_audit.replay.database import EngineError
from dal_audit.replay.model import DownTrial, Step
from dal_audit.replay.run import Engines

NO_UP: Final = "its up does not run"
"""How a trial begins that says nothing of a down."""
UNTRIED: Final = "it was not tried"


class Verdicts(Struct, kw_only=True):
    """What came of a way back.

    `said` is what each engine says that tried it: there an empty text says that it takes the up
    back; `untried` says of the others why they have not tried it.
    """

    said: dict[Engine, str] = field(default_factory=dict)
    untried: dict[Engine, str] = field(default_factory=dict)

    @property
    def proved_on(self) -> tuple[Engine, ...]:
        """The engines on which the down takes its up back."""
        return tuple(engine for engine, why_not in self.said.items() if not why_not)

    def hear(self, engine: Engine, why_not: str, unknown_before: str = "") -> None:
        """Note what an engine says; where its up does not run, that may be for what is unknown."""
        if unknown_before and why_not.startswith(NO_UP):
            self.untried[engine] = unknown_before
        else:
            self.said[engine] = why_not
            self.untried.pop(engine, None)

    def doubts_beside(self, risks: Iterable[str]) -> Iterator[str]:
        """Yield why a person must look at it, a clause each, the `risks` first."""
        yield from risks
        for engine, why_not in (*self.said.items(), *self.untried.items()):
            if why_not and not (why_not.startswith(NO_UP) and self.proved_on):
                yield f"on {ENGINE_TITLES[engine]} {why_not}"


def trials(
    engine: Engine,
    steps: tuple[Step, ...],
    ways: Iterable[Verdicts],
    engines: Engines,
    heard: Callable[[int, int], None],
) -> tuple[DownTrial, ...]:
    """Return what came of the downs of steps on an engine.

    One that cannot be had is no error: it tries nothing, and each of the ways back says so that
    says nothing else of it yet.
    """
    try:
        return engines.try_downs(engine, steps, heard).trials
    except EngineError as error:
        for way in ways:
            if way.untried.get(engine, UNTRIED) == UNTRIED:
                way.untried[engine] = f"{UNTRIED}: {error}"
        return ()
