"""The one way in which a file is written: beside its place, and then moved there, whole.

Whoever reads meanwhile, however full the disk is, whenever the process ends: the file is the old
one or the new one. Only what is no file (a terminal, a pipe) is written to as it is.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Final

MAX_NAME: Final = 40
"""So many letters of a name are in that of the file beside it: names have limits."""


def write_whole(file: Path, data: bytes, *, is_new: bool = False) -> None:
    """Write a file with the permissions of the one that it replaces; links to it stay links.

    `is_new` says that there must be none. Raises FileExistsError where there is one after all,
    OSError where it cannot be written: both name the file.
    """
    with named(file):
        status = _status(file)
        if status is not None and not stat.S_ISREG(status.st_mode):
            with file.open("wb") as stream:
                stream.write(data)
            return
        target = Path(os.path.realpath(file))
        beside = target.with_name(f".{target.name[:MAX_NAME]}.{os.urandom(6).hex()}.tmp")
        put(beside, target, [data], like=status, is_new=is_new, is_safe=True)


def put(
    beside: Path,
    target: Path,
    pieces: Iterable[bytes | memoryview],
    *,
    like: os.stat_result | None = None,
    is_new: bool = False,
    is_safe: bool = False,
) -> None:
    """Write a file beside its place, and move it there; nothing is left of one that fails.

    `is_safe` waits until the disk has it, so that not even a loss of power leaves half of it.
    """
    from dal_audit.disk.signals import heard_signals  # only where something is written

    with heard_signals():
        try:
            with _opened(beside, like) as stream:
                for piece in pieces:
                    stream.write(piece)
                stream.flush()
                if like is not None:
                    _resemble(beside, like)
                if is_safe:
                    os.fsync(stream.fileno())
            if is_new:
                _move_new(beside, target)
            else:
                beside.replace(target)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise


def _opened(file: Path, like: os.stat_result | None) -> BinaryIO:
    """Return a new file, open for writing; at no time may more people read it than the old one."""
    mode = 0o666 if like is None else stat.S_IMODE(like.st_mode)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    return os.fdopen(os.open(file, flags, mode | stat.S_IWUSR), "wb")


def _move_new(beside: Path, target: Path) -> None:
    """Move a file to where there is none. Raises FileExistsError."""
    try:
        os.link(beside, target)
    except FileExistsError:
        raise
    except OSError:  # A file system without hard links.
        if os.path.lexists(target):
            raise FileExistsError(target) from None
        beside.replace(target)
        return
    beside.unlink()


def _resemble(file: Path, like: os.stat_result) -> None:
    """Give a file the permissions of another, and its owner where one may."""
    file.chmod(stat.S_IMODE(like.st_mode))
    if hasattr(os, "chown") and (like.st_uid, like.st_gid) != (os.getuid(), os.getgid()):
        with contextlib.suppress(OSError):
            os.chown(file, like.st_uid, like.st_gid)


def _status(file: Path) -> os.stat_result | None:
    try:
        return file.stat()
    except FileNotFoundError:
        return None


@contextlib.contextmanager
def named(file: Path) -> Iterator[None]:
    """Let errors speak of a file, and not of the one beside it, or of none."""
    try:
        yield
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            raise
        what = error.strerror or str(error)
        raise type(error)(error.errno, what, str(file)) from error
