"""Markdown as text for a terminal: as much of it as the rule book uses.

Headings, paragraphs, lists, fenced code, tables, code spans and links
(spec.commonmark.org/0.31.2, github.github.com/gfm for tables). What is no such thing stands as it
is written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, Literal, TypeAlias

from msgspec import Struct

from dal_audit.report.terminal import Paint, width

INDENT: Final = "  "
"""What text under a heading is moved in by, and code once more."""

LEAST: Final = 24
"""The width that a paragraph or a table's last column gets, however narrow the terminal."""

Kind: TypeAlias = Literal["heading", "paragraph", "item", "code", "table"]

_HEADING: Final = re.compile(r"(#{1,6}) +(.*?)(?: +#+)? *")
_ITEM: Final = re.compile(r"( *)([-*+]|\d{1,9}[.)]) +(.*)")
_LINK: Final = re.compile(r"\[([^\]]*)\]\(([^)\s]*)\)")
_MARK: Final = re.compile(r"(?:#|--|//) (?:MISSING: )?DAL\d{3}\b.*")
"""The end of a bad line in a document's example."""


class Block(Struct, frozen=True):
    """A block of a document; `level` is a heading's, or how deep a list's item is nested.

    A block's lines are those of its text, without what marks them; `marker` is a list item's.
    """

    kind: Kind
    lines: tuple[str, ...]
    level: int = 0
    marker: str = ""


def render_markdown(text: str, paint: Paint, columns: int) -> str:
    """Return a document as text that is at most so many columns wide, code and tables apart.

    Without colour, code spans keep their backticks, so that nothing is lost.
    """
    parts: list[str] = []
    before: Block | None = None
    for block in _blocks(text):
        lines = list(_rendered(block, paint, columns))
        is_tight = before is not None and (
            before.kind == block.kind == "item"
            or (before.kind == "heading" and before.level > 1)
            or (_is_caption(before) and block.kind == "code")
        )
        if before is not None and not is_tight:
            parts.append("")
        parts += lines
        before = block
    return "\n".join(parts) + "\n" if parts else ""


def _is_caption(block: Block) -> bool:
    """Return whether a paragraph is a single code span: the path of the example below it."""
    text = " ".join(block.lines)
    return block.kind == "paragraph" and text.startswith("`") and text.find("`", 1) == len(text) - 1


def _blocks(text: str) -> Iterator[Block]:
    lines = text.splitlines()
    index = 0
    while index < len(lines):
        block, index = _block_at(lines, index)
        if block is not None:
            yield block


