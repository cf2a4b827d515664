"""What a command of a script does: runs a suite, calls another tool, starts a server, waits."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Literal, TypeAlias

from msgspec import Struct

from dal_audit.extract.ci.shell import commands_at
from dal_audit.facts.ci import CiCommand

Deed: TypeAlias = Literal[
    "suite", "tox", "nox", "make", "just", "package", "shell", "script", "other"
]


class Call(Struct, frozen=True):
    """A program that a command runs, behind all that only leads to it.

    `does` tells what it is to tests; `words` are the program and its arguments, `assigned` the
    variables that are set for it alone, `folder` where it is told to go first.
    """

    does: Deed
    words: tuple[str, ...]
    assigned: tuple[tuple[str, str], ...] = ()
    folder: str = ""

    @property
    def arguments(self) -> tuple[str, ...]:
        """What the program is given."""
        return self.words[1:]


_PYTEST: Final = frozenset(
    {"pytest", "py.test", "py.test-3", "pytest-3", "nosetests", "nose2", "trial"}
)
_SUITES: Final = frozenset(
    {
        *_PYTEST,
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
_PYTHON: Final = re.compile(r"(?:python|pypy)[\d.]*(?:\.exe)?|py")
_SUBCOMMANDS: Final = {
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
}
_WRAPPERS: Final = frozenset(
    {
        "bundle",
        "bunx",
        "caffeinate",
        "command",
        "dotenv",
        "exec",
        "hatch",
        "micromamba",
        "nice",
        "nohup",
        "npx",
        "pdm",
        "pipenv",
        "pipx",
        "poetry",
        "retry",
        "rye",
        "stdbuf",
        "sudo",
        "time",
        "timeout",
        "travis_retry",
        "uv",
        "uvx",
        "xvfb-run",
        "conda",
        "mamba",
        "doppler",
        "infisical",
        "op",
        "pixi",
    }
)
_LEADS: Final = frozenset({"run", "exec", "tool", "--", "-m", "dlx"})
_SHELLS: Final = frozenset({"bash", "sh", "dash", "zsh", "/bin/bash", "/bin/sh", "ash"})
_TESTING: Final = re.compile(
    r"(?:^|[-_./:])(?:tests?|runtests?|unittests?|itests?|pytest|testsuite|check|conformance"
    r"|integration|specs?|ci|e2e)(?:[-_./:]|$)",
    re.IGNORECASE,
)
_NO_TESTING: Final = re.compile(
    r"set-?_?up|install|prepare|deps|requirements|build|lint|fixtures?|format|coverage|report"
    r"|clippy|docs?\b|clean|download|upload|compile|image|generate|wait|start|stop|docker",
    re.IGNORECASE,
)
_ASSIGNMENT: Final = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)
_IDLE: Final = frozenset(
    {"--no-run", "--collect-only", "--co", "--help", "--version", "--list", "-h", "-V"}
)
_EXPRESSION: Final = re.compile(r"\$\{\{.*?\}\}|\$\{?\w+\}?", re.DOTALL)

MAX_DEPTH: Final = 6


def calls_of(command: CiCommand, depth: int = 0) -> Iterator[Call]:
    """Yield what a command runs: one program, or those of a script that a shell is given."""
    words = list(command.words)
    assigned = list(command.assigned)
    inner = _script_in(words)
    if inner and depth < MAX_DEPTH:
        for nested in commands_at(inner, command.span):
            for call in calls_of(nested, depth + 1):
                yield _with(call, assigned)
        return
    while words and (found := _ASSIGNMENT.fullmatch(words[0])):
        assigned.append((found[1], found[2]))
        words.pop(0)
    words = _unwrapped(words, assigned)
    if words:
        yield Call(_deed(words), tuple(words), tuple(assigned), _folder(words))


def _with(call: Call, assigned: Iterable[tuple[str, str]]) -> Call:
    return Call(call.does, call.words, (*assigned, *call.assigned), call.folder)


def _script_in(words: Sequence[str]) -> str:
    """Return the script that a shell is given with `-c`, however it is wrapped."""
    for index, word in enumerate(words[:-1]):
        if _name(word) in _SHELLS:
            for position in range(index + 1, len(words) - 1):
                if re.fullmatch(r"-\w*c", words[position]):
                    return words[position + 1]
            return ""
    return ""


def _name(word: str) -> str:
    return word.rpartition("/")[2]


def _unwrapped(words: list[str], assigned: list[tuple[str, str]]) -> list[str]:
    """Return the words from the program on that does the work."""
    for _ in range(MAX_DEPTH):
        if not words:
            break
        name = _name(words[0])
        if name == "env":
            words = _after_env(words[1:], assigned)
        elif name == "coverage" and "run" in words:
            words = _after_coverage(words[words.index("run") + 1 :])
        elif name in {"docker", "podman", "docker-compose"}:
            inner = _in_container(words)
            if inner is None:
                return words
            words = inner
        elif name in {"nix", "nix-shell", "devenv", "direnv", "dagger"}:
            words = _after_option(words, "-c", "--command", "--run", "shell")
        elif name in _WRAPPERS:
            words = _after_wrapper(words)
        else:
            return words
    return words


def _after_env(words: list[str], assigned: list[tuple[str, str]]) -> list[str]:
    while words and (words[0].startswith("-") or _ASSIGNMENT.fullmatch(words[0])):
        found = _ASSIGNMENT.fullmatch(words[0])
        if found:
            assigned.append((found[1], found[2]))
        words = words[1:]
    return words or ["env"]


def _after_coverage(words: list[str]) -> list[str]:
    while words and words[0].startswith("-") and words[0] != "-m":
        words = words[1:]
    return ["python", *words]


def _after_option(words: list[str], *options: str) -> list[str]:
    for index, word in enumerate(words):
        if word in options:
            rest = words[index + 1 :]
            return rest[0].split() if len(rest) == 1 else rest
    return words[:1] if words[1:] else []


def _after_wrapper(words: list[str]) -> list[str]:
    """Return what a wrapper runs: from the first word on that is a program known to test."""
    rest = words[1:]
    for index, word in enumerate(rest):
        if _is_program(word):
            return rest[index:]
    while rest and (
        rest[0] in _LEADS or rest[0].startswith("-") or re.fullmatch(r"\d+\w?", rest[0])
    ):
        rest = rest[1:]
    return rest


def _is_program(word: str) -> bool:
    name = _name(word)
    return (
        name in _SUITES
        or name in _RUNNERS
        or name in _SUBCOMMANDS
        or name in _SHELLS
        or name in {"coverage", "env", "cargo"}
        or _PYTHON.fullmatch(name) is not None
    )


def _in_container(words: list[str]) -> list[str] | None:
    """Return what `docker … run` or `exec` runs in a container; None for anything else."""
    verbs = [index for index, word in enumerate(words) if word in {"run", "exec"}]
    if not verbs or "-d" in words or "--detach" in words:
        return None
    rest = words[verbs[0] + 1 :]
    for index, word in enumerate(rest):
        if _is_program(word):
            return rest[index:]
    tests = [index for index, word in enumerate(rest) if _TESTING.fullmatch(word)]
    return rest[tests[-1] :] if tests and rest[tests[-1] - 1 :][:1] != ["--name"] else None


def _folder(words: Sequence[str]) -> str:
    for option in ("-C", "--directory", "--prefix", "--cwd", "--dir"):
        if option in words[:-1]:
            return words[words.index(option) + 1]
    return ""


def _deed(words: list[str]) -> Deed:
    """Return what a program is to tests, and rewrite `python -m x` to x."""
    if _PYTHON.fullmatch(_name(words[0])):
        return _python_deed(words)
    name = _name(words[0])
    if _IDLE.intersection(words):
        return "other"
    if name in _SUITES:
        return "suite"
    if name in _RUNNERS:
        return _RUNNERS[name]
    if name in _SUBCOMMANDS:
        rest = [word for word in words[1:] if not word.startswith(("-", "+"))]
        return "suite" if rest and rest[0] in _SUBCOMMANDS[name] and _tests(rest) else "other"
    if name in _SHELLS:
        rest = [word for word in words[1:] if not word.startswith("-")]
        words[:] = rest or words
        return "shell" if rest else "other"
    if "/" in words[0] or words[0].endswith((".sh", ".py")):
        return "shell" if words[0].endswith((".sh", ".bash")) else "script"
    return "script" if _EXPRESSION.fullmatch(words[0]) or _TESTING.fullmatch(name) else "other"


def _tests(rest: Sequence[str]) -> bool:
    if rest[0] in {"hack", "insta", "nextest"}:
        return any(word in {"test", "run", "r", "t"} for word in rest[1:]) or len(rest) == 1
    return rest[0] != "artisan" or "test" in rest


def _python_deed(words: list[str]) -> Deed:
    rest = words[1:]
    while rest and rest[0].startswith("-") and rest[0] not in {"-m", "-c"}:
        rest = rest[2:] if rest[0] in {"-W", "-X"} else rest[1:]
    if not rest or rest[0] == "-c":
        return "other"
    if rest[0] == "-m" and len(rest) > 1:
        module = rest[1]
        if module == "coverage" and "run" in rest:
            words[:] = _after_coverage(rest[rest.index("run") + 1 :])
            return _python_deed(words)
        words[:] = rest[1:]
        if _IDLE.intersection(words):
            return "other"
        if module in _RUNNERS:
            return _RUNNERS[module]
        return "suite" if module in _MODULES or module.startswith("tests.") else "other"
    words[:] = rest
    name = _name(rest[0])
    if name in {"manage.py", "setup.py"}:
        return "suite" if "test" in rest[1:] else "other"
    return "suite" if name in _SUITES else "script"


def looks_like_tests(words: Sequence[str]) -> bool:
    """Return whether a script or a target that nothing tells of is one of tests, by its name."""
    name = words[0] if words else ""
    return _TESTING.search(name) is not None and _NO_TESTING.search(name) is None


def may_test(call: Call) -> bool:
    """Return whether what a call runs, and is not to be seen, may be tests."""
    if call.does in {"make", "just", "package"}:
        names = [word for word in call.arguments if not word.startswith("-") and word != "run"]
        return any(looks_like_tests([name]) for name in names[:2])
    return looks_like_tests(call.words)
