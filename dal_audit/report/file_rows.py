"""The files that one cause reaches, a line each, folded where they are many."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from dal_audit.report.grouping import Block
from dal_audit.report.model import Report
from dal_audit.report.paths import shown_place
from dal_audit.report.snippet import MAX_LINE
from dal_audit.report.source_lines import Quoted
from dal_audit.report.summary import plural
from dal_audit.report.terminal import Paint, cut, expand, width

FILES_SHOWN: Final = 10
"""Files that one cause reaches and that are named, where not all are asked for."""

_NAME_WIDTH: Final = 60
"""Cells; behind longer names of files their sources are not aligned."""


class _Row(Struct, frozen=True):
    """A file as it is shown: where the cause is taken up first, the source there, and what else."""

    where: str
    source: str
    more: str


def file_rows(
    block: Block, report: Report, quoted: Quoted, paint: Paint, *, show_all: bool
) -> Iterator[str]:
    """Yield a line for each file that a cause reaches, and one for those that are not named."""
    rows = list(_rows(block, report, quoted, paint))
    told = len(rows) if show_all else FILES_SHOWN
    # Never all but one: that line would say no more than the file's name.
    told += len(rows) == told + 1
    names = min(max(width(row.where) for row in rows[:told]), _NAME_WIDTH)
    columns = (paint.look.columns or MAX_LINE) - _MARGIN
    for row, group in zip(rows[:told], block.by_file.values(), strict=False):
        gap = " " * (2 + max(names - width(row.where), 0))
        source = cut(row.source, columns - width(row.where + gap + row.more))
        shown = gap + paint(source, "faint") if source else ""
        yield f"{shown_place(group[0].place, report, paint)}{shown}{row.more}"
    if len(rows) > told:
        yield f"{plural(len(rows) - told, 'more file')}: `--show-all` names them"


_MARGIN: Final = 8
"""Cells that stand before a row at the most, as long as files have fewer than 10,000 lines."""


def _rows(block: Block, report: Report, quoted: Quoted, paint: Paint) -> Iterator[_Row]:
    plain = Paint(type(paint.look)())
    for path, group in block.by_file.items():
        place = group[0].place
        more = f" (and {len(group) - 1} more)" if len(group) > 1 else ""
        source = expand(quoted.line(path, place.span.line).strip())
        yield _Row(shown_place(place, report, plain), source, more)
