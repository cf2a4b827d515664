"""What a step's title and the programs in it tell: whether an unknown program may be a suite."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from dal_audit.assemble.workflows.programs import name_of
from dal_audit.extract.ci.expressions import UNKNOWN
from dal_audit.extract.secrets import without_secrets
from dal_audit.facts.ci import CiCommand, CiStep

_TEST_STEP: Final = re.compile(r"\btests?\b", re.IGNORECASE)
_NO_TEST_STEP: Final = re.compile(
    r"set.?up|install|prepare|create|copy|upload|download|build|report|result|coverage|data\b"
    r"|compile|image|lint|environment|depend",
    re.IGNORECASE,
)

_PLAIN: Final = frozenset(
    {
        ".",
        ":",
        "[",
        "[[",
        "apt",
        "apt-get",
        "awk",
        "brew",
        "cargo",
        "cat",
        "cd",
        "chmod",
        "choco",
        "cp",
        "createdb",
        "curl",
        "date",
        "diff",
        "docker",
        "docker-compose",
        "echo",
        "env",
        "exit",
        "export",
        "false",
        "find",
        "for",
        "git",
        "go",
        "grep",
        "gunzip",
        "jq",
        "kill",
        "ls",
        "mkdir",
        "mv",
        "mypy",
        "npm",
        "pg_isready",
        "pip",
        "pip3",
        "pnpm",
        "printenv",
        "printf",
        "ps",
        "psql",
        "pwd",
        "python",
        "python3",
        "rm",
        "ruff",
        "rustc",
        "rustup",
        "sed",
        "set",
        "sleep",
        "source",
        "sudo",
        "systemctl",
        "tar",
        "tee",
        "test",
        "touch",
        "true",
        "until",
        "unzip",
        "uv",
        "wget",
        "yarn",
        "zip",
    }
)
"""Programs that everybody knows, and that are no suite of tests."""


def unknown_suite(step: CiStep) -> CiCommand | None:
    """Return the last unknown program of a step that is called a test.

    Only that tests are run is told by a step's name, never on which backend.
    """
    if not _TEST_STEP.search(step.name) or _NO_TEST_STEP.search(step.name):
        return None
    return next(filter(is_unknown, reversed(step.script)), None)


def is_unknown(command: CiCommand) -> bool:
    """Return whether a command runs a program of which nothing is known."""
    return bool(command.words) and name_of(command.words[0]) not in _PLAIN


def said(words: Sequence[str]) -> str:
    """Return a command as a message names it, with a mark for what only a run knows."""
    return f"`{' '.join(words[:4]).replace(UNKNOWN, '…')}`"


def shortened(text: str) -> str:
    """Return a text on one line, without passwords, no longer than a message bears."""
    shown = " ".join(without_secrets(text).split())
    return shown if len(shown) <= 60 else f"{shown[:57]}…"  # noqa: PLR2004  # a message is one line
