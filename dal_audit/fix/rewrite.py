"""Amend: from a file's bytes and fixes to its new bytes; whatever is not edited stays as it is."""

from __future__ import annotations

import codecs
import re
from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence
from typing import Final

from dal_audit.extract.source import Lines, UndecodableError, declared_encoding, decode
from dal_audit.facts import Edit
from dal_audit.fix.model import Fix

_NEWLINE: Final = re.compile(r"\r\n|\r|\n")
_BARE: Final = re.compile(r"(?<!\r)\n")


class AmendError(ValueError):
    """A file that cannot be amended without changing more than what was asked for."""


def compatible(fixes: Iterable[Fix]) -> list[Fix]:
    """Return the fixes that can be applied at once: of those that overlap, the first."""
    taken: list[tuple[tuple[int, int], tuple[int, int]]] = []
    kept = []
    for fix in sorted(fixes, key=lambda fix: [edit.span for edit in fix.edits]):
        bounds = [_bounds(edit) for edit in fix.edits]
        if fix.edits and not any(_overlaps(bound, taken) for bound in bounds):
            kept.append(fix)
            for bound in bounds:
                insort(taken, bound)
    return kept


def _bounds(edit: Edit) -> tuple[tuple[int, int], tuple[int, int]]:
    span = edit.span
    return (span.line, span.column), (span.end_line, span.end_column)


def _overlaps(
    stretch: tuple[tuple[int, int], tuple[int, int]],
    taken: Sequence[tuple[tuple[int, int], tuple[int, int]]],
) -> bool:
    """Return whether a stretch shares text, or its beginning, with one that is taken."""
    start, end = stretch
    index = bisect_left(taken, stretch)
    after = index < len(taken) and (taken[index][0] < end or taken[index][0] == start)
    before = index > 0 and (start < taken[index - 1][1] or taken[index - 1][0] == start)
    return after or before


def text_of(data: bytes, *, is_script: bool) -> str:
    """Return the text of a file, without its byte order mark: of SQL, or of Python.

    Raises AmendError where it cannot be decoded.
    """
    try:
        if not is_script:
            return decode(data)
        # Only who fixes pays for the reader of SQL.
        from dal_audit.extract.source import decode_script

        return decode_script(data)
    except UndecodableError as error:
        raise AmendError(str(error)) from error


def amended(data: bytes, fixes: Iterable[Fix], *, is_script: bool) -> bytes:
    """Return a file's bytes with fixes applied, which must not overlap.

    The byte order mark, the encoding and each line's end stay; a line that is written ends as the
    first one does. Raises AmendError where they would
    not: for a file that its encoding does not write as it reads it, and where an edit would make
    another line the one that declares the encoding.
    """
    text = text_of(data, is_script=is_script)
    encoding = "utf-8" if is_script else declared_encoding(data)
    mark = codecs.BOM_UTF8 if data.startswith(codecs.BOM_UTF8) else b""
    if mark + text.encode(encoding, "surrogatepass") != data:
        raise AmendError(f"its bytes are not what {encoding} writes")
    lines = Lines(text)
    newline = first[0] if (first := _NEWLINE.search(text)) is not None else "\n"
    pieces = []
    position = 0
    for edit in sorted((edit for fix in fixes for edit in fix.edits), key=lambda edit: edit.span):
        if edit.span.end_line > len(lines):
            raise AmendError("it has no line end where a line would be put")
        start = lines.index(edit.span.line, edit.span.column)
        end = lines.index(edit.span.end_line, edit.span.end_column)
        pieces += [text[position:start], _BARE.sub(newline, edit.text)]
        position = end
    try:
        new = mark + ("".join(pieces) + text[position:]).encode(encoding)
    except UnicodeEncodeError as error:
        raise AmendError(f"{encoding} has no `{error.object[error.start]}`") from error
    if not is_script and _encoding(new) != encoding:
        raise AmendError("another line would declare the encoding")
    return new


def _encoding(data: bytes) -> str:
    try:
        return declared_encoding(data)
    except UndecodableError:
        return ""
