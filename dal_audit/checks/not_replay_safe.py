"""DAL404 not-replay-safe."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from dal_audit.facts import FileFacts
from dal_audit.portable import listed
from dal_audit.project import Project
from dal_audit.remarked import breach_of, rejecting, remarks
from dal_audit.rule import Breach, check
from dal_audit.sql_facts import SqlStatement


@check("DAL404")
def not_replay_safe(fact: SqlStatement, file: FileFacts, project: Project) -> Iterator[Breach]:
    """Flag a statement of an up that fails, or changes something, when its migration is run again.

    What a backend does not run even once is left to the rules about portability.
    """
    found = list(remarks("again", fact, project))
    if not found:
        return
    never = rejecting(fact, file, project)
    for one in found:
        backends = tuple(backend for backend in one.backends if backend not in never)
        if not backends:
            continue
        if one.effect == "fails":
            message = f"a second run fails on {listed(backends)}: {one.reason}"
            yield breach_of(one, file, message, fails_on=backends)
            continue
        what = "the schema" if one.effect == "changes-schema" else "data"
        message = f"a second run changes {what} on {listed(backends)}: {one.reason}"
        breach = breach_of(one, file, message, fails_on=())
        yield breach if one.effect == "changes-schema" else replace(breach, severity="warning")
