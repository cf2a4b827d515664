"""What is quoted of sources: no password in it, whatever says it."""

from __future__ import annotations

import re
from typing import Final

from dal_audit.extract.masks import HIDDEN


def starred(text: str, *, is_program: bool) -> str:
    """Return a text that is written out with a star for each letter of a password."""
    plain = text.lower()
    if not any(mark in plain for mark in _MARKS) or _LIKELY.search(text) is None:
        return text
    from dal_audit.extract.secrets import without_secrets  # secrets are rare

    return without_secrets(text, is_program=is_program)


_MARKS: Final = ("://", "pass", "pwd", "identified", "key", HIDDEN)
_LIKELY: Final = re.compile(
    rf"://|passw|passphrase|_pass|pass['\"]|pwd|identified|key\s*[=('\"]|{HIDDEN}", re.IGNORECASE
)
"""A text without any of these quotes no password. Few hold what they begin with, which is told in a
sixth of the time."""
