"""Folders for the time of a run: texts that are not saved, and what git is to compare.

They hold parts of the audited project, and so none stays: where a process was killed, the next one
removes what it left.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from dal_audit.disk.signals import heard_signals

_PREFIX: Final = "dal-audit-"
_OWN: Final = re.compile(rf"{_PREFIX}(\d+)-\w+")


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Lend a folder that only this user can read. Raises OSError where there is no room for one."""
    _clear()
    with (
        heard_signals(),
        tempfile.TemporaryDirectory(prefix=own_prefix()) as folder,
    ):
        yield Path(folder)


def own_prefix() -> str:
    """Return how the names of this process's folders begin, so that the next one knows them."""
    return f"{_PREFIX}{os.getpid()}-"


def _clear() -> None:
    """Remove the folders of processes that are gone."""
    if os.name == "nt":
        return  # There one cannot ask for a process without ending it.
    with os.scandir(tempfile.gettempdir()) as listed:
        entries = [(entry.path, _OWN.fullmatch(entry.name)) for entry in listed]
    for path, found in entries:
        if found is not None and not _runs(int(found[1])) and _is_ours(path):
            shutil.rmtree(path, ignore_errors=True)


def _runs(process: int) -> bool:
    """Return whether a process runs, or may run."""
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        pass
    return True


def _is_ours(path: str) -> bool:
    try:
        status = os.lstat(path)
    except OSError:
        return False
    return status.st_uid == os.getuid() and not os.path.islink(path)  # noqa: PTH114  # a string
