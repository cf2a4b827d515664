"""Which files import what: an index of the import statements of all files, as they are written.

It leads from a name of a module to the files that can take it from there, without a look at any
other file. A file whose statements its bytes alone do not tell is in doubt, whatever is asked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from fnmatch import translate
from functools import lru_cache
from typing import Final

from dal_audit.facts import FileFacts

_FROM: Final = re.compile(r"from\s*([.\w\s]*?)\s*\bimport\b(.*)", re.DOTALL)
_NOTHING: Final = re.compile(r"#[^\n]*|\\\r?\n|[()]")


class Importers:
    """The files that import each dotted name."""

    def __init__(self, files: Iterable[FileFacts], absolute: Callable[[str, str], str]) -> None:
        """Index the files; `absolute` reads a dotted name as a file means it."""
        self.unclear: list[str] = []
        """The files whose statements are not known."""
        self._paths: dict[str, list[str]] = {}
        for file in files:
            if file.importing is None:
                self.unclear.append(file.path)
                continue
            for statement in file.importing:
                for name in _names(statement):
                    key = absolute(name, file.path) if name.startswith(".") else name
                    self._paths.setdefault(key, []).append(file.path)

    def takers(self, carried: Iterable[tuple[str, str]]) -> frozenset[str]:
        """Return the files that import one of these names, its module, or all that is in it."""
        keys = {
            key for module, name in carried for key in (module, f"{module}.{name}", f"{module}.*")
        }
        return frozenset(path for key in keys for path in self._paths.get(key, ()))

    def matching(self, globs: Sequence[str]) -> frozenset[str]:
        """Return the files that import a name that one of these globs matches, or its module."""
        patterns = [re.compile(translate(one)) for glob in globs for one in (glob, _module(glob))]
        return frozenset(
            path
            for key, paths in (self._paths.items() if patterns else ())
            if any(pattern.match(key) for pattern in patterns)
            for path in paths
        )

    def doubtful(self, carried: Iterable[tuple[str, str]]) -> frozenset[str]:
        """Return the files that hold a package above one of the modules, or may hold anything.

        Those can read a module from its package, `package.module.name`; their text decides.
        """
        above: set[str] = set()
        for module, _ in carried:
            package = module.rpartition(".")[0]
            while package and package not in above:
                above.add(package)
                package = package.rpartition(".")[0]
        holders = (path for package in above for path in self._paths.get(package, ()))
        return frozenset(holders).union(self.unclear)


def _module(glob: str) -> str:
    return glob.rpartition(".")[0]


@lru_cache(maxsize=1 << 15)
def _names(statement: str) -> Sequence[str]:
    """Return the dotted names that a statement's text imports."""
    names = []
    for module, name, is_renamed in written(statement):
        if module:
            names.append(f"{module}{name}" if module.endswith(".") else f"{module}.{name}")
        else:
            names.append(name)
            if not is_renamed:
                names.append(name.partition(".")[0])  # `import a.b` binds `a`.
    return tuple(dict.fromkeys(names))


def written(statement: str) -> Iterator[tuple[str, str, bool]]:
    """Yield what the text of an import statement names.

    That is the module after `from` (empty where there is none), the name, and whether `as` renames
    it.
    """
    text = _NOTHING.sub(" ", statement)
    found = _FROM.match(text)
    module = "".join(found[1].split()) if found else ""
    names = found[2] if found else text.removeprefix("import")
    for part in names.split(","):
        words = part.split()
        is_renamed = "as" in words
        if words:
            yield module, "".join(words[: words.index("as")] if is_renamed else words), is_renamed
