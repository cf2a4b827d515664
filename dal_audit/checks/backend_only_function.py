"""DAL302 backend-only-function."""

from __future__ import annotations

from collections.abc import Iterator

from dal_audit.assemble.project import Project
from dal_audit.facts import FileFacts
from dal_audit.facts.sql import SqlStatement
from dal_audit.judge.breach import Breach
from dal_audit.judge.check import check
from dal_audit.judge.schema_breaches import objections
from dal_audit.judge.sql_portability import portability_breaches


@check("DAL302")
def backend_only_function(
    fact: SqlStatement, file: FileFacts, project: Project
) -> Iterator[Breach]:
    """Flag a function, operator, literal or constant that a target backend lacks."""
    yield from portability_breaches("DAL302", fact, file, project)
    yield from objections("DAL302", fact, file, project)
