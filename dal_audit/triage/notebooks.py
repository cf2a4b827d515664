"""Breaches in notebooks: people know a place by its cell, and programs by its line in the file."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable

from msgspec.structs import replace

from dal_audit.facts import NotebookCell
from dal_audit.judge.breach import Breach


def in_cell(breach: Breach, cells: Iterable[NotebookCell]) -> Breach:
    """Return a breach whose message names the cell and its line, where it lies in one.

    It loses its fix: code in a notebook is written as text in JSON.
    """
    start = (breach.place.span.line, breach.place.span.column)
    for cell in cells:
        if cell.starts[0] <= start <= (cell.span.end_line, cell.span.end_column):
            line = bisect_right(cell.starts, start)
            message = f"{breach.message} (cell {cell.number}, line {line})"
            return replace(breach, message=message, fix=None)
    return breach
