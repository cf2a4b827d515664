"""Where bytes compare the name of an object's class, which tells one backend from another."""

from __future__ import annotations

import re
from typing import Final

NAME_MARKS: Final = (b"__name__", b"__qualname__")
"""The byte strings without which no class is told by its name."""

_OF_CLASS: Final = re.compile(rb"(?:\)|__class__)[\s\\]*\.[\s\\]*\Z")
_OPERATOR: Final = rb"(?:[=!<>]=|[<>]|\b(?:in|is|not)\b)"
_COMPARED: Final = re.compile(rb"[\s\\)]*(?::|" + _OPERATOR + rb")")
"""What follows a name that is compared, or that `match` looks at."""
_COMPARING: Final = re.compile(_OPERATOR + rb"[^:;={}]*\Z")
"""What stands before a name that something is compared with."""
MAX_RECEIVER: Final = 400
"""How many bytes back the operator before `type(x).__name__` is looked for."""


def compares_class_name(data: bytes, start: int, end: int) -> bool:
    """Return whether one of the marks is the name of an object's class, and may be compared.

    In a message (`f"{type(x).__name__} is odd"`) it tells nothing apart.
    """
    before = data[max(start - MAX_RECEIVER, 0) : start]
    if _OF_CLASS.search(before[-40:]) is None:
        return False
    return _COMPARED.match(data, end) is not None or _COMPARING.search(before) is not None
