"""Read Python source into a syntax tree: `ast` as a scout, LibCST as the walker of record.

`ast` is ten times as fast but knows only the running Python's grammar; LibCST reads every grammar
on every Python. With shortcuts a file goes to `ast` first and to LibCST where `ast` gives up;
without, to LibCST first. Both give the same tree (`lower`).
"""

from __future__ import annotations

import ast
import re
from typing import Final

MAX_NESTING: Final = 100
"""How deep brackets may nest: LibCST's parser recurses and knows no limit (CPython's is 200)."""

MAX_CHAIN: Final = 1500
"""How many tokens may follow each other without a comma or a new line, for the same reason."""

_TOKEN: Final = re.compile(
    r"""\"{3}(?s:.*?)\"{3}|'{3}(?s:.*?)'{3}|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'"""
    r"""|\#[^\n]*|\\\r?\n|(?P<open>[(\[{])|(?P<close>[)\]}])|(?P<comma>,)|(?P<line>[\r\n]|;)"""
    r"""|\w+|[^\w\s]""",
    re.VERBOSE,
)


class UnparsableError(ValueError):
    """No parser takes the text; `line` and `column` are 1-based, the column in code points."""

    def __init__(self, message: str, line: int, column: int) -> None:
        """Keep the message and the place."""
        super().__init__(message)
        self.line = line
        self.column = column


def parse(text: str, *, shortcuts: bool = True) -> ast.Module:
    """Return the syntax tree of a module.

    Raises UnparsableError where neither parser takes the text.
    """
    if shortcuts:
        try:
            return ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            pass
    tree = _by_libcst(text)
    if tree is not None:
        return tree
    try:
        return ast.parse(text)
    except SyntaxError as error:
        line, column = error.lineno or 1, error.offset or 1
        raise UnparsableError(error.msg, max(line, 1), max(column, 1)) from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise UnparsableError("nested too deeply to parse", 1, 1) from error


def _by_libcst(text: str) -> ast.Module | None:
    if _is_too_deep(text):
        return None
    # A hook on a few clean files must not pay for LibCST's import.
    import libcst

    from dal_audit.extract.lower import lower_module

    try:
        return lower_module(text)
    except (libcst.ParserSyntaxError, libcst.CSTLogicError, libcst.CSTValidationError):
        return None  # The last two come of what its parser takes and its tree does not (PEP 750).
    except (RecursionError, TypeError, ValueError):
        return None


def _is_too_deep(text: str) -> bool:
    """Return whether LibCST's recursive parser could exhaust the stack on the text."""
    chains = [0]
    for token in _TOKEN.finditer(text):
        kind = token.lastgroup
        if kind == "open":
            chains.append(0)
            if len(chains) > MAX_NESTING:
                return True
        elif kind == "close":
            if len(chains) > 1:
                chains.pop()
            chains[-1] += 1
        elif kind == "comma" or (kind == "line" and len(chains) == 1):
            chains[-1] = 0
        elif kind is None:
            chains[-1] += 1
            if chains[-1] > MAX_CHAIN:
                return True
    return False
