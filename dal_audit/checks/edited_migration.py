"""DAL407 edited-migration."""

from __future__ import annotations

from collections.abc import Iterator

from dal_audit.assemble.migration_sets import is_audited
from dal_audit.assemble.project import Project
from dal_audit.facts import Place, Span
from dal_audit.judge.breach import Breach
from dal_audit.judge.check import check


@check("DAL407")
def edited_migration(project: Project) -> Iterator[Breach]:
    """Flag a migration that was changed, renamed or deleted after it was released."""
    for change in project.edited:
        if change.kind != "deleted" and not is_audited(change.path, project):
            continue
        if change.kind == "deleted":
            message = f"the released migration `{change.before}` is deleted"
        elif change.kind == "renamed":
            message = f"the released migration `{change.before}` is renamed to `{change.path}`"
        else:
            message = f"the released migration `{change.path}` is changed"
        only_back = change.side == "down" and change.kind == "changed"
        yield Breach(
            Place(change.path, Span(change.line, 1, change.line, 1)),
            f"{message}, but only its way back" if only_back else message,
            severity="warning" if only_back else None,
        )
