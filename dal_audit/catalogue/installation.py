"""What is installed: this version of dal-audit, the running Python, and the parsers.

Results of two runs can only be compared where these are the same. Every start may ask, so that
nothing but `os` is loaded for the answer.
"""

from __future__ import annotations

import os
import sys

import dal_audit

_PARSERS = (
    *("ahocorasick_rs-", "libcst-", "msgspec-", "pyyaml-", "sqlglot-", "sqlglotc-"),
    *("tree_sitter-", "tree_sitter_rust-"),
)
"""How the folders begin that tell of a package and its version; in lower case."""


def installation() -> tuple[str, ...]:
    """Return texts that differ where another installation may come to another result.

    A checkout's files are edited under one version: their sizes and times count there.
    """
    package = os.path.dirname(os.path.realpath(dal_audit.__file__))  # noqa: PTH120  # no pathlib
    said = (dal_audit.__version__, sys.version, *_parsers())
    if os.path.isdir(f"{package}/rules"):  # noqa: PTH112  # a wheel carries the rule book inside
        return said
    checkout = os.path.dirname(package)  # noqa: PTH120
    return (*said, _listing(package), _listing(f"{checkout}/rules"))


def _parsers() -> list[str]:
    """Return the names and versions of the parsers that are installed beside each other.

    `importlib.metadata` tells the same, and takes longer than all the rest of a small audit.
    """
    for folder in sys.path:
        if os.path.isdir(f"{folder}/msgspec"):  # noqa: PTH112
            names = os.listdir(folder)  # noqa: PTH208
            return sorted(name for name in names if name.lower().startswith(_PARSERS))
    return []


def _listing(folder: str) -> str:
    """Return the files of a folder and of all below it, with their sizes and times."""
    found = []
    waiting = [folder]
    while waiting:
        with os.scandir(waiting.pop()) as listed:
            entries = [entry for entry in listed if entry.name != "__pycache__"]
        for entry in entries:
            if entry.is_dir():
                waiting.append(entry.path)
            else:
                status = entry.stat()
                found.append((entry.path, status.st_size, status.st_mtime_ns))
    return repr(sorted(found))
