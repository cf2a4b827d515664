"""DAL306 backend-only-dml."""

from __future__ import annotations

from collections.abc import Iterator

from dal_audit.facts import FileFacts
from dal_audit.portable import breaches, objections
from dal_audit.project import Project
from dal_audit.rule import Breach, check
from dal_audit.sql_facts import SqlStatement


@check("DAL306")
def backend_only_dml(fact: SqlStatement, file: FileFacts, project: Project) -> Iterator[Breach]:
    """Flag a clause of a query or a change of data that a target backend rejects."""
    yield from breaches("DAL306", fact, file, project)
    yield from objections("DAL306", fact, file, project)
