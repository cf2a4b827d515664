"""What a file says about storage, in words that no language owns.

Facts are frozen, picklable and free of paths and policy: they follow from a file's bytes and the
catalogue in force alone, so equal bytes give equal facts and facts can be cached by content.
"""

from __future__ import annotations

import os
from typing import Final, TypeAlias

from msgspec import Struct


class FactRecord(Struct, frozen=True, array_like=True, gc=False):
    """A fact, or a part of one: immutable, and written to the cache as the list of its fields."""


class TaggedFact(FactRecord, frozen=True, tag=True, tag_field="variant"):
    """A record where others may stand, too: written with its name before its fields."""


class Span(FactRecord, frozen=True, order=True):
    """A stretch of source text.

    Lines are 1-based and end at LF, CR or CR LF; columns are 1-based and count UTF-16 code units,
    as SARIF's `utf16CodeUnits` and the Language Server Protocol do. The end column is exclusive.
    """

    line: int
    column: int
    end_line: int
    end_column: int


START: Final = Span(1, 1, 1, 1)
"""A file's first line, on which a pull request shows a finding about all of it."""


class Place(FactRecord, frozen=True, order=True):
    """A span in a file; the path is POSIX and relative to the project's root."""

    path: str
    span: Span


class Edit(FactRecord, frozen=True):
    """A change of a file's text: what to write in the place of a span, which may be empty."""

    span: Span
    text: str


FileStamp: TypeAlias = tuple[int, int, int, int]
"""Size in bytes, times of the last change of content and of status in nanoseconds, and inode: a
file whose stamp has not changed is taken to be the same."""


def stamp_of(status: os.stat_result) -> FileStamp:
    """Return a file's stamp."""
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino


class SourceFile(FactRecord, frozen=True):
    """A file to audit; `path` is POSIX and relative to the project's root, `size` is in bytes.

    `flaw` says why the file cannot be read, where that shows without reading it.
    """

    path: str
    absolute: str
    size: int
    flaw: str = ""
    stamp: FileStamp = (0, 0, 0, 0)
