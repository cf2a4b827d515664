"""Signals that end a process at once: they are heard while there is something to clear up."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType
from typing import Final

NUMBERS: Final = tuple(
    getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)
)


class Stopped(KeyboardInterrupt):
    """A signal came; `code` is the exit code that a shell makes of it."""

    def __init__(self, number: int) -> None:
        """Take the signal's number."""
        super().__init__()
        self.code = 128 + number


@contextlib.contextmanager
def heard_signals() -> Iterator[None]:
    """Let signals that end a process be heard as Ctrl-C is; what is ignored stays ignored.

    A thread beside the main one hears none, and leaves things as they are.
    """
    before = {}
    with contextlib.suppress(ValueError):
        for number in NUMBERS:
            if signal.getsignal(number) is signal.SIG_DFL:
                before[number] = signal.signal(number, _stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _stop(number: int, _frame: FrameType | None) -> None:
    for other in NUMBERS:
        signal.signal(other, signal.SIG_IGN)  # Clearing up is not to be cut short.
    raise Stopped(number)
