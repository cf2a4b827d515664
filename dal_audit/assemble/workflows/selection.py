"""What of a suite a command selects: by paths, by names of tests, by filters."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from posixpath import join, normpath
from typing import Final

from dal_audit.assemble.workflows import cargo
from dal_audit.assemble.workflows.model import Leg
from dal_audit.assemble.workflows.programs import PYTEST, name_of
from dal_audit.catalogue.backend_names import backends_named

_WORD: Final = re.compile(r"\(|\)|[\w.\[\]:-]+")
_PATH_LIKE: Final = re.compile(r"[\w.-]+(?:/[\w.*-]+)*/?(?:::.*)?")
_VALUE_OPTIONS: Final = frozenset(
    {
        "-k",
        "-m",
        "-n",
        "-o",
        "-c",
        "-p",
        "-W",
        "--ignore",
        "--deselect",
        "--cov",
        "--maxfail",
        "--junitxml",
    }
)
BY_PATHS: Final = PYTEST | {"ward"}
"""Programs that run the tests below the paths or modules that they are given."""

_LANGUAGES: Final[Mapping[str, str]] = {
    **dict.fromkeys(("ava", "bun", "deno", "jest", "mocha", "vitest"), ".js"),
    **dict.fromkeys(("npm", "pnpm", "yarn"), ".js"),
    **dict.fromkeys(("go", "gotestsum"), ".go"),
    **dict.fromkeys(("dotnet", "gradle", "mix", "mvn", "pest", "php", "phpunit"), ".other"),
    **dict.fromkeys(("rails", "rake", "rspec"), ".rb"),
    "cargo": ".rs",
}
"""The ends of the files whose tests a program runs; any other may run those of any language."""


def selects_backend(words: Sequence[str], backend: str) -> bool:
    """Return whether a command's words let tests of a backend run; only a plain no is one."""
    for option in ("-k", "-m"):
        for text in _values(words, option):
            if _Filter(text, backend).holds() is False:
                return False
    if words and name_of(words[0]) in BY_PATHS:
        named = [backends_named(path) for path in _paths(words)]
        return not all(named) or _names_any(named, backend)
    if words and name_of(words[0]) == "cargo":
        return cargo.selects_backend(words, backend)
    return True


def _names_any(named: Sequence[frozenset[str]], backend: str) -> bool:
    """Return whether a backend is among those that filters name; so it is where none does."""
    return not named or any(backend in own for own in named)


def _values(words: Sequence[str], option: str) -> list[str]:
    found = [words[index + 1] for index, word in enumerate(words[:-1]) if word == option]
    return found + [
        word[len(option) :].lstrip("=") for word in words if word.startswith(f"{option}=")
    ]


class _Filter:
    """Works out a `-k` or `-m` expression for the tests of one backend, in three values."""

    def __init__(self, text: str, backend: str) -> None:
        self.words = _WORD.findall(text)
        self.backend = backend
        self.at = 0

    def holds(self) -> bool | None:
        return self._either() if self.words else None

    def _take(self, word: str) -> bool:
        if self.at < len(self.words) and self.words[self.at] == word:
            self.at += 1
            return True
        return False

    def _either(self) -> bool | None:
        value = self._both()
        while self._take("or"):
            other = self._both()
            value = True if True in {value, other} else (None if None in {value, other} else False)
        return value

    def _both(self) -> bool | None:
        value = self._word()
        while self._take("and"):
            other = self._word()
            value = False if False in {value, other} else (None if None in {value, other} else True)
        return value

    def _word(self) -> bool | None:
        if self._take("not"):
            value = self._word()
            return None if value is None else not value
        if self._take("("):
            value = self._either()
            self._take(")")
            return value
        word = self.words[self.at] if self.at < len(self.words) else ""
        self.at += 1
        named = backends_named(word)
        return self.backend in named if named else None


def _plain_arguments(words: Sequence[str]) -> list[str]:
    found, skip = [], False
    for word in words[1:]:
        if not skip and not word.startswith(("-", "+")):
            found.append(word)
        skip = word in _VALUE_OPTIONS
    return found


def _paths(words: Sequence[str]) -> list[str]:
    return [word for word in _plain_arguments(words) if _PATH_LIKE.fullmatch(word)]


def may_run(leg: Leg, files: Collection[str]) -> bool:
    """Return whether a leg's program may run tests in the language of some files."""
    return not files or _speaks(name_of(leg.words[0]), files)


def selects_tests(leg: Leg, tests: Mapping[str, object]) -> bool:
    """Return whether a leg's command selects one of some files; yes where that cannot be told."""
    program = name_of(leg.words[0])
    if not tests or not _speaks(program, tests):
        return not tests
    if leg.is_opaque or leg.has_helper:
        return True
    if program == "cargo":
        return any(cargo.selects_file(leg.words, path) for path in tests)
    if program not in BY_PATHS:
        return True
    if program == "trial":
        return _selects_modules(_paths(leg.words), tests)
    return _selects_paths(leg, tests)


def _speaks(program: str, tests: Iterable[str]) -> bool:
    """Return whether a program may run tests that are written in the language of some files."""
    ending = _LANGUAGES.get(program)
    return ending is None or any(path.endswith(ending) for path in tests)


def _selects_modules(modules: Sequence[str], tests: Iterable[str]) -> bool:
    """Return whether dotted names of packages or modules lead to some tests."""
    folders = [f"/{module.partition(':')[0].replace('.', '/')}" for module in modules]
    return not folders or any(
        f"{folder}/" in f"/{path}" or f"{folder}." in f"/{path}"
        for folder in folders
        for path in tests
    )


def _selects_paths(leg: Leg, tests: Iterable[str]) -> bool:
    """Return whether paths lead to some tests, but for those that are left out."""
    paths = [normpath(join(leg.folder, path.partition("::")[0])) for path in _paths(leg.words)]
    if any("*" in path for path in paths):
        return True
    ignored = [normpath(join(leg.folder, path)) for path in _values(leg.words, "--ignore")]
    chosen = paths or [normpath(leg.folder or ".")]
    return any(_covered(path, chosen) and not _covered(path, ignored) for path in tests)


def _covered(path: str, folders: Iterable[str]) -> bool:
    """Return whether a path is one of some, or lies below one."""
    return any(folder in {".", path} or path.startswith(f"{folder}/") for folder in folders)
