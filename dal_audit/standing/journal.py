"""Changes of dictionaries that can be taken back: so a run on a schema needs no copy of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

UNKNOWN: Final = object()
"""What stands for a key that a dictionary lacks."""


class Journal:
    """Writes to dictionaries, and keeps what stood there before."""

    __slots__ = ("_entries",)

    def __init__(self) -> None:
        """Begin with nothing written."""
        self._entries: list[tuple[dict[Any, Any], Any, Any]] = []

    @property
    def mark(self) -> int:
        """The present point, for going back to."""
        return len(self._entries)

    def put(self, mapping: dict[Any, Any], key: Any, value: Any) -> None:
        """Set a key of a dictionary."""
        self._entries.append((mapping, key, mapping.get(key, UNKNOWN)))
        mapping[key] = value

    def remove(self, mapping: dict[Any, Any], key: Any) -> None:
        """Take a key out of a dictionary, where it has it."""
        if key in mapping:
            self._entries.append((mapping, key, mapping.pop(key)))

    def back_to(self, mark: int) -> None:
        """Undo all that was written after a point."""
        while len(self._entries) > mark:
            mapping, key, old = self._entries.pop()
            if old is UNKNOWN:
                mapping.pop(key, None)
            else:
                mapping[key] = old

    def since(self, mark: int) -> Iterator[tuple[dict[Any, Any], Any, Any]]:
        """Yield what was written after a point: each dictionary and key once, and what stood there.

        They come in the order in which they were written first.
        """
        seen: set[tuple[int, Any]] = set()
        for mapping, key, old in self._entries[mark:]:
            if (id(mapping), key) not in seen:
                seen.add((id(mapping), key))
                yield mapping, key, old

    def forget(self) -> None:
        """Keep all that was written for good."""
        self._entries.clear()
