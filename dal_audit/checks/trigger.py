"""DAL303 trigger."""

from __future__ import annotations

from collections.abc import Iterator

from dal_audit.assemble.project import Project
from dal_audit.facts import FileFacts
from dal_audit.facts.sql import SqlStatement
from dal_audit.judge.breach import Breach
from dal_audit.judge.check import check
from dal_audit.judge.sql_portability import portability_breaches


@check("DAL303")
def trigger(fact: SqlStatement, file: FileFacts, project: Project) -> Iterator[Breach]:
    """Flag a trigger, which no two engines write alike."""
    yield from portability_breaches("DAL303", fact, file, project)
