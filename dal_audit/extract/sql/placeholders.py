"""The parameters of a statement, by the way in which they are written."""

from __future__ import annotations

import re
from typing import Final

from dal_audit.extract.sql.places import Places
from dal_audit.extract.sql.tokens import Kind, Token
from dal_audit.facts.sql import PlaceholderForm, SqlPlaceholder

_FORMS: Final[tuple[tuple[re.Pattern[str], PlaceholderForm], ...]] = (
    (re.compile(r"\$[0-9]+"), "dollar"),
    (re.compile(r"\$"), "dollar-name"),
    (re.compile(r"\?[0-9]+"), "numbered-question"),
    (re.compile(r"\?"), "question"),
    (re.compile(r":"), "colon"),
    (re.compile(r"@"), "at"),
    (re.compile(r"%"), "percent"),
)
"""The first that matches decides."""


def placeholders_of(tokens: tuple[Token, ...], places: Places) -> tuple[SqlPlaceholder, ...]:
    """Return the parameters among a statement's tokens, in order."""
    return tuple(
        SqlPlaceholder(places.span(token.start, token.end), form_of(token.text), token.text)
        for token in tokens
        if token.kind is Kind.PARAMETER
    )


def form_of(text: str) -> PlaceholderForm:
    """Return how a parameter is written. Raises ValueError for a text that is none."""
    for pattern, form in _FORMS:
        if pattern.match(text):
            return form
    raise ValueError(f"`{text}` is no parameter")
