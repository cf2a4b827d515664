"""DAL309 silent-divergence."""

from __future__ import annotations

from collections.abc import Iterator

from dal_audit.assemble.project import Project
from dal_audit.facts import FileFacts
from dal_audit.facts.sql import SqlStatement
from dal_audit.judge.breach import Breach
from dal_audit.judge.check import check
from dal_audit.judge.schema_breaches import divergences
from dal_audit.judge.sql_portability import mended_breach_of, verdicts


@check("DAL309")
def silent_divergence(file: FileFacts, project: Project) -> Iterator[Breach]:
    """Flag what runs on every backend and is not the same on each, once a construct and file.

    Such a construct is a way of writing that a file repeats on every line: where it stands first is
    the place to decide about it.
    """
    seen: set[str] = set()
    for fact in file.facts:
        if not isinstance(fact, SqlStatement):
            continue
        for kind, breach in _of_statement(fact, file, project):
            if kind not in seen:
                seen.add(kind)
                yield breach


def _of_statement(
    statement: SqlStatement, file: FileFacts, project: Project
) -> Iterator[tuple[str, Breach]]:
    """Yield what a statement does not do alike everywhere, by kinds: by its text, by its types."""
    for verdict in verdicts(statement, file, project):
        if verdict.rule_id == "DAL309":
            yield verdict.feature.id, mended_breach_of(verdict, statement, file)
    yield from divergences(statement, file, project)
