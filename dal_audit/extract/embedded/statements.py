"""From a text of SQL in a module to its statements, each with the code around it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cached_property
from typing import Final

from msgspec.structs import replace

from dal_audit.catalogue.engine_words import holds_engine
from dal_audit.extract.embedded.places import EmbeddedPlaces
from dal_audit.extract.python.dialect_branches import DialectBranches
from dal_audit.extract.python.literal_places import LiteralPlaces
from dal_audit.extract.python.spelled_text import replaced
from dal_audit.extract.python.sql_sources import SqlSource, literals_in
from dal_audit.extract.python.text_formats import with_holes
from dal_audit.extract.secrets import text_for_facts
from dal_audit.extract.source import Lines
from dal_audit.extract.sql.embedded import embedded_statements
from dal_audit.facts import Span
from dal_audit.facts.sql import Embedding, SqlStatement

_FIELD: Final = re.compile(r"\{\w+\}")
_COLLECTIONS: Final = (ast.List, ast.Tuple, ast.Set, ast.Dict)


class Embedder:
    """Reads the SQL texts of one module."""

    def __init__(self, tree: ast.Module, lines: Lines) -> None:
        """Take the module."""
        self.lines = lines
        self.literals = LiteralPlaces(lines)
        self._tree = tree

    @cached_property
    def branches(self) -> DialectBranches:
        """What tells which engines run a part of the module; most modules hold no SQL.

        Where no engine is named, nothing asks for one.
        """
        names_engine = holds_engine(self.lines.text)
        return DialectBranches(self._tree if names_engine else ast.Module([], []))

    def statements(self, source: SqlSource) -> Iterator[SqlStatement]:
        """Yield the statements of a text."""
        text = _as_run(source.text)
        around = self.literals.bounds(source.written)
        hidden = text_for_facts(str(text), is_program=True)
        places = EmbeddedPlaces(
            self.lines,
            self.literals.extents(text),
            around,
            text=str(text),
            spelling=self.lines.text if hidden == text else "",  # No mask is written into code.
        )
        within = Embedding(
            self._comment_lines(source),
            self.branches.engines_at(source.user, source.written, *literals_in(source.text)),
            source.how,
            source.origins,
        )
        for statement in embedded_statements(hidden, places):
            if statement.flaw and not source.how:
                continue  # What nobody here runs may be a part of a statement.
            yield replace(statement, within=within)

    def span(self, node: ast.expr) -> Span:
        """Return the place of an expression."""
        return self.lines.span(*self.literals.bounds(node))

    def _comment_lines(self, source: SqlSource) -> tuple[int, int]:
        """Return the lines on which a comment is about a text.

        Those are its statement's, but of one text among many its own alone.
        """
        written, statement = source.written, source.statement
        own = (written.lineno, written.end_lineno or written.lineno)
        first, last = statement.lineno, statement.end_lineno or statement.lineno
        value = getattr(statement, "value", None)
        is_around = first <= own[0] and own[1] <= last
        if not is_around or isinstance(value, _COLLECTIONS) or hasattr(statement, "body"):
            return own
        return first, last


def _as_run(text: str) -> str:
    """Return a text as its engine gets it: with what drivers take for an escape as one mark.

    What is still to be formatted is a hole.
    """
    text = replaced(text, "\\:", ":")
    return with_holes(replaced(text, "%%", "%"), _FIELD)
