"""DAL307 backend-admin-statement."""

from __future__ import annotations

from collections.abc import Iterator

from dal_audit.facts import FileFacts
from dal_audit.portable import breaches
from dal_audit.project import Project
from dal_audit.rule import Breach, check
from dal_audit.sql_facts import SqlStatement


@check("DAL307")
def backend_admin_statement(
    fact: SqlStatement, file: FileFacts, project: Project
) -> Iterator[Breach]:
    """Flag a statement that administers one engine."""
    yield from breaches("DAL307", fact, file, project)
