"""A survey in each format; all say the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, TypeAlias, get_args

from dal_audit.port.model import Survey

PortFormat: TypeAlias = Literal["text", "markdown", "json"]
PORT_FORMATS: Final[tuple[PortFormat, ...]] = get_args(PortFormat)


def render_surveys(surveys: Sequence[Survey], form: PortFormat, *, show_all: bool) -> str:
    """Return surveys in a format; without `show_all` text and Markdown fold long lists of places.

    Equal surveys give equal text.
    """
    # Each format is imported when it is asked for.
    if form == "json":
        from dal_audit.port.json_document import render_json

        return render_json(surveys)
    from dal_audit.port.paragraphs import ALL, FOLDED

    shown = ALL if show_all else FOLDED
    if form == "markdown":
        from dal_audit.port.markdown import render_markdown

        return "\n".join(render_markdown(survey, shown) for survey in surveys)
    from dal_audit.port.text import render_text

    return "\n".join(render_text(survey, shown) for survey in surveys)
