"""Source made by Python's own grammar (hypothesmith): sound, and as nobody writes it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from importlib.util import find_spec
from typing import Any, Final

AT_ONCE: Final = 20
"""So many texts are drawn together: to begin takes as long as to draw many."""


def is_at_hand() -> bool:
    """Return whether hypothesmith is installed, which only this needs."""
    return find_spec("hypothesmith") is not None


def grammatical() -> Callable[[random.Random], bytes]:
    """Return what makes a text; which ones follow from the first number that it is handed."""
    waiting: list[bytes] = []

    def made(chance: random.Random) -> bytes:
        if not waiting:
            waiting.extend(_drawn(chance.getrandbits(32)))
        return waiting.pop()

    return made


def _drawn(seed: int) -> Iterable[bytes]:
    import hypothesis
    import hypothesmith  # type: ignore[import-not-found]

    found: list[bytes] = []

    def note(text: Any) -> None:
        found.append(str(text).encode("utf-8", "replace"))

    drawing = hypothesis.settings(
        max_examples=AT_ONCE,
        database=None,
        deadline=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    given: Any = hypothesis.given(hypothesmith.from_grammar())
    seeded: Any = hypothesis.seed(seed)
    seeded(drawing(given(note)))()
    return found
