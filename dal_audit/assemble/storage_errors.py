"""The errors of storage that stand for drivers' exceptions, configured or found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dal_audit.assemble.class_hierarchy import Class, hierarchy_of
from dal_audit.assemble.memo import FactsInput, query
from dal_audit.assemble.project import POLICY, Project
from dal_audit.facts import ErrorTranslation

_TRANSLATIONS = FactsInput("translations", ErrorTranslation)


@query(
    depends_on=(_TRANSLATIONS, POLICY, hierarchy_of, Project.driver_sources, Project.zones),
)
def storage_errors(project: Project) -> Mapping[str, Class]:
    """Return the class that stands for a driver's exception, by that one's dotted name.

    What handlers in storage raise counts where they all raise the same; what is configured counts
    before. The class is one of a module itself, and none that it derives from a driver's.
    """
    found: dict[str, dict[str, Class]] = {}
    for caught, raised in _translations(project):
        found.setdefault(caught, {})[raised.name] = raised
    errors = {caught: next(iter(each.values())) for caught, each in found.items() if len(each) == 1}
    return {**errors, **dict(_configured(project))}


def _configured(project: Project) -> Iterator[tuple[str, Class]]:
    classes = hierarchy_of(project).classes
    for caught, error in project.policy.error_map:
        found = classes.get(error.replace(":", "."))
        if found is not None:
            yield caught, found


def _translations(project: Project) -> Iterator[tuple[str, Class]]:
    """Yield what storage catches of drivers, and what it raises in its place."""
    for file in project.files:
        if project.in_storage(file.path):
            for fact in file.facts:
                if isinstance(fact, ErrorTranslation):
                    yield from _pairs(fact, file.path, project)


def _pairs(fact: ErrorTranslation, path: str, project: Project) -> Iterator[tuple[str, Class]]:
    """Yield each exception that a handler catches with each error of storage that it raises."""
    raised = [found for name in fact.raised if (found := _own_error(name, path, project))]
    for caught in fact.caught if raised else ():
        source = project.driver_sources.resolve(caught, path)
        if source is not None and source.form == "itself":
            for error in raised:
                yield source.name, error


def _own_error(name: str, path: str, project: Project) -> Class | None:
    """Return the class of storage that a name means, if it is not a driver's in disguise."""
    found = hierarchy_of(project).find(name, path)
    if found is None or "." in found.shape.name or not project.in_storage(found.path):
        return None
    is_driver = project.driver_sources.resolve(found.name, found.path) is not None
    return None if is_driver else found
