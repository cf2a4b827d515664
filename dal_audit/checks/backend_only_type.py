"""DAL304 backend-only-type."""

from __future__ import annotations

from collections.abc import Iterator

from dal_audit.assemble.project import Project
from dal_audit.facts import FileFacts
from dal_audit.facts.sql import SqlStatement
from dal_audit.judge.breach import Breach
from dal_audit.judge.check import check
from dal_audit.judge.schema_breaches import objections
from dal_audit.judge.sql_portability import portability_breaches


@check("DAL304")
def backend_only_type(fact: SqlStatement, file: FileFacts, project: Project) -> Iterator[Breach]:
    """Flag a type that a target backend rejects, or takes and treats otherwise."""
    yield from portability_breaches("DAL304", fact, file, project)
    yield from objections("DAL304", fact, file, project)
