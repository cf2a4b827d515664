"""Time commands as whole processes, in turn, so that whatever slows the machine slows them all."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

if sys.platform != "win32":
    import os
    import resource


@dataclass(frozen=True, slots=True)
class Figures:
    """What a command took: the medians of wall and processor seconds, and the peak memory in MiB.

    Memory is that of the largest process; it and the processor's time are 0 where the platform does
    not tell them.
    """

    wall: float
    processor: float
    memory: float


def in_turn(
    commands: Mapping[str, Sequence[str]],
    folder: Path,
    runs: int,
    prepare: Callable[[str], None] = lambda _name: None,
) -> dict[str, Figures]:
    """Run each command so often, alternating, after one run that warms the disk's cache.

    `prepare` is called before each run with the command's name.
    """
    taken: dict[str, list[Figures]] = {name: [] for name in commands}
    for _ in range(runs + 1):
        for name, command in commands.items():
            prepare(name)
            taken[name].append(run(command, folder))
    return {
        name: Figures(
            *(
                statistics.median(getattr(one, field) for one in figures[1:])
                for field in ("wall", "processor", "memory")
            )
        )
        for name, figures in taken.items()
    }


def run(command: Sequence[str], folder: Path) -> Figures:
    """Run a command once; what it prints and how it exits does not matter here."""
    start = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    if sys.platform == "win32":
        process.wait()
        return Figures(time.perf_counter() - start, 0.0, 0.0)
    _, _, usage = _wait(process.pid)
    unit = 1 if sys.platform == "darwin" else 1024
    return Figures(
        time.perf_counter() - start,
        usage.ru_utime + usage.ru_stime,
        usage.ru_maxrss * unit / (1 << 20),
    )


if sys.platform != "win32":

    def _wait(pid: int) -> tuple[int, int, resource.struct_rusage]:
        return os.wait4(pid, 0)
