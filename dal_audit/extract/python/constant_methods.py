"""Methods and functions of the standard library that make one constant text of another.

All are pure and documented in the library reference ("Text Sequence Type", "Binary Sequence Types",
base64). Bytes are held as the Latin-1 text of the same values.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from dal_audit.extract.python.spelled_text import replaced, respelled


def _placed(function: Callable[..., str], text: str, *arguments: str) -> str:
    """Return what a function leaves of a text, with the places of that."""
    return respelled(function(text, *arguments), text)


def _dedented(text: str) -> str:
    import textwrap  # only where it is called

    return textwrap.dedent(text)


def _cleaned(text: str) -> str:
    import inspect  # only where it is called

    return inspect.cleandoc(text)


METHODS: Final[Mapping[str, Callable[..., str]]] = {
    name: partial(_placed, getattr(str, name))
    for name in (
        *("casefold", "lower", "upper", "swapcase", "capitalize", "title"),
        *("strip", "lstrip", "rstrip", "removeprefix", "removesuffix"),
    )
} | {"replace": replaced}
"""What a method makes of its text and of arguments that are texts."""

FUNCTIONS: Final[Mapping[str, Callable[..., str]]] = {
    "builtins.compile": lambda source, *_: source,
    "builtins.str": lambda source, encoding="latin-1", *_: decoded(source, encoding),
    "sys.intern": lambda text: text,
    "inspect.cleandoc": partial(_placed, _cleaned),
    "textwrap.dedent": partial(_placed, _dedented),
    "string.Template": lambda text, *_: text,
}
"""What a function makes of its first argument, which may be bytes, and of further texts.

What `compile` makes is run as its text would be; a template stands for its text."""

KEEP_HOLES: Final = frozenset(
    {*METHODS.values(), FUNCTIONS["inspect.cleandoc"], FUNCTIONS["textwrap.dedent"]}
)
"""Those that leave alone what is not known of a text."""

OF_BYTES: Final[Mapping[str, Callable[..., str]]] = {
    "builtins.bytes": lambda text, encoding="utf-8", *_: encoded(text, encoding),
    "builtins.bytes.fromhex": lambda text: bytes.fromhex(text).decode("latin-1"),
    "binascii.unhexlify": lambda text: bytes.fromhex(text).decode("latin-1"),
    "base64.b64decode": lambda text, *_: base64.b64decode(text).decode("latin-1"),
}
"""The same for functions that make bytes."""


def decoded(data: str, encoding: str = "utf-8", *_: str) -> str:
    """Return the text that bytes are in an encoding."""
    return data.encode("latin-1").decode(encoding)


def encoded(text: str, encoding: str = "utf-8", *_: str) -> str:
    """Return a text's bytes in an encoding."""
    return text.encode(encoding).decode("latin-1")


def applied(function: Callable[..., str], *texts: str) -> str | None:
    """Return what a function makes of texts; None where it would raise."""
    try:
        return function(*texts)
    except (LookupError, TypeError, ValueError):  # A UnicodeError is a ValueError.
        return None
