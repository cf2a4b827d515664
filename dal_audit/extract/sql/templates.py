"""Which statements of a text a template makes, so that nobody knows them before it is filled in.

What is filled in for a name is a part of that (`cursor.py`). What decides, repeats or calls makes
other statements of those that it stands in or around: Go's `{{if .x}} … {{end}}`, Jinja's
`{% if x %} … {% endif %}`, a call that stands for a statement, Python's `{schema}`.
Sources: Go's `text/template`, Jinja's template designer documentation.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from dal_audit.extract.sql.tokens import Kind, Token

_ACTION: Final = re.compile(
    r"\{\{-?\s*(?P<go>if|else|end|range|with|define|block|template|break|continue)\b"
    r"|\{%-?\s*(?P<jinja>\w+)"
)
_OPENS: Final = frozenset(
    {"if", "range", "with", "define", "block", "for", "macro", "call", "filter"}
)
_OF_NAMES: Final = frozenset({Kind.TEMPLATE, Kind.WORD, Kind.NUMBER})
_COMMENT: Final = re.compile(r"\{\{-?\s*/\*.*\*/\s*-?\}\}\Z", re.DOTALL)


class Templates:
    """Follows the blocks of a text's template from statement to statement."""

    def __init__(self) -> None:
        """Begin outside all blocks."""
        self._open = 0

    def made_by_template(self, tokens: Sequence[Token]) -> bool:
        """Return whether a statement is no more than what a template makes of it.

        Statements are asked for in their order.
        """
        is_inside = self._open > 0
        has_action = False
        for token in tokens:
            for found in _ACTION.finditer(token.text) if token.kind is Kind.TEMPLATE else ():
                has_action = True
                self._enter_or_leave(found["go"] or found["jinja"])
        return is_inside or has_action or _begins_with_call(tokens) or _has_holes(tokens)

    def _enter_or_leave(self, word: str) -> None:
        if word in _OPENS:
            self._open += 1
        elif word.startswith("end") and self._open:
            self._open -= 1


def rendered(tokens: tuple[Token, ...]) -> tuple[Token, ...]:
    """Return a statement's tokens without its template's comments, each name as one token.

    What touches something that is filled in belongs to it: `{{.prefix}}users`.
    """
    if all(token.kind is not Kind.TEMPLATE for token in tokens):
        return tokens
    found: list[Token] = []
    for token in tokens:
        if _is_comment(token):
            continue
        if found and _touch(found[-1], token):
            text = found[-1].text + token.text
            found[-1] = found[-1]._replace(kind=Kind.TEMPLATE, text=text, end=token.end)
        else:
            found.append(token)
    return tuple(found)


def _touch(before: Token, token: Token) -> bool:
    """Return whether two tokens are one name: one of them is filled in, and nothing is between."""
    kinds = {before.kind, token.kind}
    return before.end == token.start and Kind.TEMPLATE in kinds and kinds <= _OF_NAMES


def _is_comment(token: Token) -> bool:
    """Return whether a token is a comment of a template: `{{/* … */}}`."""
    return token.kind is Kind.TEMPLATE and _COMMENT.match(token.text) is not None


def _begins_with_call(tokens: Sequence[Token]) -> bool:
    return bool(tokens) and tokens[0].kind is Kind.TEMPLATE


def _has_holes(tokens: Sequence[Token]) -> bool:
    """Return whether Python's `str.format` fills in a name: `{schema}`."""
    return any(
        token.kind is Kind.UNKNOWN
        and token.text == "{"
        and tokens[place + 2 : place + 3]
        and tokens[place + 2].text == "}"
        for place, token in enumerate(tokens)
    )
