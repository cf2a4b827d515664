"""A line on the terminal that tells of a long run, and is gone when there is something to read.

It is drawn by a timer's signal and not by a thread: extraction forks, which is safe with one thread
alone. Where there is no such signal (Windows), or standard error is no terminal, nothing is drawn.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from msgspec import Struct, field

AFTER: Final = 1.0
"""Seconds; a shorter run says nothing."""

EVERY: Final = 0.1
"""Seconds from one drawing to the next."""

WIDTH: Final = 20
"""The width of the bar."""

_USUAL: Final = 80
"""Columns of a terminal that does not tell."""

_CLEAR: Final = "\r\x1b[K"


class Progress(Struct):
    """What a run is at: its stage, of how many, and since when it runs."""

    stages: int
    stage: int = 0
    doing: str = ""
    started: float = field(default_factory=time.monotonic)
    read: int = 0
    """Files that are read in this stage, of `files`."""
    files: int = 0

    def __call__(self, stage: int, doing: str) -> None:
        """Take note of a stage that begins; the first one is 1. A later round may come back."""
        self.stage, self.doing, self.read, self.files = stage, doing, 0, 0

    def count(self, read: int, files: int) -> None:
        """Take note of how many files of how many are read."""
        self.read, self.files = read, files

    def line(self, now: float) -> str:
        """Return the line to draw; the bar counts files, or else stages, and claims no more."""
        if self.files:
            done = min(WIDTH * self.read // self.files, WIDTH - 1)
            doing = f"reading files: {self.read} of {self.files}"
        else:
            done = WIDTH * max(self.stage - 1, 0) // self.stages
            doing = self.doing
        # A dot that moves says that the program does.
        dot = done + int((now - self.started) / EVERY) % (WIDTH - done)
        cells = ("=" if n < done else ">" if n == dot else " " for n in range(WIDTH))
        return f"[{''.join(cells)}] {doing}, {now - self.started:.0f} s"


@contextmanager
def shown(progress: Progress, *, quiet: bool = False) -> Iterator[Progress]:
    """Draw a run's progress on standard error while the block runs, and wipe it out in the end."""
    if quiet or not _is_possible(os.environ):
        yield progress
        return
    import signal  # only where there is something to draw on

    drawn = False

    def draw(_number: int, _frame: object) -> None:
        nonlocal drawn
        drawn = True
        _write(_CLEAR + progress.line(time.monotonic())[: _columns() - 1])

    before = signal.signal(signal.SIGALRM, draw)
    # What the signal interrupts goes on as if nothing had been.
    signal.siginterrupt(signal.SIGALRM, False)  # noqa: FBT003  # its one form
    signal.setitimer(signal.ITIMER_REAL, AFTER, EVERY)
    try:
        yield progress
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        if drawn:
            _write(_CLEAR)


def _is_possible(environment: Mapping[str, str]) -> bool:
    """Return whether there is a terminal to draw on, and a signal to draw by."""
    if sys.stderr is None or not sys.stderr.isatty() or environment.get("TERM", "dumb") == "dumb":
        return False
    import signal  # only here: they take as long to load as all else that is asked
    import threading

    return hasattr(signal, "SIGALRM") and threading.current_thread() is threading.main_thread()


def _columns() -> int:
    try:
        # A terminal that does not know its width says 0.
        return os.get_terminal_size(sys.stderr.fileno()).columns or _USUAL
    except (OSError, ValueError):
        return _USUAL


def _write(text: str) -> None:
    """Write past Python's buffer: the signal may come while something else writes to it."""
    with contextlib.suppress(OSError, ValueError):
        os.write(sys.stderr.fileno(), text.encode("ascii", "replace"))
