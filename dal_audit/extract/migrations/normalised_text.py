"""What a migration does, without what no database sees: comments and layout."""

from __future__ import annotations

import ast
import re
from typing import Final

from dal_audit.extract.parser_warnings import unheard

_TOKEN: Final = re.compile(
    # What never ends takes the rest, so that each byte is looked at once.
    rb"""(?P<text>[eE]'(?:[^'\\]|\\.|'')*(?:'|\Z)|'[^']*(?:'|\Z)|"[^"]*(?:"|\Z)|`[^`]*(?:`|\Z)
            |(?P<quote>\$(?:[^\W\d]\w*)?\$).*?(?:(?P=quote)|\Z))
        |(?P<comment>--[^\r\n]*|/\*.*?(?:\*/|\Z))
        |\s+
        |(?P<word>\w+|.)""",
    re.DOTALL | re.VERBOSE,
)

_DIRECTIVE: Final = re.compile(
    rb"--\s*(?:\+|atlas:|changeset\b|flyway\b|liquibase\b|migrat|no-transaction|property\b|rollback\b)",
    re.IGNORECASE,
)
"""Comments that a migration tool obeys."""


def essence_of(data: bytes, *, is_python: bool) -> object:
    """Return a value that is equal for two migrations that do the same to a database.

    Comments that a tool obeys count. Python that cannot be parsed stands for itself.
    """
    if not is_python:
        tokens = _TOKEN.finditer(data.removeprefix(b"\xef\xbb\xbf"))
        return tuple(token[0].rstrip() for token in tokens if _counts(token))
    try:
        with unheard():
            tree = ast.parse(data)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return data
    # A docstring is a comment to the database.
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef) and node.body:
            first = node.body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                first.value = ast.Constant(None)
    return ast.dump(tree)


def _counts(token: re.Match[bytes]) -> bool:
    """Return whether a token is more than blanks and a comment that nothing obeys."""
    if token["comment"]:
        return _DIRECTIVE.match(token["comment"]) is not None
    return token["text"] is not None or token["word"] is not None
