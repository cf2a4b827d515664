"""DAL409 destructive-change."""

from __future__ import annotations

from collections.abc import Iterator

from dal_audit.assemble.project import Project
from dal_audit.facts import FileFacts
from dal_audit.facts.sql import SqlStatement
from dal_audit.judge.breach import Breach
from dal_audit.judge.check import check
from dal_audit.judge.run_breaches import breach_of, run_findings


@check("DAL409")
def destructive_change(fact: SqlStatement, file: FileFacts, project: Project) -> Iterator[Breach]:
    """Flag a statement of an up that throws away rows or values."""
    for finding, backends in run_findings("data-loss", fact, file, project):
        message = f"{finding.reason}: no down can bring that back"
        yield breach_of(finding, backends, fact, file.path, message)
