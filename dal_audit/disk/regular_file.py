"""Reading of files that somebody names: a pipe or a device may never come to an end."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

MAX_BYTES: Final = 256 << 20
"""Larger files are not read into memory."""


def read_regular(file: Path) -> bytes:
    """Return a file's bytes. Raises OSError, also for what is no regular file or far too large.

    It is opened without waiting for whoever would write into a pipe.
    """
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    with os.fdopen(os.open(file, flags), "rb") as stream:
        status = os.fstat(stream.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise OSError(None, "not a regular file", str(file))
        if status.st_size > MAX_BYTES:
            raise OSError(None, f"larger than {MAX_BYTES >> 20} MiB", str(file))
        return stream.read()
