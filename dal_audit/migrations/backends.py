"""Which backend a set or a file is meant for, by how it is named."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from dal_audit.catalogue.engine_words import ENGINE_WORDS, engine_of, engines_in

_WORD: Final = re.compile(r"[A-Za-z0-9]+")


def backend_of_folder(folder: str) -> str:
    """Return the backend that a folder is named after, or the nearest one around it.

    Empty where there is none, or where a name speaks of several.
    """
    for component in reversed(folder.split("/")):
        found = engines_in(component)
        if found:
            return next(iter(found)) if len(found) == 1 else ""
    return ""


def neutral_folder(folder: str) -> str:
    """Return a folder with the names of backends taken out: equal for sets that are paired."""
    return "/".join(map(_neutral, folder.split("/")))


def _neutral(component: str) -> str:
    def word(found: re.Match[str]) -> str:
        text = found[0].lower()
        if text in ENGINE_WORDS:
            return "*"
        return "*" if engines_in(text) else text

    return _WORD.sub(word, component) if engines_in(component) else component


def split_backend(parts: Sequence[str]) -> tuple[list[str], str]:
    """Take the name of a backend from a file name's parts between dots, wherever it stands."""
    for index in range(len(parts) - 1, -1, -1):
        backend = engine_of(parts[index])
        if backend and len(parts) > 1:
            return [*parts[:index], *parts[index + 1 :]], backend
    return list(parts), ""
