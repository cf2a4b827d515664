"""DAL505 tests-not-parameterised."""

from __future__ import annotations

from collections.abc import Iterator

from dal_audit.assemble.project import Project
from dal_audit.assemble.workflows.coverage import coverage_of
from dal_audit.assemble.workflows.suites import Suites
from dal_audit.facts import Place
from dal_audit.facts.ci import SuiteFile
from dal_audit.judge.breach import Breach
from dal_audit.judge.check import check


@check("DAL505")
def tests_not_parameterised(project: Project) -> Iterator[Breach]:
    """Flag a file of storage tests that fixes one target backend, and has no twin for another."""
    coverage = coverage_of(project)
    targets: set[str] = set(coverage.targets)
    if len(targets) < 2:  # noqa: PLR2004  # nothing to be run on
        return
    for path, suite in sorted(coverage.suites.storage.items()):
        fixed = coverage.suites.fixed(path, targets)
        if fixed is None:
            continue
        own = set(fixed.backends) & targets
        others = sorted(targets - own)
        if _has_twin(path, suite, coverage.suites, set(others)):
            continue
        if coverage.suites.pinned(path) is None and coverage.repeats(others):
            continue
        named = " and ".join(f"`{name}`" for name in sorted(own))
        message = f"runs on {named} only; nothing runs it on `{others[0]}`"
        yield Breach(Place(path, fixed.span), message, extent=fixed.extent)


def _has_twin(path: str, suite: SuiteFile, suites: Suites, others: set[str]) -> bool:
    """Return whether another file may run the same on another backend.

    A list of parameters in the file itself says plainly what its tests run on.
    """
    if suites.pinned(path) is not None:
        return any(
            others & {name for named in twin.named for name in named.backends}
            and set(twin.tests) & set(suite.tests)
            for other, twin in suites.storage.items()
            if other != path
        )
    return any(
        others & {name for named in twin.named for name in named.backends}
        for other, twin in suites.reach.items()
        if other != path
    )
