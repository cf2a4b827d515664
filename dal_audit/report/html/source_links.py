"""Links from places to the sources on the web."""

from __future__ import annotations

import os
from urllib.parse import quote

from dal_audit.facts import Place
from dal_audit.report.html.elements import shown


def located(place: Place, source_url: str) -> str:
    """Return where a place is, as code; with the address of its source, as a link there.

    `{path}`, `{line}` and `{end_line}` of the address stand for the place's.
    """
    span = place.span
    code = f"<code>{shown(place.path)}:{span.line}:{span.column}</code>"
    if not source_url:
        return code
    path = quote(os.fsencode(place.path))
    address = (
        source_url.replace("{path}", path)
        .replace("{line}", str(span.line))
        .replace("{end_line}", str(span.end_line))
    )
    return f'<a href="{shown(address)}" rel="noreferrer">{code}</a>'
