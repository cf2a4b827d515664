"""A run of one reader over many inputs; what it reads follows from the seed."""

from __future__ import annotations

import random
from collections.abc import Callable

from msgspec import Struct

from tests.tools.fuzz.readers import Reader


class Failed(Struct, frozen=True):
    """An input that was neither read nor refused in words."""

    number: int
    data: bytes
    what: str


def fed(
    reader: Reader, count: int, seed: int, read: Callable[[bytes], None] | None = None
) -> tuple[list[Failed], int]:
    """Return the inputs that failed, and how many were refused."""
    found: list[Failed] = []
    refused = 0
    for number in range(count):
        data = reader.make(random.Random(f"{reader.name} {seed} {number}"))  # no secret
        try:
            (read or reader.read)(data)
        except reader.refusals:
            refused += 1
        except Exception as error:  # noqa: BLE001  # that is what is looked for
            found.append(Failed(number, data, f"{type(error).__name__}: {error}"[:300]))
    return found, refused
