"""File names in text reports."""

from __future__ import annotations

import posixpath

from dal_audit.facts import Place
from dal_audit.report.links import file_address
from dal_audit.report.model import Report
from dal_audit.report.terminal import Paint, visible


def shown_path(path: str, report: Report) -> str:
    """Return a finding's path as one relative to the current folder, safe to print."""
    return visible(_seen_from(path, report))


def shown_place(place: Place, report: Report, paint: Paint) -> str:
    """Return `path:line:column`, as a link to the file where the terminal has them."""
    where = f"{shown_path(place.path, report)}:{place.span.line}:{place.span.column}"
    if not paint.look.links or not paint.look.folder:
        return where
    return paint.link(where, file_address(place.path, report, paint.look.folder))


def _seen_from(path: str, report: Report) -> str:
    if report.here == ".":
        return path
    if report.here == ".." or report.here.startswith("../"):
        # From elsewhere, the way to the base says what its folders are called.
        return posixpath.normpath(f"{report.there}/{path}")
    return posixpath.relpath(path, report.here)