def _block_at(lines: Sequence[str], start: int) -> tuple[Block | None, int]:
    """Return the block that begins on a line, None for an empty line, and where the next begins."""
    line = lines[start]
    if line.startswith("```"):
        end = _end(lines, start + 1, lambda line: line.startswith("```"))
        return Block("code", tuple(lines[start + 1 : end])), end + 1
    if heading := _HEADING.fullmatch(line):
        return Block("heading", (heading[2],), len(heading[1])), start + 1
    if line.startswith("|"):
        end = _end(lines, start + 1, lambda line: not line.startswith("|"))
        return Block("table", tuple(lines[start:end])), end
    if not line.strip():
        return None, start + 1
    end = _end(lines, start + 1, _ends_paragraph)
    rest = lines[start + 1 : end]
    if item := _ITEM.fullmatch(line):
        return Block("item", (item[3], *rest), len(item[1]) // 2, item[2]), end
    return Block("paragraph", (line, *rest)), end


def _end(lines: Sequence[str], start: int, is_end: Callable[[str], bool]) -> int:
    """Return the first line that ends a block, or that behind the last one."""
    return next((at for at in range(start, len(lines)) if is_end(lines[at])), len(lines))


def _ends_paragraph(line: str) -> bool:
    if not line.strip() or line.startswith(("```", "|")):
        return True
    return bool(_HEADING.fullmatch(line) or _ITEM.fullmatch(line))


def _rendered(block: Block, paint: Paint, columns: int) -> Iterator[str]:
    match block.kind:
        case "heading":
            indent = INDENT if block.level > 2 else ""  # noqa: PLR2004  # below a section's
            yield indent + paint(" ".join(_inline(block.lines[0]).split()), "strong")
        case "paragraph":
            yield from _wrapped(" ".join(block.lines), INDENT, INDENT, paint, columns)
        case "item":
            indent = INDENT * (block.level + 1)
            mark = "• " if block.marker in "-*+" else f"{block.marker} "
            below = indent + " " * len(mark)
            yield from _wrapped(" ".join(block.lines), indent + mark, below, paint, columns)
        case "code":
            for line in block.lines:
                yield (INDENT * 2 + _MARK.sub(lambda mark: paint(mark[0], "error"), line)).rstrip()
        case "table":
            yield from _table(block.lines, paint, columns)


def _inline(text: str) -> str:
    """Return a text with links as their words, followed by the address where it is one."""

    def plain(link: re.Match[str]) -> str:
        return f"{link[1]} ({link[2]})" if "://" in link[2] else link[1]

    return _LINK.sub(plain, text)


def _wrapped(text: str, first: str, others: str, paint: Paint, columns: int) -> Iterator[str]:
    """Yield a paragraph's lines; a word that is too long stands alone, and is not cut."""
    room = max(LEAST, columns - len(others))
    line: list[str] = []
    used = 0
    lead = first
    for shown, cells in _words(_inline(text), paint):
        if line and used + 1 + cells > room:
            yield lead + " ".join(line)
            line, used, lead = [], 0, others
        used += cells + bool(line)
        line.append(shown)
    if line:
        yield lead + " ".join(line)


def _words(text: str, paint: Paint) -> Iterator[tuple[str, int]]:
    """Yield each word as it is shown, with its width; code is painted where there is colour."""
    if not paint.look.color:
        yield from ((word, width(word)) for word in text.split())
        return
    word: list[str] = []
    cells = 0
    for index, segment in enumerate(text.split("`")):
        for position, part in enumerate(re.split(r"\s+", segment)):
            if position and word:
                yield "".join(word), cells
                word, cells = [], 0
            if part:
                word.append(paint(part, "info") if index % 2 else part)
                cells += width(part)
    if word:
        yield "".join(word), cells


def _table(lines: Iterable[str], paint: Paint, columns: int) -> Iterator[str]:
    """Yield a table in aligned columns; the last one is wrapped where it is too wide."""
    table = _cells(lines)
    shown = [[_on_one_line(cell, paint) for cell in row[:-1]] for row in table]
    widths = [max(size for _, size in column) for column in zip(*shown, strict=True)]
    below = " " * (len(INDENT) + sum(widths) + 2 * len(widths))
    for index, (row, cells) in enumerate(zip(table, shown, strict=True)):
        lead = INDENT
        for (text, size), room in zip(cells, widths, strict=True):
            lead += (text if index else paint(text, "strong")) + " " * (room - size + 2)
        if index and row[-1]:
            yield from _wrapped(row[-1], lead, below, paint, columns)
        else:
            yield (lead + paint(row[-1], "strong")).rstrip()


def _cells(lines: Iterable[str]) -> list[list[str]]:
    """Return a table's rows without the one of dashes; all have as many cells as the first."""
    head, *rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines]
    body = [row for row in rows if set("".join(row)) - set("-: ")]
    return [[*row, *[""] * len(head)][: len(head)] for row in (head, *body)]


def _on_one_line(text: str, paint: Paint) -> tuple[str, int]:
    """Return a text as it is shown on one line, with its width."""
    words = list(_words(_inline(text), paint))
    shown = " ".join(word for word, _ in words)
    return shown, sum(cells for _, cells in words) + max(0, len(words) - 1)
