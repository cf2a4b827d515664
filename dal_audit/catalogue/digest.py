"""The hash by which one text is told from another."""

from __future__ import annotations

try:
    # `hashlib` loads OpenSSL, which takes longer than to hash all that a start hashes.
    from _sha2 import sha256 as _sha256  # type: ignore[import-not-found]  # Python's, since 3.12
except ImportError:
    from hashlib import sha256 as _sha256


def sha256(data: bytes) -> bytes:
    """Return the hash of some bytes; of many megabytes, `hashlib` makes it faster."""
    result: bytes = _sha256(data).digest()
    return result
