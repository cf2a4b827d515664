"""DAL403 incomplete-down."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from dal_audit.assemble.project import Project
from dal_audit.facts import FileFacts
from dal_audit.facts.sql import SqlStatement
from dal_audit.judge.breach import Breach
from dal_audit.judge.check import check
from dal_audit.judge.run_breaches import breach_of, run_findings
from dal_audit.judge.sql_portability import join_names, portability_breaches


@check("DAL403")
def incomplete_down(fact: SqlStatement, file: FileFacts, project: Project) -> Iterator[Breach]:
    """Flag what a down leaves or does not bring back, and what fails in it.

    The first stands at the statement of the up that is not undone, the second in the down. What a
    tool's operation fails for when it is taken back, a row of the catalogue says. What a
    backend does not run at all is left to the rules about portability. What comes back as something
    else is a warning: SQLite adds no column that takes no NULL but with a default.
    """
    for finding, backends in run_findings("down", fact, file, project):
        where = join_names(backends)
        message = f"{finding.reason} on {where}"
        if finding.effect == "fails":
            message = f"the down fails on {where}: {finding.reason}"
        breach = breach_of(finding, backends, fact, file.path, message)
        breach = replace(breach, fails_on=breach.fails_later_on, fails_later_on=())
        is_other = finding.effect == "changes-definition"
        yield replace(breach, severity="warning") if is_other else breach
    yield from portability_breaches("DAL403", fact, file, project)
