"""DAL304 backend-only-type."""

from __future__ import annotations

from collections.abc import Iterator

from dal_audit.facts import FileFacts
from dal_audit.portable import breaches, objections
from dal_audit.project import Project
from dal_audit.rule import Breach, check
from dal_audit.sql_facts import SqlStatement


@check("DAL304")
def backend_only_type(fact: SqlStatement, file: FileFacts, project: Project) -> Iterator[Breach]:
    """Flag a type that a target backend rejects, or takes and treats otherwise."""
    yield from breaches("DAL304", fact, file, project)
    yield from objections("DAL304", fact, file, project)
