"""What of a suite a command selects: by paths, by names of tests, by filters."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from posixpath import join, normpath
from typing import Final

from dal_audit.assemble.workflows.model import Leg
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
PYTEST: Final = frozenset({"pytest", "py.test", "nose2", "nosetests", "trial", "ward"})


def selects_backend(words: Sequence[str], backend: str) -> bool:
    """Return whether a command's words let tests of a backend run; only a plain no is one."""
    for option in ("-k", "-m"):
        for text in _values(words, option):
            if _Filter(text, backend).holds() is False:
                return False
    if words and words[0].rpartition("/")[2] in PYTEST:
        named = [backends_named(path) for path in _paths(words)]
        return not named or not all(named) or any(backend in own for own in named)
    if words[:1] == ("cargo",):
        filters = _plain_arguments(words)[1:]
        named = [backends_named(word) for word in filters if backends_named(word)]
        return not named or any(backend in own for own in named)
    return True


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
        skip = word in _VALUE_OPTIONS or word in {"--features", "-F", "--package", "--profile"}
    return found


def _paths(words: Sequence[str]) -> list[str]:
    return [word for word in _plain_arguments(words) if _PATH_LIKE.fullmatch(word)]


def selects_tests(leg: Leg, tests: Mapping[str, object]) -> bool:
    """Return whether a leg's command selects one of some files; yes where that cannot be told."""
    words = leg.words
    if not tests or leg.is_opaque or words[0].rpartition("/")[2] not in PYTEST:
        return True
    paths = [normpath(join(leg.folder, path.partition("::")[0])) for path in _paths(words)]
    ignored = [normpath(join(leg.folder, path)) for path in _values(words, "--ignore")]
    folder = normpath(leg.folder or ".")
    if any("*" in path for path in paths):
        return True
    for path in tests:
        inside = (
            _covers(folder, path) if not paths else any(_covers(chosen, path) for chosen in paths)
        )
        if inside and not any(_covers(left, path) for left in ignored):
            return True
    return False


def _covers(folder: str, path: str) -> bool:
    return folder in {".", path} or path.startswith(f"{folder}/")
