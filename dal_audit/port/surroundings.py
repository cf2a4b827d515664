"""What around the code is for an engine of today: migration sets, jobs of CI, dependencies."""

from __future__ import annotations

from collections.abc import Iterator

from dal_audit.assemble.project import Project
from dal_audit.assemble.workflows.coverage import Coverage, coverage_of
from dal_audit.catalogue.engine_names import SQLITE, Engine
from dal_audit.facts import START, Place
from dal_audit.port.model import Hold, Remark, title_of, titles_of
from dal_audit.port.projection import has_own_sets, sets_of_others


def set_holds(project: Project, target: Engine) -> Iterator[Hold]:
    """Yield the sets of migrations that are for other engines, where none is for the target."""
    if has_own_sets(project, target):
        return
    for own in sets_of_others(project, target):
        yield Hold(
            "migrations",
            Place(own.root or ".", START),
            f"this set ({own.tool}) is for {titles_of(sorted(own.engines()))} alone",
            f"Write a set for {title_of(target)} that makes the same schema; what this one holds "
            "was judged as if it were that set.",
        )


def ci_holds(project: Project, target: Engine) -> Iterator[Hold]:
    """Yield what keeps the target from being tested, as far as CI and manifests are there."""
    if not project.ci.files:
        return
    coverage = coverage_of(project)
    if coverage.workflows and not coverage.is_elsewhere and not coverage.legs_for(target):
        yield Hold(
            "ci",
            _jobs_place(coverage),
            f"no CI job runs the storage tests on {title_of(target)}",
            f"Add a leg that runs them on {title_of(target)}, waits for it, and blocks.",
            "DAL501",
        )
    if target != SQLITE and coverage.declared and target not in coverage.declared:
        place, by = next(iter(coverage.declared.values()))
        yield Hold(
            "dependencies",
            place,
            f"`{by}` is declared, and no driver of {title_of(target)}",
            f"Declare a driver of {title_of(target)}, as an extra where not all need it.",
        )


def ci_gaps(project: Project, target: Engine) -> Iterator[Remark]:
    """Yield a remark where no file tells how the project is tested."""
    if not (project.ci.files and coverage_of(project).workflows) and not project.ci.foreign:
        yield Remark(f"no CI was found that could run the tests on {title_of(target)}")


def _jobs_place(coverage: Coverage) -> Place:
    """Return the job that runs the tests today; the first file of CI where none does."""
    legs = sorted(coverage.legs or coverage.all_legs, key=lambda leg: leg.job_place)
    if legs:
        return legs[0].job_place
    return Place(min(coverage.workflows), START)
