"""DAL106 concrete-backend."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct, field

from dal_audit.assemble.class_hierarchy import Class, hierarchy_of
from dal_audit.assemble.engine_stores import engine_stores
from dal_audit.assemble.project import Project
from dal_audit.catalogue.drivers import RUST
from dal_audit.facts import FileFacts, Import, Place, Reference, Span, Target
from dal_audit.judge.breach import ROLE_WORDS, Breach, Related, and_more
from dal_audit.judge.check import check
from dal_audit.judge.import_removal import removal_of


class _Named(Struct):
    """A backend that a statement brings in: by what name and where, and what it is used for."""

    span: Span
    name: str
    backend: Class
    interface: Class | None
    """What it implements; None for a store that is named for one engine and implements nothing."""
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
    found = _backends_of(fact, file, project)
    for name in _named_before(fact, file, project) if _is_rust(found) else ():
        found.pop(name, None)
    if found:
        yield _breach(list(found.values()), fact, file, project)


def _backends_of(fact: Import, file: FileFacts, project: Project) -> dict[str, _Named]:
    """Return the backends that a statement brings in, by their names."""
    found: dict[str, _Named] = {}
    for target in fact.targets:
        for named in _named(fact, target, file.path, project):
            found.setdefault(named.backend.name, named).uses.extend(named.uses)
    return found


def _is_rust(backends: Iterable[str]) -> bool:
    return any(name.startswith(RUST) for name in backends)


def _named_before(fact: Import, file: FileFacts, project: Project) -> Iterator[str]:
    """Yield the backends that statements above name.

    A file of Rust holds several modules, each of which has to take what it uses.
    """
    for other in file.facts:
        if isinstance(other, Import) and other.statement < fact.statement:
            yield from _backends_of(other, file, project)


def _breach(backends: Sequence[_Named], fact: Import, file: FileFacts, project: Project) -> Breach:
    """Return the breach of a statement: it stands at the first backend, the uses of all with it."""
    first = backends[0]
    uses = sorted(
        Related(Place(file.path, use.span), f"`{written}` is {ROLE_WORDS[use.role]} here")
        for named in backends
        for written, use in dict.fromkeys(named.uses)
        if use.span != first.span
    )
    backend = first.backend
    if first.interface is None:
        what = "a store of one engine, and no interface"
        made = f"`{backend.shape.name}` is defined here"
    else:
        interface = first.interface.shape.name
        what = f"a concrete backend of `{interface}`"
        made = f"`{backend.shape.name}` implements `{interface}` here"
    return Breach(
        Place(file.path, first.span),
        f"`{first.name}`{and_more(len(backends) - 1)} is {what}; "
        "only a composition root may name it",
        label="a concrete backend comes in here",
        extent=(fact.statement.line, fact.statement.end_line),
        related=(
            Related(Place(backend.path, backend.shape.span), made, backend.shape.name),
            *uses,
        ),
        flow_length=1,
        fix=removal_of(fact, [named.span for named in backends], file.path, project, "unsafe"),
    )


def _named(fact: Import, target: Target, path: str, project: Project) -> Iterator[_Named]:
    """Yield the backends that one name of an import statement brings in.

    The name is a backend, or it is a module and the file reads a backend from it.
    """
    hierarchy = hierarchy_of(project)
    own = hierarchy.find(target.name, path)
    if own is not None:
        pair = _backend(own, project)
        if pair is not None:
            uses = [(fact.written(target, use), use) for use in target.uses]
            yield _Named(target.span, target.bound, *pair, uses)
        return
    for use in target.uses:
        read = hierarchy.find(use.name, path)
        pair = _backend(read, project) if read is not None else None
        if pair is not None:
            written = fact.written(target, use)
            yield _Named(target.span, written, *pair, [(written, use)])


def _backend(named: Class, project: Project) -> tuple[Class, Class | None] | None:
    """Return a class with the interface behind it, if it is a backend, or a store of one engine."""
    pair = hierarchy_of(project).backend_of.get(named.name)
    if pair is None and named.name in engine_stores(project):
        return named, None
    return pair
