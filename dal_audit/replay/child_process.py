"""A process that is handed lines and answers in lines, and that ends with who started it.

Its input is a pipe of which the parent holds the other end: when the parent ends, however it ends,
the child sees the end of its input, and goes. Nothing secret stands in arguments.
"""

from __future__ import annotations

import contextlib
import queue
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Final

GRACE: Final = 20.0
"""Seconds that a listener has after the end of its process."""

START: Final = 60.0
"""Seconds that a process may take to end when it is let go."""


class ChildProcess:
    """A process; `alone` keeps a terminal's Ctrl-C from one that has to clear up."""

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        alone: bool = False,
        folder: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Start it, in this folder and environment unless others are given. Raises OSError."""
        self._alone = alone
        self._process = subprocess.Popen(
            arguments,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=alone,
            cwd=folder,
            env=environment,
        )
        self._lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._listener = threading.Thread(
            target=_listen, args=(self._process.stdout, self._lines), daemon=True
        )
        self._listener.start()

    def send(self, line: bytes) -> None:
        """Hand over a line. Raises BrokenPipeError where the process is gone."""
        if self._process.stdin is not None:
            self._process.stdin.write(line + b"\n")
            self._process.stdin.flush()

    def next(self, seconds: float) -> bytes | None:
        """Return the next line, empty at the end of all; None where none comes in time."""
        try:
            return self._lines.get(timeout=seconds)
        except queue.Empty:
            return None

    def let_go(self) -> None:
        """End its input."""
        if self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()

    def wait(self) -> None:
        """Wait until it has ended by itself, or for long enough."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(START)

    def close(self) -> None:
        """Let it go, and kill it if it stays, unless it has to clear up."""
        self.let_go()
        if self._process.poll() is None:
            if not self._alone:
                self._process.kill()
            self._process.wait(START)
        self._listener.join(GRACE)


def _listen(out: IO[bytes], lines: queue.SimpleQueue[bytes]) -> None:
    with out:
        for line in out:
            lines.put(line)
    lines.put(b"")
