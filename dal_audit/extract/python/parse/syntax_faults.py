"""Why a text is no Python, and where: the same words and place on every Python.

Each Python says it in its own words, and takes syntax that is newer than itself for a fault. So
asked are our own tokens and LibCST, which knows all grammars and says what it would have taken.
"""

from __future__ import annotations

import ast
import keyword
import re
from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from dal_audit.extract.python.parse.source_tokens import Fault, SourceTokens, Token
from dal_audit.extract.source import Lines

_SAID: Final = re.compile(
    r"parser error: error at (\d+):(\d+): expected (?:one of )?(.*)", re.DOTALL
)
_KINDS: Final = {
    "NAME": "a name",
    "NUMBER": "a number",
    "STRING": "a string",
    "NEWLINE": "the end of the line",
    "INDENT": "an indented block",
    "DEDENT": "the end of the block",
    "EOF": "the end of the file",
    "ASYNC": "`async`",
    "AWAIT": "`await`",
}
"""What LibCST calls tokens, in words."""
_STATEMENTS_ONCE: Final = frozenset({"print", "exec"})
"""What Python 2 has statements for, and Python 3 functions."""
_OPENERS: Final = frozenset("([{")
_CLOSERS: Final = frozenset(")]}")
_CONSTANTS: Final = frozenset({"None", "True", "False"})
_BEGINNINGS: Final = frozenset({"pass", "DEDENT", "EOF"})
"""What is expected where a statement begins."""
_MOST_EXPECTED: Final = 3
"""Of so many ways to go on at most it helps to be told."""


class _Refused(Struct, frozen=True):
    """What LibCST does not take.

    These are the tokens up to it, what would have been taken in its place, and where the token
    after it begins.
    """

    tokens: list[Token]
    expected: list[str]
    after: int


def fault_of(text: str) -> Fault | None:
    """Return the first fault of a text; None where neither tokens nor LibCST know of one."""
    read = SourceTokens(text)
    if read.fault is not None:
        return _fault_before(text, read.fault.offset) or read.fault
    refused = _refused(text, read.tokens)
    if refused is None:
        return _bad_literal(text, read.tokens)
    if read.unclosed is not None and read.unclosed <= refused.tokens[-1].start:
        return Fault(f"'{text[read.unclosed]}' was never closed", read.unclosed)
    return _told(text, refused.tokens, refused.expected)


def _fault_before(text: str, offset: int) -> Fault | None:
    """Return what is wrong in the lines above a faulty token."""
    above = text[: text.rfind("\n", 0, offset) + 1]
    tokens = SourceTokens(above).tokens
    refused = _refused(above, tokens)
    end = max((token.end for token in tokens if token.kind != "line end"), default=0)
    # That it breaks off is no fault of its own.
    if refused is None or refused.after > end:
        return None
    return _told(above, refused.tokens, refused.expected)


def _refused(text: str, tokens: list[Token]) -> _Refused | None:
    said = _said(text)
    if said is None or not tokens:
        return None
    line, column, expected = int(said[1]), int(said[2]), said[3].split(", ")
    starts = Lines(text).starts
    after = starts[min(line, len(starts)) - 1] + column
    read = [token for token in tokens if token.start < after] or tokens[:1]
    if read[-1].kind == "indent" and len(read) > 1 and not _BEGINNINGS & set(expected):
        read.pop()  # LibCST's indents are without width, at the end of ours.
    return _Refused(read, expected, after)


def _said(text: str) -> re.Match[str] | None:
    import libcst

    try:
        libcst.parse_module(text)
    except libcst.ParserSyntaxError as error:
        return _SAID.match(error.message)
    except (libcst.CSTLogicError, libcst.CSTValidationError, ValueError):
        return None
    return None


def _told(text: str, tokens: list[Token], expected: list[str]) -> Fault:
    """Return what is wrong with the last of some tokens, behind which others were expected."""
    token = tokens[-1]
    before = tokens[-2] if len(tokens) > 1 else token
    if token.kind == "indent":
        return Fault("unexpected indent", token.end)
    if token.kind == "line end" and ":" in expected:
        return Fault("expected ':'", token.start)
    if _is_statement_once(text, tokens):
        word = text[before.start : before.end]
        return Fault(f"Missing parentheses in call to '{word}' (Python 2?)", before.start)
    if text[token.start : token.end] == "=" and _is_value(text, before):
        return Fault("cannot assign here. Maybe you meant '==' instead of '='?", token.start)
    if len(expected) <= _MOST_EXPECTED:
        return Fault(f"expected {_either(expected)}", token.start)
    return Fault(f"invalid syntax{_comma(text, tokens, expected)}", token.start)


def _is_statement_once(text: str, tokens: list[Token]) -> bool:
    """Return whether a value follows the name of what Python 2 has a statement for."""
    *above, word, value = [None, None, *tokens][-3:]
    if word is None or text[word.start : word.end] not in _STATEMENTS_ONCE:
        return False
    begins = above[0] is None or above[0].kind in {"line end", "indent"}
    return begins and value is not None and _is_value(text, value)


def _comma(text: str, tokens: list[Token], expected: list[str]) -> str:
    """Return what is said of a value that stands in brackets, behind another one."""
    token = tokens[-1]
    if "," not in expected or not _is_value(text, token) or text[token.start] in ")]}":
        return ""
    signs = [text[it.start : it.end] for it in tokens if it.kind == "operator"]
    depth = sum((sign in _OPENERS) - (sign in _CLOSERS) for sign in signs)
    return ". Perhaps you forgot a comma?" if depth else ""


def _is_value(text: str, token: Token) -> bool:
    """Return whether a token may be a value, or its end."""
    spelled = text[token.start : token.end]
    if token.kind == "name":
        return spelled in _CONSTANTS or not keyword.iskeyword(spelled)
    return token.kind in {"number", "string", "formatted"} or spelled in _CLOSERS


def _either(expected: Iterable[str]) -> str:
    words = [_KINDS.get(it, it if it.startswith("f-string") else f"'{it}'") for it in expected]
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _bad_literal(text: str, tokens: Iterable[Token]) -> Fault | None:
    """Return the first string that nothing can stand for, for its escapes or its letters."""
    for token in tokens:
        spelled = text[token.start : token.end]
        if token.kind == "string" and len(spelled) > 1 and spelled[-1] in "'\"":
            try:
                ast.literal_eval(spelled)
            except (SyntaxError, ValueError) as error:
                return Fault(getattr(error, "msg", None) or str(error), token.start)
    return None
