"""DAL305 backend-only-ddl."""

from __future__ import annotations

from collections.abc import Iterator

from dal_audit.assemble.project import Project
from dal_audit.facts import FileFacts
from dal_audit.facts.sql import SqlFileName, SqlStatement
from dal_audit.judge.breach import Breach
from dal_audit.judge.check import check
from dal_audit.judge.schema_breaches import objections
from dal_audit.judge.script_breaches import script_breaches
from dal_audit.judge.sql_portability import portability_breaches


@check("DAL305")
def backend_only_ddl(
    fact: SqlStatement | SqlFileName, file: FileFacts, project: Project
) -> Iterator[Breach]:
    """Flag a clause or statement of DDL that a target backend rejects, or a file that holds one."""
    if isinstance(fact, SqlFileName):
        yield from script_breaches(fact, file, project)
        return
    yield from portability_breaches("DAL305", fact, file, project)
    yield from objections("DAL305", fact, file, project)
