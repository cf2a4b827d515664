"""Follow: what names and accesses lead to is read, round by round, until nothing new is found."""

from __future__ import annotations

from collections.abc import Sequence

from dal_audit.assemble.accessors import accessors_of
from dal_audit.assemble.class_hierarchy import hierarchy_of
from dal_audit.assemble.import_index import Importers
from dal_audit.assemble.project import Project
from dal_audit.assemble.receiver_types import Receivers
from dal_audit.extract.cache import Cache
from dal_audit.extract.extractor import Lead, extract_reached
from dal_audit.extract.second_look import inspect_accesses, inspect_named
from dal_audit.facts import SourceFile


def follow_carriers(
    project: Project,
    files: Sequence[SourceFile],
    cache: Cache,
    *,
    jobs: int | None,
    shortcuts: bool,
) -> Project:
    """Read, round by round, what the names that carry a driver's object or a backend reach.

    Each round links the project and looks for the files that can import what was found; it ends
    when no further name carries anything.
    """
    importers = Importers(project.files, project.absolute)
    followed: frozenset[tuple[str, str]] = frozenset()
    close: frozenset[str] = frozenset()
    while True:
        hierarchy = hierarchy_of(project)
        new = (project.carried() | hierarchy.carried()) - followed
        due = (project.close | hierarchy.beneath) - close
        if not new and not due:
            return project
        followed, close = followed | new, close | due
        due |= importers.takers(new) | importers.matching(project.policy.driver_types)
        facts = extract_reached(
            files,
            project.files,
            project.catalogue,
            Lead(new, due, importers.doubtful(new)),
            jobs=jobs,
            shortcuts=shortcuts,
            cache=cache,
        )
        if all(one is known for one, known in zip(facts, project.files, strict=True)):
            return project
        project = project.with_files(facts)


def follow_accesses(
    project: Project,
    files: Sequence[SourceFile],
    cache: Cache,
    *,
    jobs: int | None,
    shortcuts: bool,
) -> Project:
    """Inspect the files that read what storage classes hold, then what says of which class it is.

    Each round asks what the receivers are, and reads the files that the answer leads into; it ends
    when it leads into no further one.
    """
    words = accessors_of(project)
    if not words:
        return project
    outside = [file for file in files if not project.in_storage(file.path)]
    cache.about(words)
    facts = inspect_accesses(
        outside,
        project.files,
        words,
        jobs=jobs,
        shortcuts=shortcuts,
        cache=cache,
    )
    while asked := Receivers(project, facts).missing():
        facts = inspect_named(files, facts, words, asked, shortcuts=shortcuts, cache=cache)
    return project.with_more(facts) if facts != project.files else project
