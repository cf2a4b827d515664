"""Which files import what: an index of the import statements of all files, as they are written.

It leads from a name of a module to the files that can take it from there, without a look at any
other file. A file whose statements its bytes alone do not tell may import anything.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from fnmatch import translate
from typing import Final

from dal_audit.assemble.import_texts import imported_names
from dal_audit.assemble.memo import continued_query, edits_between
from dal_audit.assemble.project import IMPORTING, Project
from dal_audit.disk.ancestors import ancestors_of
from dal_audit.facts import FileFacts

_PLAIN: Final = re.compile(r"from (\.*\w[\w.]*|\.+) import\b[\w,*()\s]*(?:#[^\n.]*)?\Z", re.ASCII)
"""A statement that names nothing with a dot behind `import`, so that its module says what leads to
it."""
_MAX_EDITED: Final = 100
"""So many edited files are indexed beside the others."""


class ImportIndex:
    """The files that import each dotted name.

    Statements repeat from file to file, so each text is read once; where a relative one leads is
    worked out for the files that a question is about.
    """

    def __init__(
        self,
        files: Sequence[FileFacts],
        absolute: Callable[[str, str], str],
        below: ImportIndex | None = None,
    ) -> None:
        """Index the files; `absolute` reads a dotted name as a file means it.

        Of files that another index has, `below`, this one says how they are by now.
        """
        self.files = files
        self.unknown: list[str] = []
        """The files whose statements are not known."""
        self.below = below
        self._own = frozenset(file.path for file in files) if below else frozenset[str]()
        self.absolute = absolute
        self._paths: defaultdict[str, list[str]] = defaultdict(list)
        for file in files:
            if file.importing is None:
                self.unknown.append(file.path)
            else:
                for statement in file.importing:
                    self._paths[statement].append(file.path)
        self._statements: defaultdict[str, list[str]] = defaultdict(list)
        """The statements by the names that they import."""
        self._plain: defaultdict[str, list[str]] = defaultdict(list)
        """Those of which nothing was read yet but the module after `from`, by its name."""
        for statement in self._paths:
            found = _PLAIN.match(statement)
            if found is not None:
                self._plain[_tail(found[1])].append(statement)
            else:
                for name in imported_names(statement):
                    self._statements[_tail(name)].append(statement)

    def after(self, files: Sequence[FileFacts]) -> ImportIndex | None:
        """Return the index of the same files as they are by now; None where it is to be made anew.

        That is where other files are there, or too many of them were edited.
        """
        whole = self.below or self
        edits = edits_between(whole.files, files)
        if edits is None or len(edits) > _MAX_EDITED:
            return None
        return ImportIndex([new for _, new in edits], self.absolute, whole)

    def _and_below(
        self, own: Iterable[str], of: Callable[[ImportIndex], frozenset[str]]
    ) -> frozenset[str]:
        """Return what is found here, and what is found below in files that nothing is said of."""
        found = frozenset(own)
        return found if self.below is None else found | (of(self.below) - self._own)

    def importers_of(self, tainted: Iterable[tuple[str, str]]) -> frozenset[str]:
        """Return the files that import one of these names, its module, or all that is in it."""
        wanted = {
            key for module, name in tainted for key in (module, f"{module}.{name}", f"{module}.*")
        }
        return self.importing_any(wanted)

    def importing_any(self, keys: AbstractSet[str]) -> frozenset[str]:
        """Return the files that import one of some dotted names."""
        if len(self._paths) < len(keys):
            own = self._naming_any(keys)
        else:
            own = (path for key in keys for path in self._importing(key))
        return self._and_below(own, lambda below: below.importing_any(keys))

    def _naming_any(self, keys: AbstractSet[str]) -> Iterator[str]:
        """Yield the same files, statement by statement, which is less where there are few."""
        for statement, paths in self._paths.items():
            for name in imported_names(statement):
                is_relative = name.startswith(".")
                for path in paths:
                    if (self.absolute(name, path) if is_relative else name) in keys:
                        yield path

    def _importing(self, key: str) -> Iterator[str]:
        """Yield the files that import a dotted name, by its whole name or a relative one."""
        for statement in self._naming(key):
            yield from self._paths[statement]
        parts = key.split(".")
        for count in range(len(parts)):
            yield from self._importing_relative("." + ".".join(parts[count:]), key)

    def _importing_relative(self, tail: str, key: str) -> Iterator[str]:
        """Yield the files that import a dotted name by a relative one that ends in a tail."""
        for statement in self._naming(tail):
            names = [name for name in imported_names(statement) if _tail(name) == tail]
            for path in self._paths[statement]:
                if any(self.absolute(name, path) == key for name in names):
                    yield path

    def _naming(self, tail: str) -> Sequence[str]:
        """Return the statements that import a name, absolute or relative as `_tail` has it."""
        module = tail.rpartition(".")[0] or ("." if tail.startswith(".") else "")
        for statement in self._plain.pop(module, ()):
            for name in imported_names(statement):
                self._statements[_tail(name)].append(statement)
        return self._statements.get(tail, ())

    def matching(self, globs: Sequence[str]) -> frozenset[str]:
        """Return the files that import a name that one of these globs matches, or its module."""
        both = (part for glob in globs for part in (glob, glob.rpartition(".")[0]))
        patterns = [re.compile(translate(part)) for part in both]
        own = (
            path
            for statement, paths in (self._paths.items() if patterns else ())
            for name in imported_names(statement)
            for path in paths
            if any(pattern.match(self.absolute(name, path)) for pattern in patterns)
        )
        return self._and_below(own, lambda below: below.matching(globs))

    def may_import(self, tainted: Iterable[tuple[str, str]]) -> frozenset[str]:
        """Return the files that hold a package above one of the modules, or may hold anything.

        Those can read a module from its package, `package.module.name`; their text decides.
        """
        above = ancestors_of((module for module, _ in tainted), ".")
        return self.importing_any(above).union(self.all_unknown())

    def all_unknown(self) -> frozenset[str]:
        """Return the files whose statements are not known."""
        return self._and_below(self.unknown, ImportIndex.all_unknown)


@continued_query(depends_on=(IMPORTING, Project.names))
def import_index_of(project: Project, before: ImportIndex | None) -> ImportIndex:
    """Return the index of a project; most edits leave the import statements as they are."""
    absolute = project.names.absolute
    index = None
    if before is not None and before.absolute == absolute:  # Bound to the same names of modules.
        index = before.after(project.files)
    return index or ImportIndex(project.files, absolute)


def _tail(name: str) -> str:
    """Return an absolute name as it is, and a relative one with a single dot before it."""
    return f".{name.lstrip('.')}" if name.startswith(".") else name
