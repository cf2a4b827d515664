"""Read import statements with LibCST, one statement at a time, for the exact place of each name.

LibCST is dear by the file and cheap by the statement, and import statements are alike: one form is
read once a process, whatever the names in it.
"""

from __future__ import annotations

import ast
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, cast

import msgspec
from msgspec import Struct

from dal_audit.extract.python.parse.newer_syntax import TRIES
from dal_audit.extract.python.parse.parser import is_too_deep
from dal_audit.extract.python.parse.walk import FUNCTIONS
from dal_audit.extract.source import Lines
from dal_audit.facts import Span

if TYPE_CHECKING:
    import libcst as cst


class ImportPlaces(NamedTuple):
    """Where the names of an import statement stand, as (start, end) in the statement's text."""

    module: tuple[int, int] | None
    names: tuple[tuple[int, int], ...]


_TOKEN: Final = re.compile(r"#[^\r\n]*|[.*,(]|[^\s.*,()#;\\]+")
"""A comment, a mark, or a name: of what may stand in an import statement, names are the rest."""
_WORDS: Final = frozenset({"from", "import", "as", ".", "*", ",", "("})


def import_places(text: str) -> ImportPlaces:
    """Return where a statement's module and names stand.

    Raises libcst.ParserSyntaxError for text that is no statement, RecursionError for one that
    LibCST could not read without exhausting the stack.
    """
    # Brackets, and a comma at the end, hold names together and say nothing of them.
    tokens = [one for one in _TOKEN.finditer(text) if one[0] != "(" and one[0][0] != "#"]
    words = [one[0] if one[0] in _WORDS else "x" for one in tokens]
    first = words.index("import") + 1
    head = words[:first]
    module = _import_form(" ".join([*head, "x"])).module if first > 1 else None
    lead = ["from", "x", "import"] if first > 1 else ["import"]
    names = []
    for end in [*(index for index, word in enumerate(words) if word == ","), len(words)]:
        if end > first:
            ((left, right),) = _import_form(" ".join([*lead, *words[first:end]])).names
            shift = first - len(lead)
            names.append((tokens[left + shift].start(), tokens[right + shift].end()))
        first = end + 1
    return ImportPlaces(
        (tokens[module[0]].start(), tokens[module[1]].end()) if module else None, tuple(names)
    )


class ImportForm(Struct, frozen=True):
    """What an import with `x` for each name says: the first and last tokens of module and names."""

    module: tuple[int, int] | None
    names: tuple[tuple[int, int], ...]


@lru_cache(maxsize=4096)
def _import_form(form: str) -> ImportForm:
    return _known_forms().get(form) or read_import_form(form)


@cache
def _known_forms() -> dict[str, ImportForm]:
    """Return what LibCST says of the forms that nearly all imports have.

    Its own import takes longer than all the rest of a small audit; a test makes the table with it.
    """
    data = Path(__file__).with_name("import_forms.json").read_bytes()
    return msgspec.json.decode(data, type=dict[str, ImportForm])


def read_import_form(form: str) -> ImportForm:
    """Return what an import with `x` for each name says.

    LibCST says what the parts are; they are then counted off, as resolving the places of all its
    nodes takes five times as long.
    """
    if is_too_deep(form):
        raise RecursionError
    import libcst as cst

    line = cst.parse_statement(form)
    statement = line.body[0] if isinstance(line, cst.SimpleStatementLine) else line
    if not isinstance(statement, (cst.Import, cst.ImportFrom)):
        message = "not an import statement"
        raise TypeError(message)
    tokens = count()
    module = None
    if isinstance(statement, cst.ImportFrom):
        next(tokens)
        for _ in statement.relative:
            next(tokens)
        if statement.module is not None:
            module = _tokens(statement.module, tokens)
    next(tokens)
    if isinstance(statement.names, cst.ImportStar):
        star = next(tokens)
        return ImportForm(module, ((star, star),))
    names = []
    for alias in statement.names:
        names.append(_tokens(alias.name, tokens))
        # `as` and the new name, and the comma, come before the next one.
        for _ in range(2 * (alias.asname is not None) + (alias is not statement.names[-1])):
            next(tokens)
    return ImportForm(module, tuple(names))


