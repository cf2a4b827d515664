"""DAL902 nothing-audited."""

from __future__ import annotations

from collections.abc import Iterator

from dal_audit.assemble.project import Project
from dal_audit.facts import START, Place
from dal_audit.judge.breach import Breach
from dal_audit.judge.check import check
from dal_audit.policy import compile_globs

NOTHING = "it holds no Python file and no SQL migration"


@check("DAL902")
def nothing_audited(project: Project) -> Iterator[Breach]:
    """Flag an audit that looked at nothing, and a storage package or interface that is missing."""
    for folder in project.empty:
        what = "nothing was audited" if folder == "." else f"nothing in `{folder}` was audited"
        below = "" if folder == "." else f"{folder}/"
        hidden = any(path.startswith(below) for path in project.modules)
        why = "`exclude` or `include` leaves all of it out" if hidden else NOTHING
        yield Breach(Place(folder, START), f"{what}: {why}")
    if not project.files and not project.empty:
        yield Breach(project.place_of(()), f"nothing was audited: {NOTHING}")
    yield from _missing_storage(project)
    yield from _missing_interfaces(project)


def _missing_storage(project: Project) -> Iterator[Breach]:
    for index, glob in enumerate(project.policy.storage or ()):
        if not any(map(compile_globs([glob], anchored=True), project.modules)):
            yield Breach(
                project.place_of(("storage", index)),
                f"the storage package `{glob}` does not exist: no file matches it",
                label="matches no file",
            )


def _missing_interfaces(project: Project) -> Iterator[Breach]:
    for index, interface in enumerate(project.policy.interfaces or ()):
        module = interface.partition(":")[0]
        if not project.has_module(module):
            yield Breach(
                project.place_of(("interfaces", index)),
                f"the interface `{interface}` does not exist: there is no module `{module}`",
                label="names no module",
            )
