"""The work tree as git would record it, made without git's filters: they are programs.

An index and objects of our own, in a folder for the time of the comparison, stand beside those of
the repository, so that git compares two trees that it has and never opens a file.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Final

from msgspec import Struct

from dal_audit.discover.git_listing import holds_repository
from dal_audit.disk.scratch_folder import scratch_folder

_GITLINK: Final = "160000"
_LINK: Final = "120000"
_FILE: Final = "100644"
_SHA1: Final = 40
"""How many digits an id has in a repository of git's older object format."""

_IDENT: Final = re.compile(rb"\$Id:[^$\n]*\$")
"""What git's attribute `ident` makes of `$Id$` in the work tree."""

_STAMPED: Final = ("changed", "written", "inode", "size")
_DEBUG: Final = re.compile(
    r"(?P<path>[^\0]+)\0  ctime: (?P<changed>\d+:\d+)\n  mtime: (?P<written>\d+:\d+)\n"
    r"  dev: \d+\tino: (?P<inode>\d+)\n  uid: \d+\tgid: \d+\n  size: (?P<size>\d+)\tflags: \w+\n"
)

Ask = Callable[..., bytes]
"""Ask git; raises HistoryError where it does not answer."""


class IndexEntry(Struct, frozen=True):
    """What the index says of a path: `is_kept_out` by a sparse checkout, so absent from disk."""

    mode: str
    id: str
    path: str
    is_kept_out: bool = False


def object_id(kind: str, data: bytes, digits: int) -> str:
    """Return the id of an object, for a repository whose ids have so many digits."""
    made = hashlib.sha1 if digits == _SHA1 else hashlib.sha256
    return made(_object(kind, data), usedforsecurity=False).hexdigest()


def large_file_pointer(data: bytes) -> bytes:
    """Return what Git LFS records of a file in its stead (git-lfs, `docs/spec.md`)."""
    digest = hashlib.sha256(data).hexdigest()
    return (
        f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize {len(data)}\n"
    ).encode()


def _stamp_of(place: Path) -> tuple[str, ...]:
    """Return a file's stamp as git tells it; its numbers have 32 bits."""
    status = place.lstat()
    times = (f"{ns // 10**9}:{ns % 10**9}" for ns in (status.st_ctime_ns, status.st_mtime_ns))
    return (*times, str(status.st_ino & 0xFFFFFFFF), str(status.st_size & 0xFFFFFFFF))


def _object(kind: str, data: bytes) -> bytes:
    return f"{kind} {len(data)}".encode() + b"\0" + data


@contextmanager
def work_tree_index(
    ask: Ask, top: Path, is_wanted: Callable[[str], bool]
) -> Iterator[Mapping[str, str]]:
    """Lend the environment in which git's index is the work tree.

    Wanted files stand in it with their bytes; of the others it says only whether they are there.
    A file that differs from what the index has in its line ends only is as the index has it. Raises
    HistoryError where git does not answer, OSError where the folder cannot be written.
    """
    with scratch_folder() as kept:
        objects = kept / "objects"
        (objects / "info").mkdir(parents=True)
        place = os.fsdecode(ask("rev-parse", "--git-path", "objects")).removesuffix("\n")
        (objects / "info" / "alternates").write_bytes(os.fsencode(f"{top / place}\n"))
        environment = {
            "GIT_INDEX_FILE": str(kept / "index"),
            "GIT_OBJECT_DIRECTORY": str(objects),
        }
        tree = _WorkTree(ask, top, objects)
        present = filter(None, (tree.present(entry, is_wanted) for entry in _entries(ask)))
        lines = [os.fsencode(f"{entry.mode} {entry.id}\t{entry.path}\0") for entry in present]
        ask("update-index", "-z", "--index-info", given=b"".join(lines), environment=environment)
        yield environment


def submodules(ask: Ask) -> list[str]:
    """Return the folders of a repository's submodules. Raises HistoryError."""
    return [entry.path for entry in _entries(ask) if entry.mode == _GITLINK]


