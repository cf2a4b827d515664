"""What the last run with the same words printed, for as long as nothing changed that it rests on.

A run keeps its report beside the facts, with the stamps of all places that decided it (`sweep`).
The next one compares these stamps, prints the same bytes and ends with the same code; it loads
nothing else. Where anything differs, or is so young that it could change unseen, it audits.

What is kept is read by counts and nothing in it is run; whatever is wrong with it, it is as if it
were not there. Only this user's file counts, in the folder that holds the project.
"""

from __future__ import annotations

import os
import stat
import struct
import sys
from time import localtime, time_ns

from dal_audit.extract.cache_form import HEAD, SETTLED_NS, payload_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Final

    from dal_audit.discover.projects import ProjectScope
    from dal_audit.discover.stamps import Looked
    from dal_audit.discover.sweep import Places

ENVIRONMENT: Final = (
    *("COLUMNS", "FORCE_COLOR", "GHOSTTY_RESOURCES_DIR", "HOME", "KITTY_WINDOW_ID"),
    *("KONSOLE_VERSION", "NO_COLOR", "PATH", "TERM", "TERM_PROGRAM", "VTE_VERSION", "WT_SESSION"),
    *("SOURCE_DATE_EPOCH", "XDG_CONFIG_HOME"),
)
"""The variables that a report may hang on, with all that begin with `GIT_`."""

MAX_BYTES: Final = 64 << 20
"""A larger file is neither written nor read."""

MOST_KEPT: Final = 8
"""So many reports are kept in a folder: one for each usual way to call the program."""

_COUNT: Final = struct.Struct("<q")
_FIVE: Final = struct.Struct("<5q")


class Rerun:
    """One run's words and surroundings, as a run that may print what an earlier one did."""

    def __init__(self, words: Sequence[str]) -> None:
        """Take down what else decides what is printed. `words` are those of the command line."""
        self.words = tuple(words)
        self.begun = time_ns()
        self.folder = os.getcwd()  # noqa: PTH109  # no pathlib at the start
        self.key = self._key()
        self.name = f"{self.key[:8].hex()}.report"
        self.looked: Looked | None = None
        """What was looked at, where a report was kept."""

    def _key(self) -> bytes:
        from dal_audit.catalogue.digest import sha256

        said = [*surroundings(self.folder), repr(self.words), *_terminal()]
        return sha256("\0".join(said).encode(errors="surrogateescape"))

    def printed(self) -> tuple[int, bytes] | None:
        """Return the exit code and what was printed before, where nothing changed since."""
        folder = self.folder
        while True:
            kept = self._kept(folder)
            above = os.path.dirname(folder)  # noqa: PTH120
            if kept is not None or above == folder:
                return kept
            folder = above

    def _kept(self, root: str) -> tuple[int, bytes] | None:
        """Return what is kept in a project's root, where it still holds."""
        from dal_audit.discover.cache_folder import CACHE

        data = own_bytes(f"{root.rstrip('/')}/{CACHE}", self.name)
        kept = decoded(data, self.key)
        if kept is None or kept[1] != os.fsencode(root):
            return None
        code, _, printed, places, known = kept
        from dal_audit.discover.stamps import Looked, are_as_before

        looked = self.looked = Looked(root)
        descriptor = os.open(root, os.O_RDONLY)
        try:
            is_same = are_as_before(os.fsdecode(places).split("\0"), known, descriptor, looked)
        finally:
            os.close(descriptor)
        return (code, printed) if is_same else None

    def keep(self, swept: Swept, code: int, printed: bytes) -> None:
        """Keep what a run printed; a failure to write is none of the audit.

        Nothing is kept where something is as young as the run.
        """
        from pathlib import Path

        from dal_audit.discover.stamps import latest, with_others
        from dal_audit.discover.sweep import places_named

        root = swept.root
        named = places_named(Path(root), swept.requested, self.words, Path(self.folder))
        # The root itself is among the folders that were swept.
        further = list(dict.fromkeys(named).keys() - {*swept.places, root})
        found = swept.stamps + stamps_in(root, further)
        if latest(with_others(found, sorted(swept.settled))) < self.begun - SETTLED_NS:
            names = os.fsencode("\0".join((*swept.places, *further)))
            blocks = (os.fsencode(root), printed, names, found)
            self._write(swept.folder, encoded(code, blocks))

    def _write(self, folder: str, payload: bytes) -> None:
        write_kept(folder, self.name, self.key, [payload], self.begun)