def _tokens(name: cst.Attribute | cst.Name, tokens: Iterator[int]) -> tuple[int, int]:
    """Return the first and the last token of a dotted name, which begins at the next one."""
    first = last = next(tokens)
    while not isinstance(name.value, str):
        next(tokens)
        last = next(tokens)
        name = cast("cst.Attribute | cst.Name", name.value)
    return first, last


def statement_bounds(lines: Lines, node: ast.stmt) -> tuple[int, int]:
    """Return where a statement begins and ends in the text."""
    start = lines.offset(node.lineno, node.col_offset)
    end_line, end_column = node.end_lineno, node.end_col_offset
    if end_line is None or end_column is None:
        return start, start
    return start, lines.offset(end_line, end_column)


def blocks_of(statement: ast.stmt) -> list[list[ast.stmt]]:
    """Return the blocks of a statement in the order of its text; none of one that has none."""
    fields = _BLOCKS.get(type(statement))
    if fields is None:
        return []
    if fields:
        return [getattr(statement, name) for name in fields]
    if isinstance(statement, ast.Match):
        return [case.body for case in statement.cases]
    handlers = [one.body for one in statement.handlers]  # type: ignore[attr-defined]  # a `try`
    return [statement.body, *handlers, statement.orelse, statement.finalbody]  # type: ignore[attr-defined]


_BLOCKS: Final[dict[type[ast.AST], tuple[str, ...]]] = {
    ast.AsyncFor: ("body", "orelse"),
    ast.AsyncFunctionDef: ("body",),
    ast.AsyncWith: ("body",),
    ast.ClassDef: ("body",),
    ast.For: ("body", "orelse"),
    ast.FunctionDef: ("body",),
    ast.If: ("body", "orelse"),
    ast.Match: (),
    ast.While: ("body", "orelse"),
    ast.With: ("body",),
    **dict.fromkeys(TRIES, ()),
}
"""The fields of compound statements that are blocks; empty for those that hold more than blocks."""


class MarkedLines:
    """Some lines of a module, and which statements they lie in."""

    def __init__(self, numbers: Iterable[int]) -> None:
        """Take their 1-based numbers."""
        self.numbers = sorted(set(numbers))

    def touch(self, node: ast.stmt) -> bool:
        """Return whether a marked line lies in a statement, decorators included."""
        first = min([node.lineno, *(one.lineno for one in getattr(node, "decorator_list", ()))])
        index = bisect_left(self.numbers, first)
        return index < len(self.numbers) and self.numbers[index] <= (node.end_lineno or first)


def own_statements(node: ast.stmt) -> Iterator[ast.stmt]:
    """Yield the statements below one, but not those of functions and classes inside it."""
    for block in blocks_of(node):
        for statement in block:
            yield statement
            if not isinstance(statement, (*FUNCTIONS, ast.ClassDef)):
                yield from own_statements(statement)


def name_span(lines: Lines, node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> Span:
    """Return the span of the name that a definition gives, after its keyword."""
    keyword = "class" if isinstance(node, ast.ClassDef) else "def"
    start = lines.offset(node.lineno, node.col_offset)
    start = lines.text.find(node.name, lines.text.find(keyword, start) + len(keyword))
    return lines.span(start, start + len(node.name))


def node_span(lines: Lines, node: ast.expr) -> Span:
    """Return the span of an expression."""
    end_line = node.end_lineno or node.lineno
    end_column = node.end_col_offset or node.col_offset
    if lines.ascii:
        # A byte, a code point and a UTF-16 code unit are one.
        return Span(node.lineno, node.col_offset + 1, end_line, end_column + 1)
    return lines.span(
        lines.offset(node.lineno, node.col_offset), lines.offset(end_line, end_column)
    )
