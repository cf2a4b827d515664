"""How a driver's exception that is caught outside storage becomes the error that storage raises."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dal_audit.assemble.class_hierarchy import Class, hierarchy_of
from dal_audit.assemble.driver_objects import DriverSource
from dal_audit.assemble.project import Project
from dal_audit.assemble.storage_errors import storage_errors
from dal_audit.facts import (
    CaughtTuple,
    Edit,
    FileFacts,
    HandlerTies,
    Import,
    ModuleExports,
    Span,
)
from dal_audit.fix.model import Fix
from dal_audit.fix.new_imports import new_import


def translated(
    caught: Sequence[tuple[Span, DriverSource]], file: FileFacts, project: Project
) -> Fix | None:
    """Return how a clause catches storage's own errors; None where one of them is not known.

    Nor is it told where the handler reads what the driver's exception alone has, or where another
    one beside it catches storage's error already, or a base of that. It is unsafe: what is called
    there may let the driver's exception through.
    """
    known = storage_errors(project)
    errors = {span: known.get(source.name) for span, source in caught}
    if any(_is_tied(span, error, file, project) for span, error in errors.items()):
        return None
    edits: dict[Edit, None] = {}
    for span, error in errors.items():
        named = None if error is None else _named(error, file, project)
        if named is None:
            return None
        bound, imports = named
        edits |= dict.fromkeys((Edit(_whole(span, error, file, project), bound), *imports))
    names = dict.fromkeys(error.shape.name for error in errors.values() if error is not None)
    words = " and ".join(f"`{name}`" for name in names)
    return Fix(f"catch {words}, which storage raises in its place", tuple(edits), "unsafe")


def _is_tied(span: Span, error: Class | None, file: FileFacts, project: Project) -> bool:
    """Return whether a clause that catches something at a place can catch no other error."""
    ties = [
        fact for fact in file.facts if isinstance(fact, HandlerTies) and _holds(fact.span, span)
    ]
    if error is None or any(fact.is_inspected for fact in ties):
        return True
    hierarchy = hierarchy_of(project)
    beside = (hierarchy.find(name, file.path) for fact in ties for name in fact.beside)
    ancestors = {ancestor.name for ancestor in hierarchy.ancestors(error)}
    return any(other is not None and other.name in ancestors for other in beside)


def _holds(whole: Span, part: Span) -> bool:
    start, end = (whole.line, whole.column), (whole.end_line, whole.end_column)
    return start <= (part.line, part.column) and (part.end_line, part.end_column) <= end


def _named(error: Class, file: FileFacts, project: Project) -> tuple[str, Sequence[Edit]] | None:
    """Return what a file calls an error, and what that is to be written for it."""
    module, _, name = error.name.rpartition(".")
    imports = [fact for fact in file.facts if isinstance(fact, Import)]
    found = new_import(module, name, imports, lambda text: project.absolute(text, file.path))
    if found is None or (found.edits and name in _bound(file)):
        return None
    return found.bound, found.edits


def _bound(file: FileFacts) -> Iterator[str]:
    """Yield the names of the module's outermost block that are known to stand for something."""
    for fact in file.facts:
        if isinstance(fact, ModuleExports):
            yield from (export.name for export in fact.exports)


def _whole(span: Span, error: Class | None, file: FileFacts, project: Project) -> Span:
    """Return the tuple around an exception where all in it become one error, else its place."""
    around = next(
        (fact for fact in file.facts if isinstance(fact, CaughtTuple) and span in fact.parts), None
    )
    if around is None:
        return span
    errors = dict(_errors_of_uses(file, project))
    return around.span if all(errors.get(part) == error for part in around.parts) else span


def _errors_of_uses(file: FileFacts, project: Project) -> Iterator[tuple[Span, Class]]:
    """Yield where a file catches a driver's exception that has an error of storage, with that."""
    known = storage_errors(project)
    for fact in file.facts:
        for target in fact.targets if isinstance(fact, Import) else ():
            for use in target.uses:
                source = project.driver_sources.resolve(use.name, file.path)
                if use.role == "except" and source is not None and source.name in known:
                    yield use.span, known[source.name]
