"""What a program is to tests: a suite, a tool that runs one by a name, a script, or neither."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, Literal, TypeAlias

Deed: TypeAlias = Literal[
    "suite", "tox", "nox", "make", "just", "package", "task", "shell", "script", "other"
]

PYTEST: Final = frozenset(
    {"pytest", "py.test", "py.test-3", "pytest-3", "nosetests", "nose2", "trial"}
)
_SUITES: Final = frozenset(
    {
        *PYTEST,
        "green",
        "gotestsum",
        "jest",
        "mocha",
        "phpunit",
        "pest",
        "rspec",
        "runtests.py",
        "runtests",
        "stestr",
        "vitest",
        "ward",
        "zope-testrunner",
        "ctest",
        "ava",
        "sqllogictest",
    }
)
_MODULES: Final = frozenset(
    {"pytest", "unittest", "tests", "test", "twisted.trial", "nose", "nose2", "stestr"}
)
PYTHON: Final = re.compile(r"(?:python|pypy)[\d.]*(?:\.exe)?|py")
SUBCOMMANDS: Final = {
    "cargo": {"test", "nextest", "insta", "t", "llvm-cov", "tarpaulin", "hack"},
    "go": {"test"},
    "dotnet": {"test"},
    "mvn": {"test", "verify"},
    "gradle": {"test", "check"},
    "mix": {"test"},
    "rails": {"test"},
    "rake": {"test", "spec"},
    "deno": {"test"},
    "bun": {"test"},
    "php": {"artisan"},
    "django-admin": {"test"},
    "manage.py": {"test"},
}
_RUNNERS: Final[dict[str, Deed]] = {
    "tox": "tox",
    "nox": "nox",
    "make": "make",
    "gmake": "make",
    "just": "just",
    "npm": "package",
    "pnpm": "package",
    "yarn": "package",
    "doit": "task",
    "duty": "task",
    "inv": "task",
    "invoke": "task",
    "mage": "task",
    "poe": "task",
    "task": "task",
}
"""What runs something by a name; whose files are not read are tasks."""

NAMING: Final = frozenset({"make", "just", "package", "task"})
"""The deeds of tools that take what they run as their first arguments."""

SHELLS: Final = frozenset({"bash", "sh", "dash", "zsh", "/bin/bash", "/bin/sh", "ash"})
TESTING: Final = re.compile(
    r"(?:^|[-_./:])(?:tests?|runtests?|unittests?|itests?|pytest|testsuite|check|conformance"
    r"|integration|specs?|ci|e2e)(?:[-_./:]|$)",
    re.IGNORECASE,
)
_NO_TESTING: Final = re.compile(
    r"set-?_?up|install|prepare|deps|requirements|build|lint|fixtures?|format|coverage|report"
    r"|clippy|docs?\b|clean|download|upload|compile|image|generate|wait|start|stop|docker",
    re.IGNORECASE,
)
_IDLE: Final = frozenset(
    {"--no-run", "--collect-only", "--co", "--help", "--version", "--list", "-h", "-V"}
)
_EXPRESSION: Final = re.compile(r"\$\{\{.*?\}\}|\$\{?\w+\}?", re.DOTALL)


def name_of(word: str) -> str:
    """Return a program's name without its folder."""
    return word.rpartition("/")[2]


def is_program(word: str) -> bool:
    """Return whether a word is a program that is known to run tests, or to lead to some."""
    name = name_of(word)
    known = name in _SUITES or name in _RUNNERS or name in SUBCOMMANDS or name in SHELLS
    return known or name in {"coverage", "env"} or PYTHON.fullmatch(name) is not None


def judged(words: list[str]) -> tuple[Deed, list[str]]:
    """Return what a program is to tests, and its words.

    Those of `python -m x` and of `sh x` are the words from x on.
    """
    name = name_of(words[0])
    if PYTHON.fullmatch(name):
        return _judged_python(words)
    if _IDLE.intersection(words):
        return "other", words
    if name in SHELLS:
        rest = [word for word in words[1:] if not word.startswith("-")]
        return ("shell", rest) if rest else ("other", words)
    return _known(name, words) or _by_path(words[0]), words


def _known(name: str, words: Sequence[str]) -> Deed | None:
    """Return the deed of a program that is known by its name; None for another."""
    if name in _SUITES:
        return "suite"
    if name in SUBCOMMANDS:
        return "suite" if _runs_tests(name, words) else "other"
    return _RUNNERS.get(name)


def _runs_tests(name: str, words: Sequence[str]) -> bool:
    rest = [word for word in words[1:] if not word.startswith(("-", "+"))]
    if not rest or rest[0] not in SUBCOMMANDS[name]:
        return False
    if rest[0] in {"hack", "insta", "nextest"}:
        return len(rest) == 1 or any(word in {"test", "run", "r", "t"} for word in rest[1:])
    return rest[0] != "artisan" or "test" in rest


def _by_path(word: str) -> Deed:
    """Return the deed of an unknown program: a script by its path, or by what it is called."""
    if word.endswith((".sh", ".bash")):
        return "shell"
    is_script = "/" in word or word.endswith(".py")
    is_script = is_script or _EXPRESSION.fullmatch(word) is not None
    return "script" if is_script or TESTING.fullmatch(name_of(word)) else "other"


def _judged_python(words: list[str]) -> tuple[Deed, list[str]]:
    rest = _without_options(words[1:])
    if not rest or rest[0] == "-c":
        return "other", words
    if rest[0] == "-m" and len(rest) > 1:
        return _judged_module(rest[1:])
    name = name_of(rest[0])
    if name in {"manage.py", "setup.py"}:
        return "suite" if "test" in rest[1:] else "other", rest
    return "suite" if name in _SUITES else "script", rest


def _without_options(words: list[str]) -> list[str]:
    """Return what Python is given behind its options but for `-m` and `-c`."""
    while words and words[0].startswith("-") and words[0] not in {"-m", "-c"}:
        words = words[2:] if words[0] in {"-W", "-X"} else words[1:]
    return words


def _judged_module(words: list[str]) -> tuple[Deed, list[str]]:
    module = words[0]
    if module == "coverage" and "run" in words:
        return _judged_python(after_coverage(words[words.index("run") + 1 :]))
    if _IDLE.intersection(words):
        return "other", words
    if module in _MODULES or module.startswith("tests."):
        return "suite", words
    if module == "django":
        return "suite" if words[1:2] == ["test"] else "other", words
    return _RUNNERS.get(module, "other"), words


def after_coverage(words: list[str]) -> list[str]:
    """Return what `coverage run` runs, as words for Python."""
    while words and words[0].startswith("-") and words[0] != "-m":
        words = words[1:]
    return ["python", *words]


def looks_like_tests(name: str) -> bool:
    """Return whether a script or a target that nothing tells of is one of tests, by its name."""
    return TESTING.search(name) is not None and _NO_TESTING.search(name) is None
