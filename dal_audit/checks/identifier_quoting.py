"""DAL308 identifier-quoting."""

from __future__ import annotations

from collections.abc import Iterator

from dal_audit.assemble.project import Project
from dal_audit.facts import FileFacts
from dal_audit.facts.sql import SqlStatement
from dal_audit.judge.breach import Breach
from dal_audit.judge.check import check
from dal_audit.judge.sql_portability import portability_breaches


@check("DAL308")
def identifier_quoting(fact: SqlStatement, file: FileFacts, project: Project) -> Iterator[Breach]:
    """Flag quotes that the target backends read each in their own way."""
    yield from portability_breaches("DAL308", fact, file, project)
