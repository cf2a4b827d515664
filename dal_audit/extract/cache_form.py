"""The form of a kept file: what it is, what it hangs on, a checksum, and its payload."""

from __future__ import annotations

import zlib

TYPE_CHECKING = False
if TYPE_CHECKING:  # A run that prints the last report loads this module and little else.
    from collections.abc import Iterable

MAGIC = b"dal-audit facts\n"
KEY_BYTES = 32
SUM_BYTES = 4
HEAD = len(MAGIC) + KEY_BYTES + SUM_BYTES

SETTLED_NS = 2_000_000_000
"""A file changed so shortly before a run may change once more without a new stamp: file systems
count time in steps of up to two seconds (FAT). Nothing of it is kept."""


def head_of(key: bytes, payload: bytes | memoryview) -> bytes:
    """Return what stands before a payload that is kept under a key."""
    return head_before(key, [payload])


def head_before(key: bytes, pieces: Iterable[bytes | memoryview]) -> bytes:
    """Return what stands before a payload that comes in pieces."""
    checksum = 0
    for piece in pieces:
        checksum = zlib.crc32(piece, checksum)
    return MAGIC + key + checksum.to_bytes(SUM_BYTES, "big")


def payload_of(data: bytes, key: bytes) -> memoryview | None:
    """Return the payload of a whole file; None where it is none of ours, of another key, or cut."""
    payload = memoryview(data)[HEAD:]
    return payload if data[:HEAD] == head_of(key, payload) else None
