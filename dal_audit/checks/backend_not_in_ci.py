"""DAL501 backend-not-in-ci."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dal_audit.assemble.project import Project
from dal_audit.assemble.workflows.coverage import Coverage, coverage_of
from dal_audit.assemble.workflows.guards import silences_of
from dal_audit.assemble.workflows.matrix import emptied_by, words_of
from dal_audit.catalogue.backend_names import backends_named
from dal_audit.facts import Place, Span
from dal_audit.judge.breach import Breach, Related
from dal_audit.judge.check import check

START = Span(1, 1, 1, 1)


@check("DAL501")
def backend_not_in_ci(project: Project) -> Iterator[Breach]:
    """Flag a target backend that no CI job runs the storage tests on.

    Where tests skip for lack of a backend, the guard is the one finding (DAL503).
    """
    coverage = coverage_of(project)
    targets = coverage.targets
    if coverage.is_elsewhere or (len(targets) < 2 and not coverage.are_configured):  # noqa: PLR2004
        return
    skipped = {backend for silence in silences_of(project) for backend in silence.backends}
    missing = [name for name in targets if not coverage.legs_for(name) and name not in skipped]
    if not missing or (not project.ci.files and len(targets) < 2):  # noqa: PLR2004
        return
    shown = " and ".join(f"`{name}`" for name in missing)
    place, related = _place(coverage, missing)
    others = [name for name in targets if coverage.legs_for(name)]
    message = f"no CI job runs the storage tests on {shown}"
    if others and coverage.legs:
        only = " and ".join(f"`{name}`" for name in others)
        message += f"; `{coverage.legs_for(others[0])[0].job.name}` runs them on {only} only"
    yield Breach(place, message, related=(*related, *_shown_by(coverage, missing)))


def _shown_by(coverage: Coverage, missing: Sequence[str]) -> Iterator[Related]:
    """Yield what makes a backend a target that nobody configured."""
    for name in missing if not coverage.are_configured else ():
        if name in coverage.declared:
            place, by = coverage.declared[name]
            yield Related(place, f"`{by}` declares `{name}`")


def _place(coverage: Coverage, missing: Sequence[str]) -> tuple[Place, tuple[Related, ...]]:
    """Return where a leg is missing, and the legs that are there."""
    for path, workflow in sorted(coverage.workflows.items()):
        for job in workflow.jobs:
            for data, taken in emptied_by(job.matrix, {}) if job.matrix else ():
                named = {
                    name
                    for combination in taken
                    for word in words_of(dict(combination))
                    for name in backends_named(word)
                }
                if named.intersection(missing):
                    return Place(path, data.span), ()
    legs = sorted(coverage.legs or coverage.all_legs, key=lambda leg: leg.job_place)
    if legs:
        seen = dict.fromkeys((leg.place, leg.title) for leg in legs)
        related = [Related(place, f"{title} runs the tests here") for place, title in seen]
        return legs[0].job_place, tuple(related[:4])
    first = next(iter(sorted(coverage.workflows)), coverage.ci.anchor)
    return Place(first or ".", START), ()
