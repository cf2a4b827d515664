"""Evidence of accesses: whose files are inspected for it, and what their receivers lead into."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import compress
from operator import not_
from typing import Final, TypeAlias

from msgspec import Struct

from dal_audit.assemble.accessor_owners import accessor_owners, accessors_of
from dal_audit.assemble.import_closure import ImportClosure
from dal_audit.assemble.project import Project
from dal_audit.assemble.receiver_types import receivers_of
from dal_audit.extract.cache import Cache
from dal_audit.extract.import_names import further_imports
from dal_audit.extract.second_look import (
    SPARED,
    Accessed,
    accessed_words,
    inspect_accesses,
    inspect_named,
    joined,
)
from dal_audit.facts import LOADER, FileFacts, SourceFile, ValueFacts

_Matters: TypeAlias = Callable[[str, str], bool]
"""Tells whether an access matters, by its file and the attribute that is read."""

WORTH_A_CLOSURE: Final = 32
"""So many files with accesses take longer to inspect than to find out where their imports lead."""


def follow_accesses(
    project: Project,
    files: Sequence[SourceFile],
    cache: Cache,
    *,
    jobs: int | None,
    shortcuts: bool,
    fresh: AbstractSet[str] | None = None,
) -> Project:
    """Inspect the files that read what storage classes hold, then what says of which class it is.

    Each round asks what the receivers are, and reads the files that the answer leads into; it ends
    when it leads into no further one. Where only some files are `fresh`, the others are known, but
    for those that were spared. Without `shortcuts` no file is ruled out.
    """
    words = accessors_of(project)
    if not words:
        return project
    cache.set_words(words)
    outside = [file for file in files if not project.in_storage(file.path)]
    matters: _Matters = _whatever
    facts: Sequence[FileFacts] = project.files
    if shortcuts:
        accesses = _Accesses(project, files, cache, jobs)
        outside, spared, matters = accesses.parted(outside, fresh)
        facts = joined(facts, spared, [SPARED] * len(spared))
    elif fresh is not None:
        outside = [file for file in outside if file.path in fresh]
    facts = inspect_accesses(outside, facts, words, jobs=jobs, shortcuts=shortcuts, cache=cache)
    project = project.with_files(facts)
    while missing := receivers_of(project).missing(matters):
        facts = inspect_named(
            files, facts, words, missing, jobs=jobs, shortcuts=shortcuts, cache=cache
        )
        project = project.with_files(facts)
    return project


def _whatever(_path: str, _attribute: str) -> bool:
    return True


class _Accesses(Struct, frozen=True):
    """Tells from bytes and imports which files' accesses may matter."""

    project: Project
    files: Sequence[SourceFile]
    cache: Cache
    jobs: int | None

    def parted(
        self, outside: Sequence[SourceFile], fresh: AbstractSet[str] | None
    ) -> tuple[list[SourceFile], list[SourceFile], _Matters]:
        """Return the files outside storage to inspect, those that are spared, and what tells them.

        Of the `fresh` files and those that were spared before, if not of all.
        """
        known = {} if fresh is None else _evidence_of(self.project)
        due = {file.path for file in outside} if fresh is None else fresh | known.keys()
        asked = [file for file in outside if file.path in due]
        words = accessed_words(asked, accessors_of(self.project), jobs=self.jobs, cache=self.cache)
        accessed = dict(zip((file.path for file in asked), words, strict=True))
        matters = self._matters(accessed)
        new = [
            file
            for file in asked
            if accessed[file.path]
            if fresh is None or file.path in fresh or known[file.path] == SPARED
        ]
        led = [any(matters(file.path, name) for name in accessed[file.path]) for file in new]
        return [*compress(new, led)], [*compress(new, map(not_, led))], matters

    def _matters(self, accessed: Mapping[str, Accessed]) -> _Matters:
        """Return what tells whether the receiver of an access may lead to what hands something out.

        Imports tell it, of these files and what these import; few files are not worth the question.
        """
        accessing = [path for path, found in accessed.items() if found not in {(), (LOADER,)}]
        if len(accessing) < WORTH_A_CLOSURE:
            return lambda path, name: name != LOADER and not self.project.in_storage(path)
        told = frozenset(self.project.policy.accessors)
        loading = frozenset(path for path, found in accessed.items() if LOADER in found)
        owners = accessor_owners(self.project)
        closure = ImportClosure(self.project, accessing, owners, self._further_imports(loading))
        return lambda path, name: (
            (name in told or closure.reaches(path, name)) and not self.project.in_storage(path)
        )

    def _further_imports(self, loading: AbstractSet[str]) -> Mapping[str, Sequence[str]]:
        """Return what files import beside what their statements tell.

        These files may load modules by a name, and all files in storage.
        """
        untold = {file.path for file in self.project.files if file.importing is None}
        due = loading | untold | self.project.zones.storage_paths
        asked = [file for file in self.files if file.path in due]
        names = further_imports(asked, jobs=self.jobs, cache=self.cache)
        return {file.path: found for file, found in zip(asked, names, strict=True) if found}


def _evidence_of(project: Project) -> Mapping[str, ValueFacts]:
    """Return what is known of accesses in files, by their paths."""
    return {
        file.path: fact
        for file in project.files
        for fact in file.facts
        if isinstance(fact, ValueFacts)
    }
