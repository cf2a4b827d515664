"""DAL904 expired-waiver."""

from __future__ import annotations

from collections.abc import Iterator

from dal_audit.assemble.project import Project
from dal_audit.facts import FileFacts
from dal_audit.judge.breach import Breach, WaiverUse
from dal_audit.judge.check import check


@check("DAL904")
def expired_waiver(use: WaiverUse, _file: FileFacts | None, project: Project) -> Iterator[Breach]:
    """Flag a waiver that does not hold: past its date, before it, or without a reason."""
    if use.flaw:
        key = (
            "expires" if "expired" in use.flaw else "granted" if "granted" in use.flaw else "reason"
        )
        yield Breach(
            project.place_of(("waivers", use.index, key)),
            f"the waiver `{use.waiver.id}` does not hold: {use.flaw}",
        )
