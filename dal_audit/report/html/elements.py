"""Pieces of HTML that the parts of the page share: text is escaped here and nowhere else."""

from __future__ import annotations

import re
from html import escape
from typing import Final

from dal_audit.report.terminal import visible

_CODE: Final = re.compile(r"`([^`]+)`")


def shown(text: str) -> str:
    """Return text for an element or a quoted attribute; what plays tricks is shown as an escape."""
    return escape(visible(text))


def coded(text: str) -> str:
    """Return text with what stands between backticks as code."""
    parts = _CODE.split(text)
    # Every other part is what stood between backticks.
    return "".join(
        f"<code>{shown(part)}</code>" if index % 2 else shown(part)
        for index, part in enumerate(parts)
    )


def option(value: str) -> str:
    """Return one choice of a list."""
    return f'<option value="{shown(value)}">{shown(value)}</option>'
