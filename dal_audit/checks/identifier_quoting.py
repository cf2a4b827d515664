"""DAL308 identifier-quoting."""

from __future__ import annotations

from collections.abc import Iterator

from dal_audit.facts import FileFacts
from dal_audit.portable import breaches
from dal_audit.project import Project
from dal_audit.rule import Breach, check
from dal_audit.sql_facts import SqlStatement


@check("DAL308")
def identifier_quoting(fact: SqlStatement, file: FileFacts, project: Project) -> Iterator[Breach]:
    """Flag quotes that the target backends read each in their own way."""
    yield from breaches("DAL308", fact, file, project)
