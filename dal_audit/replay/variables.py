"""Variables of the environment that a project's interpreter is handed, and whose values are hidden.

They are named one by one, or stand in a file of lines `NAME=VALUE`. Whatever the interpreter says,
no value of them is shown: they hold secrets.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias

from dal_audit.discover.errors import UsageError

Variables: TypeAlias = tuple[tuple[str, str], ...]
"""Names with their values, each name once."""

MASK: Final = "***"
_NAME: Final = re.compile(r"[A-Za-z_]\w*\Z")
_SHORTEST: Final = 4
"""How long a value is that is hidden: shorter ones hide nothing, and stand in every text."""


def variables_of(words: Sequence[str], file: Path | None) -> Variables:
    """Return the variables that options name; those in words count more than those in a file.

    `NAME` alone takes the value that this process has. Raises UsageError for what is no variable;
    the message holds no value.
    """
    found = dict(_in_file(file)) if file is not None else {}
    for word in words:
        name, equals, value = word.partition("=")
        if not _NAME.match(name):
            raise UsageError("error: `--env` takes NAME=VALUE, or NAME for a variable that is set")
        if not equals and name not in os.environ:
            raise UsageError(f"error: `--env {name}`: no variable of this name is set")
        found[name] = value if equals else os.environ[name]
    return tuple(found.items())


def _in_file(file: Path) -> Iterator[tuple[str, str]]:
    try:
        lines = file.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise UsageError(f"error: `{file}` cannot be read as a file of variables") from None
    for number, line in enumerate(lines, 1):
        said = line.strip().removeprefix("export ").strip()
        if not said or said.startswith("#"):
            continue
        name, equals, value = said.partition("=")
        if not equals or not _NAME.match(name.strip()):
            raise UsageError(f"error: `{file}`, line {number}: NAME=VALUE was expected")
        yield name.strip(), _unquoted(value.strip())


def _unquoted(value: str) -> str:
    """Return a value without the quotes around it."""
    is_quoted = len(value) > 1 and value[0] == value[-1] and value[0] in {'"', "'"}
    return value[1:-1] if is_quoted else value


def masked(said: Any, values: Iterable[str]) -> Any:  # whatever JSON holds
    """Return what a program says with a mask for each value in it, but in its paths."""
    if isinstance(said, str):
        for value in sorted(values, key=len, reverse=True):
            if len(value) >= _SHORTEST:
                said = said.replace(value, MASK)
        return said
    if isinstance(said, list):
        return [masked(member, values) for member in said]
    if isinstance(said, dict):
        return {key: own if key == "path" else masked(own, values) for key, own in said.items()}
    return said
