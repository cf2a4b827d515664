"""DAL311 unparsed-sql."""

from __future__ import annotations

from collections.abc import Iterator

from dal_audit.assemble.engine_modules import backends_for
from dal_audit.assemble.project import Project
from dal_audit.facts import FileFacts, Place
from dal_audit.facts.sql import SqlStatement
from dal_audit.judge.breach import Breach
from dal_audit.judge.check import check
from dal_audit.judge.sql_portability import extent_of, join_names, verdicts


@check("DAL311")
def unparsed_sql(fact: SqlStatement, file: FileFacts, project: Project) -> Iterator[Breach]:
    """Flag a statement that no target's grammar takes, unless another rule says why it fails."""
    if fact.is_template:
        yield from _left_out(fact, file, project)
        return
    if not fact.flaw:
        return
    told = {name for verdict in verdicts(fact, file, project) for name in verdict.fails_on}
    every = backends_for(fact, file.path, project)
    backends = tuple(backend for backend in every if backend not in told)
    if not backends:
        return
    none = "does not take" if len(backends) == 1 else "do not take"
    yield Breach(
        Place(file.path, fact.flaw_span or fact.span),
        f"{join_names(backends)} {none} this statement: {fact.flaw}",
        label="up to here it was understood",
        extent=extent_of(fact, fact.span),
        fails_on=backends,
    )


def _left_out(fact: SqlStatement, file: FileFacts, project: Project) -> Iterator[Breach]:
    """Note at the first of a file's statements that a template makes that they are left out."""
    made = [own for own in file.facts if isinstance(own, SqlStatement) and own.is_template]
    if fact is not made[0] or not project.sql_files.backends_of(file.path):
        return
    count = f"{len(made)} statements of this file are" if len(made) > 1 else "this statement is"
    yield Breach(
        Place(file.path, fact.flaw_span or fact.span),
        f"{count} not judged: a template decides what is run",
        label="the first is here" if len(made) > 1 else "",
        extent=(fact.span.line, fact.span.end_line),
        severity="warning",
        fails_on=(),
        remedy="Render the template, and have what it gives audited.",
    )
