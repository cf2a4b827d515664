"""Origins: where findings in many files have the one cause that a change could mend."""

from __future__ import annotations

from itertools import takewhile

from dal_audit.assemble.project import Project
from dal_audit.catalogue.drivers import RUST
from dal_audit.judge.breach import Breach, Origin, Related


def origin_of(breach: Breach, project: Project) -> Origin | None:
    """Return what handed a driver's object on to a breach's file; None where no other file did.

    Of a way through storage that is the last step in it: there the object goes out. Of any other
    way it is the last step in the file that the way begins in.
    """
    way = breach.related[: breach.flow_length]
    if not way:
        return None
    first = way[0].place.path

    def is_inside(step: Related) -> bool:
        path = step.place.path
        return project.in_storage(path) if project.in_storage(first) else path == first

    inside = [step for step in takewhile(is_inside, way) if step.place.path != breach.place.path]
    if not inside:
        return None
    step = inside[-1]
    return Origin(_full_name(step, project), step.place, step.message)


def _full_name(step: Related, project: Project) -> str:
    """Return what a step hands on, with the module that does, as the language spells it."""
    module = project.module_name(step.place.path)
    name = f"{module}.{step.name}" if module and step.name else module or step.name
    return name.removeprefix(RUST).replace(".", "::") if name.startswith(RUST) else name
