"""What an editor tells of a finding under the pointer: its way, and the rule's document."""

from __future__ import annotations

from collections.abc import Iterator

from lsprotocol import types

from dal_audit.judge.breach import Finding
from dal_audit.server.diagnostics import range_of


def hover_of(finding: Finding) -> types.Hover:
    """Return the way by which a driver came here, and what the rule's document says."""
    text = "\n".join([*_way(finding), finding.rule.text.strip()])
    return types.Hover(
        types.MarkupContent(types.MarkupKind.Markdown, text), range_of(finding.place.span)
    )


def _way(finding: Finding) -> Iterator[str]:
    related = finding.breach.related[: finding.breach.flow_length]
    for number, step in enumerate(related, 1):
        yield f"{number}. {step.message} — `{step.place.path}:{step.place.span.line}`"
    if related:
        yield ""
