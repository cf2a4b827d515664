"""How an import that its module does not use is taken out of the text, comments left as they are.

Scopes tell whether a name is used. What may be read in other ways is left alone: a name that a text
may mean (`__all__`, `getattr`, `patch`), one that is bound again, that a parameter bears (a
fixture's, in a test), or that stands where namespaces are read; an import that may fail (`try`,
`with`, a function that does nothing else), that belongs to a class, or that a linter's comment says
to keep.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from functools import cached_property
from typing import Final, TypeAlias

from msgspec import Struct

from dal_audit.extract.python.expression_uses import FileNames
from dal_audit.extract.python.list_items import ListItems
from dal_audit.extract.python.parse.import_places import blocks_of, node_bounds
from dal_audit.extract.python.parse.newer_syntax import TRIES
from dal_audit.extract.python.parse.walk import FUNCTIONS, children
from dal_audit.extract.python.scopes import Declared, Imported
from dal_audit.extract.source import Lines, occurrences
from dal_audit.facts import Edit, Span

ImportStatement: TypeAlias = ast.Import | ast.ImportFrom

_READS_NAMESPACE: Final = re.compile(
    r"(?<![\w.])(?:(?:globals|locals|vars|dir)\s*\(\s*\)|(?:eval|exec)\s*\()"
    r"|\bmodules\s*\[\s*__name__"
)
_READING_WORDS: Final = ("globals", "locals", "vars", "dir", "eval", "exec", "modules")
"""What it begins with."""
_DIRECTIVE: Final = re.compile(
    r"#[ \t]*(?:noqa|type:|pylint|pyright|mypy|pragma|fmt|isort|ruff|flake8|pyflakes|nosec|yapf"
    r"|ty:|dal-audit)|noqa|F401|unused",
    re.IGNORECASE,
)
"""A comment that speaks to a tool: it means nothing where the import is not, or asks to keep it."""
_FILE_DIRECTIVE: Final = re.compile(
    r"^[ \t]*#[ \t]*(?:"
    r"(?:flake8|ruff)[ \t]*[:=][ \t]*noqa(?![ \t]*:)"
    r"|(?:flake8|ruff)[ \t]*[:=][ \t]*noqa.*\bF(?:4|40|401)?\b"
    r"|pylint[ \t]*:[ \t]*(?:skip-file|disable[ \t]*=.*\b(?:unused-import|W0611|all)\b)"
    r"|pyflakes:)",
    re.IGNORECASE | re.MULTILINE,
)
"""A comment of its own that says of a whole file that its imports are meant."""
_WORD: Final = re.compile(r"[^\W\d]\w*")
_PROSE: Final = re.compile(r"\w\s+\w")
_GUARDS: Final = (*TRIES, ast.With, ast.AsyncWith)


class _Position(Struct, frozen=True):
    """Where a statement stands: in a block, which may be the module's, and what guards that."""

    block: Sequence[ast.stmt]
    index: int
    is_module: bool
    is_guarded: bool

    def neighbour(self, step: int) -> ast.stmt | None:
        """Return the statement before (-1) or behind (1) in the block; None where none is."""
        index = self.index + step
        return self.block[index] if 0 <= index < len(self.block) else None

    @property
    def may_be_emptied(self) -> bool:
        """Whether a block of several statements holds nothing but imports."""
        imports = (ast.Import, ast.ImportFrom)
        is_several = len(self.block) > 1 and not self.is_module
        return is_several and all(isinstance(statement, imports) for statement in self.block)


