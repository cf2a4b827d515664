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
    missing = _missing(coverage, project)
    if missing:
        place, related = _place(coverage, missing)
        message = f"no CI job runs the storage tests on {_listed(missing)}"
        others = [name for name in coverage.targets if coverage.legs_for(name)]
        if others and coverage.legs:
            job = coverage.legs_for(others[0])[0].job.name
            message += f"; `{job}` runs them on {_listed(others)} only"
        yield Breach(place, message, related=(*related, *_shown_by(coverage, missing)))


def _missing(coverage: Coverage, project: Project) -> list[str]:
    """Return the targets without a job, where CI is what tests, and there are several."""
    is_one = len(coverage.targets) < 2  # noqa: PLR2004
    is_asked_of_ci = coverage.are_configured and project.ci.files
    if coverage.is_elsewhere or (is_one and not is_asked_of_ci):
        return []
    skipped = {backend for silence in silences_of(project) for backend in silence.backends}
    return [
        name for name in coverage.targets if not coverage.legs_for(name) and name not in skipped
    ]


def _listed(names: Sequence[str]) -> str:
    return " and ".join(f"`{name}`" for name in names)


def _shown_by(coverage: Coverage, missing: Sequence[str]) -> Iterator[Related]:
    """Yield what makes a backend a target that nobody configured."""
    for name in missing if not coverage.are_configured else ():
        if name in coverage.declared:
            place, by = coverage.declared[name]
            yield Related(place, f"`{by}` declares `{name}`")


def _excluded(coverage: Coverage, missing: Sequence[str]) -> Iterator[Place]:
    """Yield where a matrix takes legs of the missing backends out."""
    for path, workflow in sorted(coverage.workflows.items()):
        matrices = (job.matrix for job in workflow.jobs if job.matrix)
        for data, taken in (pair for matrix in matrices for pair in emptied_by(matrix, {})):
            words = (word for combination in taken for word in words_of(dict(combination)))
            named = {name for word in words for name in backends_named(word)}
            if named.intersection(missing):
                yield Place(path, data.span)


def _place(coverage: Coverage, missing: Sequence[str]) -> tuple[Place, tuple[Related, ...]]:
    """Return where a leg is missing, and the legs that are there."""
    excluded = next(_excluded(coverage, missing), None)
    if excluded is not None:
        return excluded, ()
    legs = sorted(coverage.legs or coverage.all_legs, key=lambda leg: leg.job_place)
    if legs:
        seen = dict.fromkeys((leg.place, leg.title) for leg in legs)
        related = [Related(place, f"{title} runs the tests here") for place, title in seen]
        return legs[0].job_place, tuple(related[:4])
    first = next(iter(sorted(coverage.workflows)), coverage.ci.anchor)
    return Place(first or ".", START), ()
