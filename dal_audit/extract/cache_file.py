"""The file that a cache is kept in: written whole, and removed only where it is our own."""

from __future__ import annotations

import contextlib
import os
import re
import stat
from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from typing import Final

from dal_audit.disk.whole_file import put
from dal_audit.extract.cache_form import MAGIC, head_before

STALE_NS: Final = 3600 * 1_000_000_000
"""What a killed process left half written is removed after this time."""


_MARKS: Final = {
    ".gitignore": "*\n",
    "CACHEDIR.TAG": "Signature: 8a477f597d28d172789f06886806bc55\n",
}
"""How git and backup programs know that a folder is a cache (bford.info/cachedir)."""


FILE: Final = "facts"
"""The name of the cache in a project's own folder."""


_OWN: Final = re.compile(
    rf"{FILE}|[0-9a-f]{{16}}\.(?:facts|report|audit)|(?:{FILE}|[0-9a-f]{{16}})-\d+\.tmp"
)
"""How the files of caches are called, in a project's own folder and in one of several; also those
of kept reports and results."""


def make_folder(folder: Path) -> None:
    """Make a folder for caches, with the marks of one, where there is none. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in _MARKS.items():
        if not os.path.lexists(folder / name):
            with (folder / name).open("x", encoding="utf-8") as mark:
                mark.write(text)


def write_cache(place: Path, key: bytes, payload: Iterable[bytes | memoryview], now: int) -> None:
    """Put a cache in its place, whole; remove what a killed process left there half written.

    The payload comes in pieces, which are gone through twice. No link is followed below the folder.
    Raises OSError where that cannot be done.
    """
    folder = place.parent
    make_folder(folder)
    for left in folder.glob("*.tmp"):
        if left.lstat().st_mtime_ns < now - STALE_NS and _is_own(left):
            left.unlink(missing_ok=True)
    written = folder / f"{place.stem}-{os.getpid()}.tmp"
    if _is_own(written):
        written.unlink()
    put(written, place, chain([head_before(key, payload)], payload))


def remove_cache(folder: Path) -> tuple[int, int]:
    """Remove the caches in a folder, and the folder where nothing else is in it.

    Return how many files they were, and how many bytes.

    Raises OSError where that cannot be done.
    """
    if folder.is_symlink() or not folder.is_dir():
        return 0, 0
    own = [path for path in folder.iterdir() if _is_own(path)]
    marks = [path for path in folder.iterdir() if _is_mark(path)]
    size = sum(path.lstat().st_size for path in own)
    for path in (*own, *marks):
        path.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        folder.rmdir()
    return len(own), size


def _is_own(path: Path) -> bool:
    """Return whether a file is a cache, or the beginning of one: by its name and by its bytes."""
    if not _OWN.fullmatch(path.name):
        return False
    head = _head(path, len(MAGIC))
    return head is not None and MAGIC.startswith(head)


def _is_mark(path: Path) -> bool:
    text = _MARKS.get(path.name)
    return text is not None and _head(path, len(text) + 1) == text.encode()


def _head(path: Path, count: int) -> bytes | None:
    """Return the first bytes of a file; None where it is a link, or no file."""
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return None
        with path.open("rb") as file:
            return file.read(count)
    except OSError:
        return None
