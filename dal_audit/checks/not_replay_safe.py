"""DAL404 not-replay-safe."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from dal_audit.assemble.engine_modules import backends_for
from dal_audit.assemble.library_versions import alembic_version
from dal_audit.assemble.project import Project
from dal_audit.facts import FileFacts
from dal_audit.facts.sql import SqlStatement
from dal_audit.fix.guards import guarded
from dal_audit.judge.breach import Breach
from dal_audit.judge.check import check
from dal_audit.judge.run_breaches import breach_of, run_findings
from dal_audit.judge.sql_portability import join_names


@check("DAL404")
def not_replay_safe(fact: SqlStatement, file: FileFacts, project: Project) -> Iterator[Breach]:
    """Flag a statement of an up that fails, or changes something, when its migration is run again.

    What a backend does not run even once is left to the rules about portability.
    """
    for finding, backends in run_findings("rerun-all", fact, file, project):
        message = (
            f"a second run of all migrations fails on {join_names(backends)}: {finding.reason}"
        )
        yield breach_of(finding, backends, fact, file.path, message)
    for finding, backends in run_findings("rerun", fact, file, project):
        where = join_names(backends)
        if finding.effect == "fails":
            message = f"a second run fails on {where}: {finding.reason}"
            breach = breach_of(finding, backends, fact, file.path, message)
            run_by = backends_for(fact, file.path, project)
            fix = guarded(fact, finding.span, run_by, alembic_version(project))
            yield replace(breach, fix=fix)
            continue
        what = "the schema" if finding.effect == "changes-schema" else "data"
        message = f"a second run changes {what} on {where}: {finding.reason}"
        breach = breach_of(finding, backends, fact, file.path, message)
        yield breach if finding.effect == "changes-schema" else replace(breach, severity="warning")
