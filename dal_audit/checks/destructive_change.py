"""DAL409 destructive-change."""

from __future__ import annotations

from collections.abc import Iterator

from dal_audit.facts import FileFacts
from dal_audit.project import Project
from dal_audit.remarked import breach_of, remarks
from dal_audit.rule import Breach, check
from dal_audit.sql_facts import SqlStatement


@check("DAL409")
def destructive_change(fact: SqlStatement, file: FileFacts, project: Project) -> Iterator[Breach]:
    """Flag a statement of an up that throws away rows or values."""
    for one, backends in remarks("loss", fact, file, project):
        message = f"{one.reason}: no down can bring that back"
        yield breach_of(one, backends, fact, file.path, message)
