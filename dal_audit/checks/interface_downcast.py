"""DAL203 interface-downcast."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from dal_audit.assemble.class_hierarchy import Class, hierarchy_of
from dal_audit.assemble.project import Project
from dal_audit.facts import ClassNameTest, FileFacts, Import, Place, Reference, Span, UseKind
from dal_audit.judge.breach import Breach, Related
from dal_audit.judge.check import check

_ASKED: dict[UseKind, str] = {
    "isinstance": "`isinstance` asks for",
    "issubclass": "`issubclass` asks for",
    "cast": "`cast` goes down to",
    "pattern": "a `case` asks for",
    "type": "`type(…)` is compared with",
    "downcast": "a downcast asks for",
}


class _Question(Struct, frozen=True):
    """A place where a backend is asked for, in words, with its interface."""

    span: Span
    words: str
    backend: Class
    interface: Class


@check("DAL203")
def interface_downcast(
    fact: Import | ClassNameTest, file: FileFacts, project: Project
) -> Iterator[Breach]:
    """Flag a question for the class behind the storage interface, outside storage.

    Classes that are asked for together (`isinstance(store, (A, B))`) give one breach a line.
    """
    if project.in_storage(file.path) or project.in_composition_root(file.path):
        return
    questions = (
        _by_class(fact, file, project) if isinstance(fact, Import) else _by_name(fact, project)
    )
    found: dict[tuple[str, int], list[_Question]] = {}
    for question in questions:
        found.setdefault((question.words, question.span.line), []).append(question)
    for first, *others in found.values():
        yield _breach(first, others, file, project)


def _breach(
    first: _Question, others: Sequence[_Question], file: FileFacts, project: Project
) -> Breach:
    backend, interface = first.backend, first.interface
    return Breach(
        Place(file.path, first.span),
        f"{first.words} `{backend.shape.name}`, one backend behind the interface "
        f"`{interface.shape.name}`; only {project.storage_description} may know which it is",
        label="a concrete backend",
        related=(
            *(
                Related(
                    Place(file.path, other.span), f"`{other.backend.shape.name}` is asked for, too"
                )
                for other in others
            ),
            Related(Place(backend.path, backend.shape.span), "the backend"),
            Related(Place(interface.path, interface.shape.span), "the interface"),
        ),
    )


def _by_class(fact: Import, file: FileFacts, project: Project) -> Iterator[_Question]:
    """Yield the questions for a backend that is imported."""
    hierarchy = hierarchy_of(project)
    for use in _questions(fact):
        backend = hierarchy.find(use.name, file.path)
        if backend is not None and backend.name in hierarchy.backend_of:
            yield _Question(use.span, _ASKED[use.role], *hierarchy.backend_of[backend.name])


def _by_name(fact: ClassNameTest, project: Project) -> Iterator[_Question]:
    """Yield the questions for a backend by the name of its class."""
    for backend, interface in hierarchy_of(project).backend_of.values():
        if {backend.shape.name, backend.shape.name.rpartition(".")[2]}.intersection(fact.names):
            yield _Question(fact.span, "the name of a class is compared with", backend, interface)


def _questions(fact: Import) -> Iterator[Reference]:
    """Yield the uses of what is imported that ask for a class."""
    return (use for target in fact.targets for use in target.uses if use.role in _ASKED)
