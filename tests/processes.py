"""Waiting for other processes, as patiently as the busiest machine may need."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

import pytest

HANGING: Final = 900
"""Seconds after which a process that never ends is ended; it measures nothing."""

_PAUSE: Final = 0.02


def wait_until(holds: Callable[[], object]) -> None:
    """Wait for something to become true; fail where it never does."""
    for _ in range(int(HANGING / _PAUSE)):
        if holds():
            return
        time.sleep(_PAUSE)
    pytest.fail("it never came true")
