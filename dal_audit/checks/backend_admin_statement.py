"""DAL307 backend-admin-statement."""

from __future__ import annotations

from collections.abc import Iterator

from dal_audit.assemble.project import Project
from dal_audit.facts import FileFacts
from dal_audit.facts.sql import SqlStatement
from dal_audit.judge.breach import Breach
from dal_audit.judge.check import check
from dal_audit.judge.sql_portability import portability_breaches


@check("DAL307")
def backend_admin_statement(
    fact: SqlStatement, file: FileFacts, project: Project
) -> Iterator[Breach]:
    """Flag a statement that administers one engine."""
    yield from portability_breaches("DAL307", fact, file, project)