class ImportRemoval:
    """Tells how the imports of a module are taken out; what that needs is read when it is asked."""

    def __init__(self, tree: ast.Module, lines: Lines, names: FileNames) -> None:
        """Take a module's tree, its lines, and the names in it."""
        self.tree = tree
        self.lines = lines
        self.names = names

    def names_of(
        self, statement: ImportStatement, unused: AbstractSet[str]
    ) -> list[tuple[Span, Span] | None]:
        """Return how each name of a statement is taken out, where others of it stay.

        That is what goes with it where a name behind it stays, and where one before it does.
        `unused` are the names that no scope reads.
        """
        if unused.isdisjoint(map(_bound_name, statement.names)) or not self._is_open(statement):
            return [None] * len(statement.names)
        items = ListItems(
            self.lines,
            [node_bounds(self.lines, alias) for alias in statement.names],
            node_bounds(self.lines, statement),
        )
        return [
            items.spans(index) if self._is_free(alias, _bound_name(alias), unused) else None
            for index, alias in enumerate(statement.names)
        ]

    def whole_of(self, statement: ImportStatement) -> tuple[Edit, ...]:
        """Return how a whole statement is taken out; empty where that would lose a comment."""
        start, end = node_bounds(self.lines, statement)
        if "#" in self.lines.text[start:end]:
            return ()
        position = self._positions[id(statement)]
        found = self._edit(start, end, position)
        if not position.may_be_emptied or position.index == 0:
            return (found,)
        # So that of such a block one statement goes at a time, and the last one leaves `pass`.
        first, _ = node_bounds(self.lines, position.block[0])
        return (Edit(self.lines.span(first, first), ""), found)

    def _is_open(self, statement: ImportStatement) -> bool:
        """Return whether a statement may lose names, as far as what it stands in says."""
        position = self._positions.get(id(statement))
        is_known = position is not None and not position.is_guarded
        return is_known and self._is_plain and not self._is_kept(statement)

    def _is_free(self, alias: ast.alias, name: str, unused: AbstractSet[str]) -> bool:
        """Return whether nothing can miss a name that an open statement imports."""
        is_offered = alias.asname == alias.name
        is_bound_once = id(alias) in self._bound_once
        return name in unused and not is_offered and is_bound_once and name not in self._quoted

    def _is_kept(self, statement: ImportStatement) -> bool:
        """Return whether a comment on the statement's lines speaks to a tool."""
        start, end = node_bounds(self.lines, statement)
        last = self.lines.line_of(end)
        shown = (
            self.lines.text[start:end] + self.lines.line(last)[end - self.lines.starts[last - 1] :]
        )
        return any(
            _DIRECTIVE.search(line, line.find("#")) for line in shown.splitlines() if "#" in line
        )

    @cached_property
    def _bound_once(self) -> AbstractSet[int]:
        """The identities of what alone gives its scope a name, which no parameter bears."""
        module = self.names.module
        scopes = (module, *module.opened)
        declared = {
            name
            for scope in scopes
            for name, bindings in scope.bindings.items()
            if any(isinstance(binding, Declared) for binding in bindings)
        }
        alone = (
            bindings[0]
            for scope in scopes
            if scope.kind != "class"
            for name, bindings in scope.bindings.items()
            if len(bindings) == 1 and name not in declared
        )
        return {id(binding.alias) for binding in alone if isinstance(binding, Imported)}

    @cached_property
    def _is_plain(self) -> bool:
        """Whether nothing in the module reads its names at once, or asks to keep its imports."""
        text = self.lines.text
        reading = occurrences(text, _READING_WORDS)
        reads_all = any(_READS_NAMESPACE.match(text, start) for start in reading)
        return not reads_all and _FILE_DIRECTIVE.search(text) is None

    @cached_property
    def _quoted(self) -> AbstractSet[str]:
        """The words in the module's texts, but for prose without examples."""
        texts = _texts_in(self.tree)
        named = (text for text in texts if ">>>" in text or not _PROSE.search(text))
        return frozenset(word for text in named for word in _WORD.findall(text))

    @cached_property
    def _positions(self) -> dict[int, _Position]:
        return {
            id(statement): position
            for statement, position in _positions(self.tree)
            if isinstance(statement, (ast.Import, ast.ImportFrom))
        }

    def _edit(self, start: int, end: int, position: _Position) -> Edit:
        """Return what is written where a statement stood."""
        text, lines = self.lines.text, self.lines
        before = position.neighbour(-1)
        after = position.neighbour(1)
        line_start, line_end = self._line(start)[0], self._line(end)[1]
        if after is not None and node_bounds(lines, after)[0] < line_end:
            return Edit(lines.span(start, node_bounds(lines, after)[0]), "")
        if before is not None and node_bounds(lines, before)[1] > line_start:
            return Edit(lines.span(node_bounds(lines, before)[1], end), "")
        if not position.is_module and len(position.block) == 1:
            return Edit(lines.span(start, end), "pass")
        comment = text.find("#", end, line_end)
        if comment >= 0:
            return Edit(lines.span(start, comment), "")
        return Edit(lines.span(*self._with_blank_lines(line_start, line_end)), "")

    def _line(self, index: int) -> tuple[int, int]:
        """Return where the line of an index begins, and where the next one does."""
        starts, number = self.lines.starts, self.lines.line_of(index)
        end = starts[number] if number < len(starts) else len(self.lines.text)
        return starts[number - 1], end

    def _with_blank_lines(self, start: int, end: int) -> tuple[int, int]:
        """Return lines with the blank ones above, where there are blank ones below, too.

        At the beginning of a file those below go.
        """
        text = self.lines.text
        below = end
        while below < len(text) and not text[slice(*self._line(below))].strip():
            below = self._line(below)[1]
        above = start
        while above and not text[slice(*self._line(above - 1))].strip():
            above = self._line(above - 1)[0]
        if not above:
            return start or above, below
        is_last = below == len(text)
        return (above if below > end or is_last else start), end


def _texts_in(tree: ast.Module) -> list[str]:
    """Return the texts that are written in a module; of a whole tree this is asked often."""
    found: list[str] = []
    waiting: list[ast.AST] = [tree]
    for node in waiting:
        if isinstance(node, ast.Constant):
            if isinstance(node.value, str):
                found.append(node.value)
        else:
            waiting += children(node)
    return found


def _bound_name(alias: ast.alias) -> str:
    """Return the name that an alias gives its scope; a star's is none that a scope knows."""
    return alias.asname or alias.name.partition(".")[0]


def _may_probe(node: ast.AST) -> bool:
    """Return whether a function does nothing but import: it may ask whether that can be done."""
    return isinstance(node, FUNCTIONS) and all(map(_is_idle, node.body))


def _is_idle(statement: ast.stmt) -> bool:
    """Return whether a statement imports, or does nothing."""
    if isinstance(statement, (ast.Expr, ast.Return)):
        return statement.value is None or isinstance(statement.value, ast.Constant)
    return isinstance(statement, (ast.Import, ast.ImportFrom, ast.Pass))


def _positions(tree: ast.Module) -> Iterator[tuple[ast.stmt, _Position]]:
    """Yield all statements of a module, each with its position."""
    waiting: list[tuple[ast.AST, bool]] = [(tree, False)]
    while waiting:
        node, is_guarded = waiting.pop()
        is_guarded = is_guarded or isinstance(node, _GUARDS) or _may_probe(node)
        for block in blocks_of(node):
            for index, statement in enumerate(block):
                yield statement, _Position(block, index, node is tree, is_guarded)
                waiting.append((statement, is_guarded))
