"""Where migrations lie, as far as paths say: all that a project without any is asked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Final

_HOME: Final = (
    r"(?:\A|[^a-z])(?:migrat\w*|versions|versioned|deltas?|changelogs?|evolutions)(?:\Z|[^a-z])"
)
"""Words in the names of folders that hold migrations of whatever tool."""

_SURE: Final = r"(?:\A|[^a-z])migrat(?:e|es|ions?)(?:\Z|[^a-z])"


def parent_of(path: str) -> str:
    """Return the folder that a path lies in; empty for the project's own."""
    return path.rpartition("/")[0]


def name_of(path: str) -> str:
    """Return the last component of a path."""
    return path.rpartition("/")[2]


def within(path: str, folder: str) -> bool:
    """Return whether a path is a folder, or lies in it at any depth."""
    return not folder or path == folder or path.startswith(f"{folder}/")


@cache
def is_home(folder: str) -> bool:
    """Return whether a folder's name, or that of the one around it, speaks of migrations."""
    return any(re.search(_HOME, name, re.IGNORECASE) for name in folder.split("/")[-2:])


def is_sure_home(folder: str) -> bool:
    """Return whether a folder is called `migrations` or the like, or lies in one that is."""
    return any(re.search(_SURE, name, re.IGNORECASE) for name in folder.split("/")[-3:])


def may_be_module(path: str, configured: Sequence[str] = ()) -> bool:
    """Return whether a file can be a migration in Python, as far as its path says."""
    folder, _, name = path.rpartition("/")
    return (
        name.endswith(".py")
        and name != "__init__.py"
        and (is_home(folder) or any(within(folder, home) for home in configured))
    )
