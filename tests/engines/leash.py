"""A PostgreSQL for tests, which ends with the process that asked for it, however that ends.

`leashed` starts this module as a process of its own, which starts the server. Its standard input is
the leash: the other end closes when the tests end, be it by SIGKILL. A process that the tests had
forked may hold that end a while longer, so the number of the parent is looked at, too. Then the
server is stopped, and its folder is removed.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from dal_audit.replay import server_process

SECONDS: Final = 0.5
"""How often the parent is looked for."""


def main() -> None:
    """Start a server, say its URL, and keep it until the leash is let go."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # The end of the input is the one signal to leave.
    parent = os.getppid()
    with server_process.own_server() as url:
        print(url, flush=True)
        while os.getppid() == parent and not select.select([sys.stdin], [], [], SECONDS)[0]:
            pass


@contextmanager
def leashed() -> Iterator[str]:
    """Lend a server's URL. Raises RuntimeError where it does not start."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.engines.leash"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # A terminal's Ctrl-C is not for it.
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        if not url:
            raise RuntimeError("PostgreSQL does not start: what it says stands above")
        yield url


if __name__ == "__main__":
    main()
