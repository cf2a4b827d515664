"""Changes of dictionaries that can be taken back: so a run on a schema needs no copy of it."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

UNKNOWN: Final = object()
"""What stands for a key that a dictionary lacks."""


class Write(NamedTuple):
    """A key of a dictionary that was written, what stood there, and what stands there since.

    `UNKNOWN` stands for nothing; `step` numbers the statement that wrote it. What `is_assumed` was
    not made then, but seen to have stood before.
    """

    mapping: dict[Any, Any]
    key: Any
    old: Any
    new: Any
    step: int
    is_assumed: bool = False


_tuple: Final = tuple.__new__


class Journal:
    """Writes to dictionaries, and keeps what stood there before.

    `step` is noted with what is written: the number of the statement that is being run.
    """

    __slots__ = ("step", "writes")

    def __init__(self) -> None:
        """Begin with nothing written."""
        self.writes: list[Write] = []
        self.step = 0

    @property
    def savepoint(self) -> int:
        """The present point, for going back to."""
        return len(self.writes)

    def write(
        self, mapping: dict[Any, Any], key: Any, value: Any, *, is_assumed: bool = False
    ) -> None:
        """Set a key of a dictionary."""
        old = mapping.get(key, UNKNOWN)
        # By `tuple` itself, for no other is made so often.
        self.writes.append(_tuple(Write, (mapping, key, old, value, self.step, is_assumed)))
        mapping[key] = value

    def remove(self, mapping: dict[Any, Any], key: Any) -> None:
        """Take a key out of a dictionary, where it has it."""
        if key in mapping:
            self.writes.append(Write(mapping, key, mapping.pop(key), UNKNOWN, self.step))

    def roll_back(self, savepoint: int) -> None:
        """Undo all that was written after a point."""
        while len(self.writes) > savepoint:
            write = self.writes.pop()
            if write.old is UNKNOWN:
                write.mapping.pop(write.key, None)
            else:
                write.mapping[write.key] = write.old

    def clear(self) -> None:
        """Keep all that was written for good."""
        self.writes.clear()
