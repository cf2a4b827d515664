"""DAL106 concrete-backend."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct, field

from dal_audit.assemble.class_hierarchy import Class, hierarchy_of
from dal_audit.assemble.project import Project
from dal_audit.facts import FileFacts, Import, Place, Reference, Span, Target
from dal_audit.judge.breach import ROLE_WORDS, Breach, Related, and_more
from dal_audit.judge.check import check


class _Named(Struct):
    """A backend that a statement brings in: by what name and where, and what it is used for."""

    span: Span
    name: str
    backend: Class
    interface: Class
    uses: list[tuple[str, Reference]] = field(default_factory=list)
    """Each use as the file spells it."""


@check("DAL106")
def concrete_backend(fact: Import, file: FileFacts, project: Project) -> Iterator[Breach]:
    """Flag an import of a class that implements a storage interface, outside composition roots.

    It says nothing where no composition roots are configured: somebody has to name the backend.
    """
    roots = project.policy.composition_roots
    if roots is None or project.in_storage(file.path) or project.in_composition_root(file.path):
        return
    if not project.policy.counts_import(type_checking=fact.type_checking):
        return
    found: dict[str, _Named] = {}
    for target in fact.targets:
        for named in _named(fact, target, file.path, project):
            found.setdefault(named.backend.name, named).uses.extend(named.uses)
    if found:
        yield _breach(list(found.values()), fact, file)


def _breach(backends: Sequence[_Named], fact: Import, file: FileFacts) -> Breach:
    """Return the breach of a statement: it stands at the first backend, the uses of all with it."""
    first = backends[0]
    uses = sorted(
        Related(Place(file.path, use.span), f"`{written}` is {ROLE_WORDS[use.role]} here")
        for named in backends
        for written, use in dict.fromkeys(named.uses)
        if use.span != first.span
    )
    interface = first.interface.shape.name
    return Breach(
        Place(file.path, first.span),
        f"`{first.name}`{and_more(len(backends) - 1)} is a concrete backend of `{interface}`; "
        "only a composition root may name it",
        label="a concrete backend comes in here",
        extent=(fact.statement.line, fact.statement.end_line),
        related=(
            Related(
                Place(first.backend.path, first.backend.shape.span),
                f"`{first.backend.shape.name}` implements `{interface}` here",
            ),
            *uses,
        ),
        flow_length=1,
    )


def _named(fact: Import, target: Target, path: str, project: Project) -> Iterator[_Named]:
    """Yield the backends that one name of an import statement brings in.

    The name is a backend, or it is a module and the file reads a backend from it.
    """
    hierarchy = hierarchy_of(project)
    own = hierarchy.find(target.name, path)
    if own is not None:
        pair = hierarchy.backend_of.get(own.name)
        if pair is not None:
            uses = [(fact.written(target, use), use) for use in target.uses]
            yield _Named(target.span, target.bound, *pair, uses)
        return
    for use in target.uses:
        read = hierarchy.find(use.name, path)
        pair = hierarchy.backend_of.get(read.name) if read is not None else None
        if pair is not None:
            written = fact.written(target, use)
            yield _Named(target.span, written, *pair, [(written, use)])
