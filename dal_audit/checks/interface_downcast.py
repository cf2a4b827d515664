"""DAL203 interface-downcast."""

from __future__ import annotations

from collections.abc import Iterator

from dal_audit.assemble.class_hierarchy import Class, hierarchy_of
from dal_audit.assemble.project import Project
from dal_audit.facts import FileFacts, Import, Place, Reference, UseKind
from dal_audit.judge.breach import Breach, Related
from dal_audit.judge.check import check

_ASKED: dict[UseKind, str] = {
    "isinstance": "`isinstance` asks for",
    "issubclass": "`issubclass` asks for",
    "cast": "`cast` goes down to",
    "pattern": "a `case` asks for",
    "type": "`type(…)` is compared with",
}


@check("DAL203")
def interface_downcast(fact: Import, file: FileFacts, project: Project) -> Iterator[Breach]:
    """Flag a question for the class behind the storage interface, outside storage.

    Classes that are asked for together (`isinstance(store, (A, B))`) give one breach a line.
    """
    if project.in_storage(file.path) or project.in_composition_root(file.path):
        return
    hierarchy = hierarchy_of(project)
    found: dict[tuple[UseKind, int], list[tuple[Reference, Class, Class]]] = {}
    for use in _questions(fact):
        backend = hierarchy.find(use.name, file.path)
        if backend is not None and backend.name in hierarchy.backend_of:
            pair = hierarchy.backend_of[backend.name]
            found.setdefault((use.role, use.span.line), []).append((use, *pair))
    for (role, _), ((use, backend, interface), *others) in found.items():
        yield Breach(
            Place(file.path, use.span),
            f"{_ASKED[role]} `{backend.shape.name}`, one backend behind the interface "
            f"`{interface.shape.name}`; only {project.storage_description} may know which it is",
            label="a concrete backend",
            related=(
                *(
                    Related(Place(file.path, other.span), f"`{asked.shape.name}` is asked for, too")
                    for other, asked, _ in others
                ),
                Related(Place(backend.path, backend.shape.span), "the backend"),
                Related(Place(interface.path, interface.shape.span), "the interface"),
            ),
        )


def _questions(fact: Import) -> Iterator[Reference]:
    """Yield the uses of what is imported that ask for a class."""
    return (use for target in fact.targets for use in target.uses if use.role in _ASKED)
