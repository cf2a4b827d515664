"""DAL309 silent-divergence."""

from __future__ import annotations

from collections.abc import Iterator

from dal_audit.facts import FileFacts
from dal_audit.portable import breach_of, judged
from dal_audit.project import Project
from dal_audit.rule import Breach, check
from dal_audit.sql_facts import SqlStatement


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
        for verdict in judged(fact, file, project):
            if verdict.rule_id == "DAL309" and verdict.feature.id not in seen:
                seen.add(verdict.feature.id)
                yield breach_of(verdict, file)
