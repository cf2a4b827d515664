"""What of a package's tests a command of cargo builds and runs: by targets, filters and features.

Sources: `cargo help test`, the book of libtest's arguments (`--skip`, `--ignored`), nextest's
filtersets and `--run-ignored`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Final

from dal_audit.catalogue.backend_names import backends_named
from dal_audit.extract.ci.expressions import UNKNOWN

_WITH_VALUE: Final = frozenset(
    {"--features", "-F", "--package", "-p", "--profile", "--exclude", "--target", "--target-dir"}
    | {"--manifest-path", "--jobs", "-j", "--config", "--color", "--message-format", "--partition"}
    | {"--test-threads", "--retries", "--cargo-profile", "-P", "--bin", "--example", "--bench"}
    | {"--skip", "--filter-expr", "--filterset", "-E", "--run-ignored", "--format", "-Z"}
)
_OTHER_TARGETS: Final = frozenset(
    {"--lib", "--bins", "--bin", "--doc", "--examples", "--example", "--benches", "--bench"}
)
_TESTS: Final = frozenset({"--test", "--tests", "--all-targets"})
_RUNNING_IGNORED: Final = frozenset({"--ignored", "--include-ignored"})
_ALL_FEATURES: Final = frozenset({"--all-features", "--each-feature", "--feature-powerset"})
_FILTERSETS: Final = ("-E", "--filter-expr", "--filterset")
_TERM: Final = re.compile(r"\(|\)|[|&+]|\band\b|\bor\b|(?:\bnot\b|!|-(?=\s*\w+\())|\w+\([^()]*\)")


def selects_backend(words: Sequence[str], backend: str) -> bool:
    """Return whether filters let tests of a backend run; only a plain no is one."""
    skipped = [backends_named(name) for name in _values(words, ("--skip",))]
    if any(named == {backend} for named in skipped):
        return False
    for text in _values(words, _FILTERSETS):
        if _filterset(text, backend) is False:
            return False
    named = [*filter(None, map(backends_named, (*_filters(words), *_values(words, ("--test",)))))]
    return not named or any(backend in own for own in named)


def selects_file(words: Sequence[str], path: str) -> bool:
    """Return whether a file of tests is among the targets that a command builds."""
    folder, _, name = path.rpartition("/")
    stem = folder.rpartition("/")[2] if name == "main.rs" else name.removesuffix(".rs")
    if f"/{folder}/".rpartition("/tests/")[2].strip("/") and name != "main.rs":
        return True  # A module of some target: which one is not told by its place.
    wanted = _values(words, ("--test",))
    if wanted:
        return any(UNKNOWN in glob or fnmatchcase(stem, glob) for glob in wanted)
    is_in_tests = f"/{folder}".endswith(("/tests", f"/tests/{stem}"))
    names = {word.partition("=")[0] for word in words}
    return not is_in_tests or not names & _OTHER_TARGETS or bool(names & _TESTS)


def runs_ignored(words: Sequence[str]) -> bool:
    """Return whether a command runs the tests that are ignored, too."""
    values = _values(words, ("--run-ignored",))
    return not _RUNNING_IGNORED.isdisjoint(words) or any(value != "default" for value in values)


def builds(words: Sequence[str], feature: str) -> bool:
    """Return whether a command asks for a feature; so it may where that is not known."""
    if not _ALL_FEATURES.isdisjoint(words):
        return True
    given = " ".join(_values(words, ("--features", "-F")))
    listed = {name.rpartition("/")[2] for name in re.split(r"[\s,]+", given)}
    return feature in listed or UNKNOWN in given


def takes_defaults(words: Sequence[str]) -> bool:
    """Return whether a command builds what a package has by default."""
    return "--no-default-features" not in words


def _values(words: Sequence[str], options: Sequence[str]) -> list[str]:
    """Return the values of some options, in one word with them or in the next."""
    found = []
    for index, word in enumerate(words):
        name, has_value, value = word.partition("=")
        if name in options:
            found += [value] if has_value else list(words[index + 1 : index + 2])
    return found


def _filters(words: Sequence[str]) -> Iterator[str]:
    """Yield the parts of names by which tests are chosen."""
    plain = []
    is_value = False
    for word in words[1:]:
        if not is_value and not word.startswith(("-", "+")):
            plain.append(word)
        is_value = word in _WITH_VALUE or word == "--test"
    subcommands = 2 if plain[:1] in (["nextest"], ["insta"], ["hack"]) else 1
    yield from plain[subcommands:]


def _filterset(text: str, backend: str) -> bool | None:
    """Work out a filterset of nextest for the tests of one backend, in three values."""
    terms = [found[0] for found in _TERM.finditer(text)]
    value, rest = _either(terms, backend)
    return None if rest else value


def _either(terms: list[str], backend: str) -> tuple[bool | None, list[str]]:
    value, terms = _both(terms, backend)
    while terms and terms[0] in {"|", "+", "or"}:
        other, terms = _both(terms[1:], backend)
        value = True if True in {value, other} else (None if None in {value, other} else False)
    return value, terms


def _both(terms: list[str], backend: str) -> tuple[bool | None, list[str]]:
    value, terms = _one_of(terms, backend)
    while terms and terms[0] in {"&", "and", "not", "!", "-"}:
        other, terms = _one_of(terms[1:] if terms[0] in {"&", "and"} else terms, backend)
        value = False if False in {value, other} else (None if None in {value, other} else True)
    return value, terms


def _one_of(terms: list[str], backend: str) -> tuple[bool | None, list[str]]:
    if not terms:
        return None, []
    first, rest = terms[0], terms[1:]
    if first in {"not", "!", "-"}:
        value, rest = _one_of(rest, backend)
        return None if value is None else not value, rest
    if first == "(":
        value, rest = _either(rest, backend)
        return value, rest[1:]
    named = backends_named(first)
    return (backend in named if named else None), rest
