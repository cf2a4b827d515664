"""DAL410 schema-differs."""

from __future__ import annotations

from collections.abc import Iterator

from dal_audit.assemble.project import Project
from dal_audit.catalogue.engine_names import ENGINE_TITLES
from dal_audit.facts import FileFacts, Place
from dal_audit.facts.replay import SchemaDifference
from dal_audit.judge.breach import Breach
from dal_audit.judge.check import check

PRESENCE = frozenset({"table", "view", "column", "index"})
"""What is either there or not, and an index besides in one way or another."""


@check("DAL410")
def schema_differs(fact: SchemaDifference, file: FileFacts, _project: Project) -> Iterator[Breach]:
    """Flag a part of a schema that two engines made differently of the same migrations."""
    what = f"{fact.kind.replace('-', ' ')} of `{fact.subject}`"
    has = [ENGINE_TITLES[engine] for engine, value in fact.values if value is not None]
    lacks = [ENGINE_TITLES[engine] for engine, value in fact.values if value is None]
    if fact.kind in PRESENCE and lacks:
        message = f"{', '.join(has)} has the {fact.kind} `{fact.subject}`, {lacks[0]} has not"
    else:
        said = " and ".join(
            f"`{value}` on {ENGINE_TITLES[engine]}" if value else f"none on {ENGINE_TITLES[engine]}"
            for engine, value in fact.values
        )
        message = f"the {what} {'are' if fact.kind.endswith('s') else 'is'} {said}"
    lines = (fact.span.line, fact.span.end_line)
    yield Breach(Place(file.path, fact.span), message, extent=lines, fails_on=())
