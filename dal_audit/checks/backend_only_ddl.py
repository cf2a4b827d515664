"""DAL305 backend-only-ddl."""

from __future__ import annotations

from collections.abc import Iterator

from dal_audit.facts import FileFacts
from dal_audit.portable import breaches, objections
from dal_audit.project import Project
from dal_audit.rule import Breach, check
from dal_audit.sql_facts import SqlStatement


@check("DAL305")
def backend_only_ddl(fact: SqlStatement, file: FileFacts, project: Project) -> Iterator[Breach]:
    """Flag a clause or statement of DDL that a target backend rejects."""
    yield from breaches("DAL305", fact, file, project)
    yield from objections("DAL305", fact, file, project)
