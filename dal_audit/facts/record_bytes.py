"""Parts of facts that are held as bytes: as objects of Python they take ten times the memory.

What is asked for seldom, or of one file after the other, is read back each time; what was read last
is at hand, as several rules in turn ask the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property, lru_cache
from typing import Any, Final, Generic, TypeVar

from msgspec.msgpack import Decoder, Encoder

Record = TypeVar("Record")

_AT_HAND: Final = 64
"""So many parts of a kind are held as objects."""

_ENCODER: Final = Encoder()


def packed(records: Iterable[Record]) -> bytes | tuple[Record, ...]:
    """Return records as bytes; empty for none.

    A text with lone surrogates, as an escape in a string can make them, is no MessagePack: where
    there is one, the records are returned as they are, so that nobody keeps them in a cache.
    """
    whole = tuple(records)
    try:
        return _ENCODER.encode(whole) if whole else b""
    except UnicodeEncodeError:
        return whole


class Unpacking(Generic[Record]):
    """Reads packed records of a kind."""

    def __init__(self, kind: Any) -> None:
        """Take the type of the records, as `msgspec` knows types."""
        self._kind = kind

    def __call__(self, data: bytes | tuple[Record, ...]) -> tuple[Record, ...]:
        """Return the records that were packed."""
        if not data:
            return ()
        return self._read(data) if isinstance(data, bytes) else data

    @cached_property
    def _read(self) -> Callable[[bytes], tuple[Record, ...]]:
        kind: Any = self._kind
        decode: Callable[[bytes], tuple[Record, ...]] = Decoder(tuple[kind, ...]).decode
        return lru_cache(_AT_HAND)(decode)