def _entries(ask: Ask) -> Iterator[IndexEntry]:
    """Yield the entries of the index, each path once: `tag mode id stage<TAB>path`."""
    last = ""
    for line in os.fsdecode(ask("ls-files", "-z", "-t", "--cached", "--stage")).split("\0"):
        described, _, path = line.partition("\t")
        if path and path != last:
            tag, mode, found, _ = described.split(" ")
            yield IndexEntry(mode, found, path, is_kept_out=tag == "S")
            last = path


class _WorkTree:
    """The files below a repository's top; what differs from the index goes into `objects`."""

    def __init__(self, ask: Ask, top: Path, objects: Path) -> None:
        self.ask = ask
        self.top = top
        self.objects = objects

    @cached_property
    def _stamps(self) -> dict[str, tuple[str, ...]]:
        r"""The stamps that files had when git last looked at them, by their paths.

        They are told as `path\0  ctime: …\n  mtime: …\n  dev: …\tino: …\n  uid: …\n  size: …\n`.
        """
        said = os.fsdecode(self.ask("ls-files", "-z", "--debug", "--cached"))
        return {found["path"]: found.group(*_STAMPED) for found in _DEBUG.finditer(said)}

    def present(self, entry: IndexEntry, is_wanted: Callable[[str], bool]) -> IndexEntry | None:
        """Return an entry as it is on disk; None where there is no such file any more."""
        place = self.top / entry.path
        try:
            kind = stat.S_IFMT(place.lstat().st_mode)
        except (FileNotFoundError, NotADirectoryError):
            return entry if entry.is_kept_out else None
        except OSError:
            return entry  # That it cannot be looked at is a finding.
        if entry.mode == _GITLINK:
            return self._submodule(entry, place)
        if kind not in {stat.S_IFREG, stat.S_IFLNK}:
            return None
        return (
            self._file(entry, place, is_link=kind == stat.S_IFLNK)
            if is_wanted(entry.path)
            else entry
        )

    def _submodule(self, entry: IndexEntry, place: Path) -> IndexEntry:
        """Return the commit that a submodule is at; the index's where none is checked out."""
        if not holds_repository(place):
            return entry
        words = ("rev-parse", "--verify", "--end-of-options", "HEAD^{commit}")
        found = self.ask(*words, top=place).decode("ascii").strip()
        return IndexEntry(entry.mode, found, entry.path)

    def _file(self, entry: IndexEntry, place: Path, *, is_link: bool) -> IndexEntry:
        try:
            data = os.fsencode(place.readlink()) if is_link else place.read_bytes()
        except OSError:
            return entry  # That it cannot be read is a finding.
        was_link = entry.mode == _LINK
        if is_link == was_link and entry.id in self._ids(data, len(entry.id), is_link=is_link):
            return entry
        if self._stamps.get(entry.path) == _stamp_of(place):
            return entry  # Some other filter made the index's bytes of these: git trusts the stamp.
        mode = _LINK if is_link else (_FILE if was_link else entry.mode)
        return IndexEntry(mode, self._kept(data, len(entry.id)), entry.path)

    def _ids(self, data: bytes, digits: int, *, is_link: bool) -> Iterator[str]:
        """Yield the ids that a file can have in the index: by line ends, by `ident`, by LFS."""
        yield object_id("blob", data, digits)
        plain = _IDENT.sub(b"$Id$", data.replace(b"\r\n", b"\n"))
        if not is_link and plain != data:
            yield object_id("blob", plain, digits)
        if not is_link:
            yield object_id("blob", large_file_pointer(data), digits)

    def _kept(self, data: bytes, digits: int) -> str:
        """Put a file among our own objects; return its id."""
        name = object_id("blob", data, digits)
        file = self.objects / name[:2] / name[2:]
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(zlib.compress(_object("blob", data), 1))
        return name