def surroundings(folder: str) -> list[str]:
    """Return what results hang on beside files: installation, folder, day, user, environment."""
    from dal_audit.catalogue.installation import installation

    said = [*installation(), folder, *map(str, localtime()[:3]), str(os.geteuid())]
    said += [
        f"{name}={value}"
        for name, value in sorted(os.environ.items())
        if name in ENVIRONMENT or name.startswith("GIT_")
    ]
    return said


class Swept:
    """The places that a report hangs on, with their stamps, in the order of `sweep.Places`.

    `requested` are the paths that were asked for, relative to the `root`; the cache is in `folder`.
    """

    def __init__(
        self, root: str, requested: Sequence[str], places: Sequence[str], stamps: bytes
    ) -> None:
        """Take what was seen."""
        from dal_audit.discover.cache_folder import CACHE

        self.root = root
        self.folder = f"{root.rstrip('/')}/{CACHE}"
        self.requested = requested
        self.places = places
        self.stamps = stamps
        self.settled: frozenset[int] = frozenset()
        """The places that were looked at once more since, by their numbers."""


def swept(scope: ProjectScope) -> tuple[Swept, Places] | None:
    """Look at the places that a report of a project hangs on.

    None where git tracks the folder of the cache, and where a link leads to a folder.
    """
    from dal_audit.discover.cache_folder import CACHE
    from dal_audit.discover.sweep import MAX_PLACES, places_of

    root = str(scope.policy.root)
    folder = f"{root.rstrip('/')}/{CACHE}"
    is_ours = os.path.isdir(folder) and not os.path.islink(folder)  # noqa: PTH112, PTH114
    if not is_ours or any(path.startswith(CACHE) for path in scope.listed):
        return None
    places = places_of(scope)
    known = [] if places is None else places.all()
    if places is None or len(known) > MAX_PLACES:
        return None
    return Swept(root, scope.requested, known, stamps_in(root, known)), places


def stamps_in(root: str, places: Sequence[str]) -> bytes:
    """Return the stamps of places, of which relative ones count from a folder."""
    from dal_audit.discover.stamps import stamps

    descriptor = os.open(root, os.O_RDONLY)
    try:
        return stamps(places, descriptor)
    finally:
        os.close(descriptor)


def write_kept(
    folder: str, name: str, key: bytes, payload: Sequence[bytes | memoryview], begun: int
) -> None:
    """Write what is kept under a key, in pieces, and remove the oldest of its kind."""
    if sum(map(len, payload)) > MAX_BYTES:
        return
    import contextlib
    from pathlib import Path

    from dal_audit.extract.cache_file import write_cache

    with contextlib.suppress(OSError):
        file = Path(folder) / name
        write_cache(file, key, payload, begun)
        kept = Path(folder).glob(f"*{file.suffix}")
        newest = sorted(kept, key=lambda file: file.lstat().st_mtime_ns, reverse=True)
        for file in newest[MOST_KEPT:]:
            file.unlink()


def _terminal() -> tuple[str, ...]:
    """Return what standard output is, as far as a report depends on it."""
    if sys.stdout is None or not sys.stdout.isatty():
        return (getattr(sys.stdout, "encoding", None) or "",)
    try:
        columns = os.get_terminal_size(sys.stdout.fileno()).columns
    except (OSError, ValueError):
        columns = 0
    return sys.stdout.encoding, "terminal", str(columns)


def own_bytes(folder: str, name: str) -> bytes:
    """Return what this user's file in a folder holds; nothing where it is no such file."""
    try:
        if not stat.S_ISDIR(os.lstat(folder).st_mode):
            return b""
        descriptor = os.open(f"{folder}/{name}", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return b""
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        status = os.fstat(descriptor)
        is_own = stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid()
        return file.read(MAX_BYTES) if is_own and status.st_size <= MAX_BYTES else b""


def encoded(code: int, blocks: Sequence[bytes]) -> bytes:
    """Return what is kept: an exit code, the root, what was printed, the places, their stamps."""
    sizes = (len(block) for block in blocks)
    return b"".join((*map(_COUNT.pack, (code, *sizes)), *blocks))


def decoded(data: bytes, key: bytes) -> tuple[int, bytes, bytes, bytes, bytes] | None:
    """Return the code, the root, what was printed, the places and their stamps; None for others."""
    payload = payload_of(data, key)
    start = HEAD + _FIVE.size
    if payload is None or len(data) < start:
        return None
    code, *sizes = _FIVE.unpack_from(data, HEAD)
    if min(sizes) < 0 or start + sum(sizes) != len(data):
        return None
    blocks = []
    for size in sizes:
        blocks.append(data[start : start + size])
        start += size
    return code, blocks[0], blocks[1], blocks[2], blocks[3]
