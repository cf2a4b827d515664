"""What engines say of a way back that was written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from msgspec import Struct, field

from dal_audit.catalogue.engine_names import ENGINE_TITLES, Engine

NO_UP: Final = "its up does not run"
"""How a trial begins that says nothing of a down."""


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

    def doubts_beside(self, risks: Iterable[str]) -> Iterator[str]:
        """Yield why a person must look at it, a clause each, the `risks` first."""
        yield from risks
        for engine, why_not in (*self.said.items(), *self.untried.items()):
            if why_not and not (why_not.startswith(NO_UP) and self.proved_on):
                yield f"on {ENGINE_TITLES[engine]} {why_not}"
