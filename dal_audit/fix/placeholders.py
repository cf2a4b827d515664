"""Fix the style of placeholders, where the parameters keep their numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from dal_audit.facts import Edit
from dal_audit.facts.sql import PlaceholderForm, SqlPlaceholder
from dal_audit.fix.model import Applicability, Fix

MARKS: Final[Mapping[str, str]] = {"dollar": "$", "numbered-question": "?", "question": "?"}
"""What a placeholder begins with, by the styles that count parameters."""


def in_style(placeholders: Sequence[SqlPlaceholder], style: str) -> Fix | None:
    """Return how a statement's placeholders are written in a style; None where that has no answer.

    SQLite gives `$1` the next free number, whatever it is called, and so does it with `?`
    (sqlite.org/lang_expr.html#varparam): the numbers stay as they are only where each stands first
    in its turn. From numbers to numbers that is safe; drivers bind `?` in ways of their own.
    """
    forms = {placeholder.form for placeholder in placeholders}
    if len(forms) != 1 or style not in MARKS:
        return None
    form = forms.pop()
    numbers = _numbers(form, placeholders)
    if numbers is None or not _keep_their_places(numbers, style):
        return None
    applicability: Applicability = "unsafe" if "question" in {form, style} else "safe"
    texts = [_text(number, style) for number in numbers]
    return Fix(
        f"write `{texts[0]}`" if len(texts) == 1 else f"write `{texts[0]}` and so on",
        tuple(
            Edit(placeholder.span, text)
            for placeholder, text in zip(placeholders, texts, strict=True)
        ),
        applicability,
    )


def _keep_their_places(numbers: Sequence[int], style: str) -> bool:
    """Return whether parameters stand first in their turn, and once each where a mark has none."""
    first = list(dict.fromkeys(numbers))
    if style == "question" and len(first) < len(numbers):
        return False
    return first == list(range(1, max(numbers) + 1))


def _text(number: int, style: str) -> str:
    return MARKS[style] if style == "question" else f"{MARKS[style]}{number}"


def _numbers(form: PlaceholderForm, placeholders: Sequence[SqlPlaceholder]) -> list[int] | None:
    """Return the number of each parameter; None for forms that do not count."""
    if form == "question":
        return list(range(1, len(placeholders) + 1))
    if form in {"dollar", "numbered-question"}:
        return [int(placeholder.text[1:]) for placeholder in placeholders]
    return None
