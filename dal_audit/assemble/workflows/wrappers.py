"""What only leads to a program: `env`, `uv run`, `docker compose exec` and the like."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import takewhile
from typing import Final, TypeAlias

from dal_audit.assemble.workflows.programs import (
    SHELLS,
    TESTING,
    after_coverage,
    is_program,
    name_of,
)

Assigned: TypeAlias = "list[tuple[str, str]]"
"""Variables that are set for a program alone."""

ASSIGNMENT: Final = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)

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
_VERSIONED: Final = frozenset({("uv", "python"), ("pdm", "python"), ("hatch", "python")})
"""The commands by which wrappers install Python itself."""

_TAKING: Final = frozenset(
    {"add", "build", "create", "download", "init", "install", "lock", "pip", "remove", "sync"}
)
"""Words behind which stand packages, and not what is run."""

_WHICH: Final = re.compile(r"\$\(\s*(?:pyenv\s+)?(?:which|command\s+-v)\s+([\w./-]+)\s*\)")
_PREFIXED: Final = re.compile(r"(?:\$\{\w+\}|\$\(\w+\))/?(?=[A-Za-z])([\w.-]+)")

MAX_DEPTH: Final = 6


def script_in(words: Sequence[str]) -> str:
    """Return the script that a shell is given with `-c`, however it is wrapped."""
    shell = next((index for index, word in enumerate(words) if name_of(word) in SHELLS), None)
    given = () if shell is None else range(shell + 1, len(words) - 1)
    return next((words[at + 1] for at in given if re.fullmatch(r"-\w*c", words[at])), "")


def unwrapped(words: list[str]) -> tuple[list[str], Assigned]:
    """Return the words from the program on that does the work, and what is set for it."""
    assigned: Assigned = []
    for _ in range(MAX_DEPTH):
        words = _after_assignments(words, assigned)
        opened = _opened(words) if words else None
        if opened is None:
            break
        words = opened
    return words, assigned


def _after_assignments(words: list[str], assigned: Assigned) -> list[str]:
    """Return words behind assignments, and behind the `env` that takes some."""
    is_env = bool(words) and name_of(words[0]) == "env"
    rest = words[1:] if is_env else words
    while rest and (found := ASSIGNMENT.fullmatch(rest[0]) or (is_env and rest[0][:1] == "-")):
        if isinstance(found, re.Match):
            assigned.append((found[1], found[2]))
        rest = rest[1:]
    return rest if rest or not is_env else ["env"]


def _opened(words: list[str]) -> list[str] | None:
    """Return what a wrapper runs; None for a program that is none."""
    named = _WHICH.fullmatch(words[0]) or _PREFIXED.fullmatch(words[0])
    if named is not None:
        return [named[1], *words[1:]]
    name = name_of(words[0])
    opener = _OPENERS.get(name) or (_after_wrapper if name in _WRAPPERS else None)
    return None if opener is None else opener(words)


def _after_run(words: list[str]) -> list[str] | None:
    return after_coverage(words[words.index("run") + 1 :]) if "run" in words else None


def _after_option(words: list[str]) -> list[str]:
    """Return what an environment of Nix and its kin is told to run."""
    for index, word in enumerate(words):
        if word in {"-c", "--command", "--run", "shell"}:
            rest = words[index + 1 :]
            return rest[0].split() if len(rest) == 1 else rest
    return []


def _after_wrapper(words: list[str]) -> list[str] | None:
    """Return what a wrapper runs: from the first word on that is a program known to test."""
    if words[:2] == ["hatch", "test"]:
        return ["pytest", *words[2:]]
    if tuple(words[:2]) in _VERSIONED:
        return None
    rest = words[1:]
    known = _program_in(takewhile(lambda word: word not in _TAKING, rest))
    if known is not None:
        return rest[known:]
    while rest and _leads(rest[0]):
        rest = rest[1:]
    return rest


def _program_in(words: Iterable[str]) -> int | None:
    """Return which of some words is the first program that is known to test, or to lead to it."""
    return next((index for index, word in enumerate(words) if is_program(word)), None)


def _leads(word: str) -> bool:
    return word in _LEADS or word.startswith("-") or re.fullmatch(r"\d+\w?", word) is not None


def _in_container(words: list[str]) -> list[str] | None:
    """Return what `docker … run` or `exec` runs in a container; None for anything else."""
    verb = next((index for index, word in enumerate(words) if word in {"run", "exec"}), None)
    if verb is None or {"-d", "--detach"}.intersection(words):
        return None
    rest = words[verb + 1 :]
    known = _program_in(rest)
    if known is not None:
        return rest[known:]
    tests = [at for at, word in enumerate(rest) if TESTING.fullmatch(word)]
    # The container may be called a test.
    is_run = bool(tests) and rest[tests[-1] - 1] != "--name"
    return rest[tests[-1] :] if is_run else None


_OPENERS: Final[Mapping[str, Callable[[list[str]], list[str] | None]]] = {
    "coverage": _after_run,
    **dict.fromkeys(("docker", "podman", "docker-compose"), _in_container),
    **dict.fromkeys(("nix", "nix-shell", "devenv", "direnv", "dagger"), _after_option),
}
