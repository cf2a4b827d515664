"""File names in text reports."""

from __future__ import annotations

import posixpath

from dal_audit.report.model import Report
from dal_audit.report.terminal import visible


def shown_path(path: str, report: Report) -> str:
    """Return a finding's path as one relative to the current folder, safe to print."""
    return visible(_seen_from(path, report))


def _seen_from(path: str, report: Report) -> str:
    if report.here == ".":
        return path
    if report.here == ".." or report.here.startswith("../"):
        # From elsewhere, the way to the base says what its folders are called.
        return posixpath.normpath(f"{report.there}/{path}")
    return posixpath.relpath(path, report.here)
