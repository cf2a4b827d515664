"""Read Python source into a syntax tree: `ast` as a scout, LibCST as the walker of record.

`ast` is ten times as fast but knows only the running Python's grammar; LibCST reads every grammar
on every Python. With shortcuts a file goes to `ast` first, and to LibCST the statements at which
`ast` gives up (`statement_parts`); without, to LibCST first, and whole. Both give the same tree
(`lower`).
"""

from __future__ import annotations

import ast
import re
from bisect import bisect_right
from collections.abc import Iterator
from typing import Any, Final

from dal_audit.extract.parser_warnings import unheard
from dal_audit.extract.python.parse.type_comments import annotate
from dal_audit.extract.python.parse.unknown_syntax import UNKNOWN_KINDS, first_unknown
from dal_audit.extract.source import Lines

MAX_NESTING: Final = 100
"""How deep brackets may nest: LibCST's parser recurses and knows no limit (CPython's is 200)."""

MAX_CHAIN: Final = 1500
"""How many tokens may follow each other without a comma or a new line, for the same reason; and how
many times a lambda or an `elif` may hold the next one."""

_LITERAL: Final = (
    r"""\"{3}(?s:.*?)\"{3}|'{3}(?s:.*?)'{3}"""
    r"""|"(?:[^"\\\r\n]|\\(?:\r\n|[\s\S]))*"|'(?:[^'\\\r\n]|\\(?:\r\n|[\s\S]))*'"""
)
_BRACKETS: Final = r"(?P<open>[(\[{])|(?P<close>[)\]}])|(?P<comma>,)"
_TOKEN: Final = (
    rf"(?P<formatted>(?:[fFtT][rR]?|[rR][fFtT])(?:{_LITERAL}))|{_LITERAL}"
    rf"|\#[^\r\n]*|\\(?:\r\n|\r|\n)|{_BRACKETS}|(?P<line>[\r\n]|;)"
    r"|(?P<holds>lambda\b|elif\b)|\w+|[^\w\s]"
)
_INNER_TOKEN: Final = re.compile(rf"{_BRACKETS}|(?P<holds>lambda\b)|\w+|[^\w\s]")


class UnparsableError(ValueError):
    """No parser takes the text; `line` and `column` are 1-based, the column in code points."""

    def __init__(self, message: str, line: int, column: int) -> None:
        """Keep the message and the place."""
        super().__init__(message)
        self.line = line
        self.column = column


def parse(text: str, *, shortcuts: bool = True) -> ast.Module:
    """Return the syntax tree of a module, with its type comments as annotations.

    Raises UnparsableError where neither parser takes the text, RecursionError where one of them
    could take it on a larger stack (`deep_stack`).
    """
    with unheard():
        tree = _parse(text, shortcuts=shortcuts)
        _refuse_unknown(tree)
        return annotate(tree, text)


def _refuse_unknown(tree: ast.Module) -> None:
    """Raise UnparsableError for syntax that no reader knows: to pass over it would hide it."""
    node: Any = first_unknown(tree, UNKNOWN_KINDS)
    if node is not None:
        kind = type(node).__name__
        raise UnparsableError(
            f"syntax that is newer than this dal-audit (`{kind}`)", node.lineno, node.col_offset + 1
        )


def _parse(text: str, *, shortcuts: bool) -> ast.Module:
    if shortcuts:
        try:
            return ast.parse(text)
        except SyntaxError:
            tree = _by_statements(text)
            if tree is not None:
                return tree
        except (ValueError, RecursionError, MemoryError):
            pass
    exhausted: RecursionError | None = None
    try:
        tree = _by_libcst(text)
    except RecursionError as error:
        tree, exhausted = None, error
    if tree is not None:
        return tree
    try:
        return ast.parse(text)
    except SyntaxError as error:
        if exhausted is not None:
            raise exhausted from error  # LibCST may know the grammar that the running Python lacks.
        raise (_fault_in(text) or _as_this_python_says(error)) from error
    except (ValueError, MemoryError) as error:
        raise (_fault_in(text) or UnparsableError("nested too deeply to parse", 1, 1)) from error


def _fault_in(text: str) -> UnparsableError | None:
    """Return why a text is no Python, in the words of every Python; None if unknown."""
    if is_too_deep(text):
        return None
    from dal_audit.extract.python.parse.syntax_faults import fault_of

    fault = fault_of(text)
    if fault is None:
        return None
    starts = Lines(text).starts
    line = bisect_right(starts, fault.offset)
    return UnparsableError(fault.message, line, fault.offset - starts[line - 1] + 1)


def _as_this_python_says(error: SyntaxError) -> UnparsableError:
    return UnparsableError(error.msg, max(error.lineno or 1, 1), max(error.offset or 1, 1))


def _by_statements(text: str) -> ast.Module | None:
    """Return the tree of a module of which LibCST reads only what is newer than this Python."""
    if "\r" in text or "\f" in text:
        return None
    from dal_audit.extract.python.parse.statement_parts import read_by_statements

    try:
        return read_by_statements(text, _by_libcst)
    except (ValueError, RecursionError, MemoryError):
        return None


def _by_libcst(text: str) -> ast.Module | None:
    """Return LibCST's tree, lowered; None for what it does not take or could not survive.

    Raises RecursionError where lowering it needs a larger stack.
    """
    if is_too_deep(text):
        return None
    # A hook on a few clean files must not pay for LibCST's import.
    import libcst

    from dal_audit.extract.python.parse.libcst_to_ast import lower_module

    try:
        return lower_module(text)
    except (libcst.ParserSyntaxError, libcst.CSTLogicError, libcst.CSTValidationError):
        return None  # The last two come of what its parser takes and its tree does not (PEP 750).
    except (SyntaxError, TypeError, ValueError):
        return None  # A string's escapes are read when it is lowered, and may be no escapes.


def is_too_deep(text: str) -> bool:
    """Return whether LibCST's recursive parser could exhaust the stack on the text."""
    if len(text) <= MAX_NESTING:
        return False
    chains = [0]
    holding = 0
    for kind in _kinds(text):
        _follow(kind, chains)
        holding += kind == "holds"
        if len(chains) > MAX_NESTING or chains[-1] > MAX_CHAIN or holding > MAX_CHAIN:
            return True
    return False


def _follow(kind: str | None, chains: list[int]) -> None:
    """Count a token into the chain of the bracket that it stands in."""
    if kind == "open":
        chains.append(0)
    elif kind == "comma" or (kind == "line" and len(chains) == 1):
        chains[-1] = 0
    elif kind != "line":
        if kind == "close" and len(chains) > 1:
            chains.pop()
        chains[-1] += 1


def _kinds(text: str) -> Iterator[str | None]:
    """Yield the kind of each token; what stands between an f-string's braces is code, too."""
    for token in re.finditer(_TOKEN, text):
        if token.lastgroup == "formatted":
            yield from _kinds_inside(token[0].replace("{{", "").replace("}}", ""))
            yield None
        else:
            yield token.lastgroup


def _kinds_inside(formatted: str) -> Iterator[str | None]:
    """Yield the kinds of the tokens between the braces of an f-string."""
    depth = 0
    for token in _INNER_TOKEN.finditer(formatted):
        kind = token.lastgroup
        if kind == "open" and (depth or token[0] == "{"):
            depth += 1
        elif kind == "close" and depth:
            depth -= 1
        elif not depth or kind in {"open", "close"}:
            continue
        yield kind
