"""File names in text reports."""

from __future__ import annotations

import posixpath

from dal_audit.report.terminal import safe


def shown_path(path: str, here: str) -> str:
    """Return a path that is relative to the base as one relative to `here`, safe to print."""
    if here == ".":
        return safe(path).replace("\t", "\\t")
    return safe(posixpath.relpath(path, here)).replace("\t", "\\t")
