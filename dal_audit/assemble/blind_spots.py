"""What an audit did not look at: nothing is green because of it, and each says why."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from typing import Final

from dal_audit.assemble.blind_spot import BlindSpot
from dal_audit.assemble.class_hierarchy import hierarchy_of
from dal_audit.assemble.project import Project
from dal_audit.catalogue.rulebook import Rule, clauses, rules
from dal_audit.facts import NotUnderstood
from dal_audit.facts.ci_files import is_ci_configuration
from dal_audit.facts.sql import SqlStatement

_NAMED: Final = 2
"""How many paths a reason names."""


def blind_spots(
    project: Project,
    ran: Iterable[Rule],
    templates: Sequence[str],
    absent: Mapping[str, Sequence[str]],
) -> Iterator[BlindSpot]:
    """Yield what an audit of a project by the rules that ran did not look at.

    `templates` are the paths of files that become Python or SQL once they are filled in,
    `absent` of those that are not there to be read, by why.
    """
    known = frozenset(rule.id for rule in ran)
    yield from _of_rules(known)
    enforced = {clause for rule in rules() if rule.id in known for clause in rule.clauses}
    needs = {clause.needs for clause in clauses() if clause.id in enforced}
    if "driver" in needs:
        yield from _of_drivers(project)
    if "interface" in needs and not hierarchy_of(project).interfaces:
        reason = "no storage interface was found; name yours in `interfaces`"
        yield BlindSpot("interface", reason, is_total=True)
    yield from _of_order(project)
    yield from _of_operations(project)
    yield from _of_notebooks(project)
    yield from _of_files(project, templates)
    yield from _of_workflows(project)
    yield from _of_absent(absent)


def _of_rules(ran: Container[str]) -> Iterator[BlindSpot]:
    """Yield which rules of each clause the configuration leaves out."""
    idle = [
        rule
        for rule in rules()
        if rule.id not in ran and rule.proof == "audit" and rule.severity != "off"
    ]
    for clause in clauses() if idle else ():
        names = [f"`{rule.name}`" for rule in idle if clause.id in rule.clauses]
        if names:
            verb = "does" if len(names) == 1 else "do"
            yield BlindSpot(clause.id, f"{', '.join(names)} {verb} not run")


def _of_drivers(project: Project) -> Iterator[BlindSpot]:
    if not project.imports_driver:
        reason = "no known driver is imported; name yours in `extend-drivers`"
        yield BlindSpot("driver", reason, is_total=True)
    if on_demand := project.modules_on_demand:
        reason = f"what `__getattr__` hands out is not followed: {listed(on_demand)}"
        yield BlindSpot("driver", reason)


def _of_order(project: Project) -> Iterator[BlindSpot]:
    """Yield what of the migrations runs in an order that nothing tells; there may be none."""
    layout = project.layout
    if layout.unordered:
        folders = [folder.folder or "." for folder in layout.unordered]
        reason = f"the order of the SQL is not known in {listed(folders)}"
        yield BlindSpot("order", reason, is_total=not layout.sets)
    elif not layout.sets:
        yield BlindSpot("order", "no set of migrations was found", is_total=True)


def _of_operations(project: Project) -> Iterator[BlindSpot]:
    """Yield which migrations in Python have operations that nobody follows."""
    paths = [
        file.path
        for file in project.files
        if any(
            isinstance(fact, SqlStatement) and fact.within is not None and fact.within.is_unread
            for fact in file.facts
        )
    ]
    if paths:
        yield BlindSpot("sql", f"not all operations are followed: {listed(paths)}")
    audited = {file.path for file in project.files}
    by_form = [
        found.root or "."
        for found in project.layout.sets
        if found.label and not audited.issuperset(own.path for own in found.migrations)
    ]
    if by_form:
        reason = "operations are judged by their forms, and not by what stood before"
        yield BlindSpot("sql", f"{reason}: {listed(by_form)}")


def _of_notebooks(project: Project) -> Iterator[BlindSpot]:
    """Yield which notebooks of storage may hold SQL."""
    paths = [
        file.path
        for file in project.files
        if file.path.endswith(".ipynb") and project.in_storage(file.path)
    ]
    if paths:
        yield BlindSpot("sql", f"SQL in notebooks is not read: {listed(paths)}")


def _of_files(project: Project, templates: Sequence[str]) -> Iterator[BlindSpot]:
    """Yield which files say what nobody could read."""
    torn = [
        file.path
        for file in project.files
        if any(isinstance(fact, NotUnderstood) for fact in file.facts)
    ]
    for paths, what in ((torn, "not understood"), (templates, "templates are not read")):
        by_scope: dict[str, list[str]] = {"ci": [], "python": [], "rust": [], "sql": []}
        for path in paths:
            by_scope[_scope_of(path, project)].append(path)
        for scope, found in by_scope.items():
            if found:
                yield BlindSpot(scope, f"{what}: {listed(found)}")


def _scope_of(path: str, project: Project) -> str:
    """Return which rules cannot see what a file says that nobody could read."""
    if path in project.ci.workflows:
        return "ci"
    if path.endswith(".rs"):
        return "rust"
    return "sql" if ".sql" in path and path not in project.modules else "python"


def _of_workflows(project: Project) -> Iterator[BlindSpot]:
    """Yield what of CI was not read: other systems' files, jobs from elsewhere."""
    if project.ci.foreign:
        yield BlindSpot("ci", f"a CI system that is not read: {listed(project.ci.foreign)}")
    if not project.ci.files:
        return
    from dal_audit.assemble.workflows.coverage import coverage_of  # only where there is CI

    coverage = coverage_of(project)
    leading = [path for path, workflow in sorted(coverage.workflows.items()) if workflow.leads_on]
    if leading:
        yield BlindSpot("ci", f"jobs from further files are not read: {listed(leading)}")
    jobs = [f"{place.path}:{place.span.line}" for place in sorted(coverage.unread)]
    if jobs:
        yield BlindSpot("ci", f"what these jobs call is not read: {listed(jobs)}")


def _of_absent(absent: Mapping[str, Sequence[str]]) -> Iterator[BlindSpot]:
    """Yield which files are not there; what is no file by its name may hold any."""
    for why, paths in absent.items():
        of_sql = [path for path in paths if ".sql" in path.lower()]
        of_ci = [path for path in paths if is_ci_configuration(path)]
        others = [path for path in paths if path not in {*of_sql, *of_ci}]
        for scope, found in (("python", others), ("sql", of_sql), ("ci", of_ci)):
            if found:
                yield BlindSpot(scope, f"{why}: {listed(found)}")


def listed(paths: Sequence[str]) -> str:
    """Return some paths as a sentence names them."""
    shown = ", ".join(paths[:_NAMED])
    return f"{shown} and {len(paths) - _NAMED} more" if len(paths) > _NAMED else shown
