"""DAL303 trigger."""

from __future__ import annotations

from collections.abc import Iterator

from dal_audit.facts import FileFacts
from dal_audit.portable import breaches
from dal_audit.project import Project
from dal_audit.rule import Breach, check
from dal_audit.sql_facts import SqlStatement


@check("DAL303")
def trigger(fact: SqlStatement, file: FileFacts, project: Project) -> Iterator[Breach]:
    """Flag a trigger, which no two engines write alike."""
    yield from breaches("DAL303", fact, file, project)
