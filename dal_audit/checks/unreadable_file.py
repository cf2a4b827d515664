"""DAL901 unreadable-file."""

from __future__ import annotations

from collections.abc import Iterator

from dal_audit.assemble.project import Project
from dal_audit.facts import FileFacts, NotUnderstood, Place
from dal_audit.facts.ci_files import is_ci_configuration
from dal_audit.judge.breach import Breach
from dal_audit.judge.check import check

_VERBS = {
    "unreadable": "cannot be read",
    "undecodable": "cannot be decoded",
    "unparsable": "cannot be parsed",
}
_OF_CI = "Mend the file: its CI system refuses it as well, and runs none of its jobs."


@check("DAL901")
def unreadable_file(fact: NotUnderstood, file: FileFacts, _project: Project) -> Iterator[Breach]:
    """Flag a file that could not be audited, so that it is never passed over in silence."""
    if fact.is_part:
        yield Breach(
            Place(file.path, fact.span),
            f"a part of the file {_VERBS[fact.gap]}: {fact.detail}",
            label="the part begins here",
            severity="warning",
        )
        return
    yield Breach(
        Place(file.path, fact.span),
        f"the file {_VERBS[fact.gap]}: {fact.detail}",
        label="here it ends" if fact.gap == "unparsable" else "",
        remedy=_OF_CI if is_ci_configuration(file.path) else "",
    )
