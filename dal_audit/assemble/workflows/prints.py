"""Commands that write to the log what a variable holds."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from dal_audit.facts.ci import CiCommand

_NAME: Final = re.compile(r"\$\{?([A-Za-z_]\w*)|\benv\.([A-Za-z_]\w*)|\$env:([A-Za-z_]\w*)")
_LISTS: Final = frozenset({"env", "printenv"})
_WRITES: Final = frozenset({"echo", "logger", "printenv", "printf", "Write-Host", "Write-Output"})
_QUIET: Final = frozenset({"grep", "wc", "cut", "sha256sum", "md5sum", "psql", "xargs", "base64"})
_MASKS: Final = re.compile(r"::add-mask::|##vso\[")
_ALTERED: Final = re.compile(r"\$\{\w+(?:[#%/:^,]|@)[^}]*\}")


def print_of(
    command: CiCommand, following: Sequence[CiCommand], *, traced: bool
) -> tuple[tuple[str, ...], bool, str] | None:
    """Return the variables that a command prints, whether it prints all, and its text.

    Under `set -x` any command prints what it is called with. None for one that prints nothing.
    """
    words = command.words
    if not words or _is_kept(command, following):
        return None
    if _lists_all(command):
        return (), True, ""
    if any(map(_MASKS.search, words)) or not (traced or words[0] in _WRITES):
        return None
    if words[0] == "printenv":
        return tuple(words[1:]), False, ""
    text = " ".join(_ALTERED.sub("", word) for word in words[1:])
    return _names_in(text), False, text


def _names_in(text: str) -> tuple[str, ...]:
    """Return the variables whose values a text shows, each once."""
    names = (found[1] or found[2] or found[3] for found in _NAME.finditer(text))
    return tuple(dict.fromkeys(names))


def _is_kept(command: CiCommand, following: Sequence[CiCommand]) -> bool:
    """Return whether what a command prints goes into a file, or to another program."""
    if command.output and not command.output.startswith(("/dev/stdout", "/dev/stderr", "&")):
        return True
    if command.then != "|" or not following:
        return False
    first = following[0].words[:1]
    return bool(first) and (first[0] in _QUIET or "GITHUB_" in " ".join(following[0].words))


def _lists_all(command: CiCommand) -> bool:
    words = command.words
    if words[0] in _LISTS:
        return len(words) == 1 or words[1:] == ("-0",)
    return words[:2] in {("export", "-p"), ("declare", "-x"), ("declare", "-p")} or words == (
        "set",
    )
