"""What stands in facts in the place of a password."""

from __future__ import annotations

from typing import Final

HIDDEN: Final = "\x7f"
"""A letter that no source has in its texts: what a fact holds for each letter of a password in a
program. It is ASCII, as a literal of bytes must be, and no word that documents put there."""

WORD: Final = "x"
NUMBER: Final = "1"


def mask_of(secret: str, *, is_program: bool) -> str:
    """Return what is read in a password's place: as many UTF-16 units on as many lines."""
    mark = HIDDEN if is_program else NUMBER if secret.isdigit() else WORD
    return "".join(
        letter if letter in "\r\n" else mark * (1 + (letter > "\uffff")) for letter in secret
    )
