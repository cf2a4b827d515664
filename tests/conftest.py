"""What all tests share: a PostgreSQL that starts when a test asks for it, and hypothesis' settings."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from dal_audit.extract.parallel import available_cores

settings.register_profile(
    "tests",
    deadline=None,  # A busy machine is no fault of the code.
    derandomize=True,  # Two runs of one tree draw the same.
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("tests")

# What LibCST does not bear out ends an audit, in the commands that tests start, too.
os.environ["DAL_AUDIT_STRICT"] = "1"


def pytest_configure(config: pytest.Config) -> None:
    """Hear Ctrl-C, as all do that the tests start and interrupt: a shell's background ignores it.

    So does `nohup` with the end of a terminal: that is heard by those alone that the tests start.
    Workers have it from the process that starts them.
    """
    if hasattr(config, "workerinput"):
        return
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if sys.platform != "win32" and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, lambda *_: None)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Return how many processes test side by side: one more than cores, as some await a clock."""
    return available_cores() + 1


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """Return the URL of a PostgreSQL server, which ends with this process."""
    from tests.engines.leash import leashed  # Not every system that runs tests has its packages.

    with leashed() as url:
        yield url
