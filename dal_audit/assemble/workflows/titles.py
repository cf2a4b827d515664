"""What a step's title and the programs in it tell: whether an unknown program may be a suite."""

from __future__ import annotations

import re
from typing import Final

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
    unknown = [
        command
        for command in step.script
        if command.words and command.words[0].rpartition("/")[2] not in _PLAIN
    ]
    return unknown[-1] if unknown else None


def shortened(text: str) -> str:
    """Return a text on one line, without passwords, no longer than a message bears."""
    shown = " ".join(without_secrets(text).split())
    return shown if len(shown) <= 60 else f"{shown[:57]}…"  # noqa: PLR2004  # a message is one line
