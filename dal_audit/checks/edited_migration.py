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
    for one in project.edited:
        if one.fate != "deleted" and not is_audited(one.path, project):
            continue
        if one.fate == "deleted":
            message = f"the released migration `{one.before}` is deleted"
        elif one.fate == "renamed":
            message = f"the released migration `{one.before}` is renamed to `{one.path}`"
        else:
            message = f"the released migration `{one.path}` is changed"
        only_back = one.side == "down" and one.fate == "changed"
        yield Breach(
            Place(one.path, Span(one.line, 1, one.line, 1)),
            f"{message}, but only its way back" if only_back else message,
            severity="warning" if only_back else None,
        )
