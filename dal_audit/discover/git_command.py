"""The one place that runs git: it reads a repository, and nothing of the repository is run.

A repository's own configuration can name programs: filters, hooks, a file system monitor, ways to
fetch what a partial clone lacks. The commands asked for here (listings, trees, blobs, indexes) need
none of them; each way in is shut by itself besides. Files of the work tree are never given to git
to compare, as its filters would see them: `git_snapshot` hashes their bytes.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from msgspec import Struct

OF_A_REPOSITORY: Final = frozenset(
    {
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        "GIT_COMMON_DIR",
        "GIT_CONFIG",
        "GIT_DIR",
        "GIT_GRAFT_FILE",
        "GIT_IMPLICIT_WORK_TREE",
        "GIT_INDEX_FILE",
        "GIT_INTERNAL_SUPER_PREFIX",
        "GIT_NAMESPACE",
        "GIT_NO_REPLACE_OBJECTS",
        "GIT_OBJECT_DIRECTORY",
        "GIT_PREFIX",
        "GIT_REPLACE_REF_BASE",
        "GIT_SHALLOW_FILE",
        "GIT_WORK_TREE",
    }
)
"""Variables that speak of one repository (`git rev-parse --local-env-vars`).

Not those of `git -c`, as git keeps them for a submodule, too: `safe.directory` may be set there.
"""

OF_AN_ANSWER: Final = frozenset(
    {"GIT_DIFF_OPTS", "GIT_EXTERNAL_DIFF", "GIT_SSH", "GIT_PROXY_COMMAND"}
)
"""Variables that change what git says, or that name what it runs."""

SHUT: Final = {
    "GIT_ALLOW_PROTOCOL": "",
    "GIT_ASKPASS": "",
    "GIT_DISCOVERY_ACROSS_FILESYSTEM": "1",
    "GIT_LITERAL_PATHSPECS": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_PAGER": "cat",
    "GIT_SSH_COMMAND": "false",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}
"""No way to another repository, no question, no write that is not needed; answers in English."""

SETTINGS: Final = (
    "core.fsmonitor=false",
    f"core.hooksPath={os.devnull}",
    "core.quotePath=true",
    "core.splitIndex=false",
    "core.untrackedCache=false",
    "credential.helper=",
    "protocol.allow=never",
    "safe.bareRepository=explicit",
)
"""What holds whatever the repository's own configuration says."""

SECONDS: Final = 120
"""The most that one answer may take: a repository's files may be pipes that nobody writes to."""

_PROGRAM: Final = "git.exe" if os.name == "nt" else "git"


class Answer(Struct, frozen=True):
    """What git says: `output` as bytes, and `said`, its errors and warnings, as text."""

    fails: bool
    output: bytes
    said: str


def ask_git(
    top: Path,
    *words: str,
    folder: Path | None = None,
    given: bytes = b"",
    environment: Mapping[str, str] | None = None,
) -> Answer:
    """Return git's answer about the repository at `top`, asked in `folder` (else at the top).

    `given` is its standard input. Raises OSError where there is no git, TimeoutError where it does
    not answer in time.
    """
    import subprocess  # only where there is a repository: it takes as long as to read the rules

    settings = [word for setting in SETTINGS for word in ("-c", setting)]
    command = [_program(), "--no-pager", *settings, *words]
    try:
        answer = subprocess.run(
            command,
            cwd=folder or top,
            env={**git_environment(top), **(environment or {})},
            input=given,
            capture_output=True,
            check=False,
            timeout=SECONDS,
        )
    except subprocess.TimeoutExpired:
        message = f"`git {words[0]}` gave no answer within {SECONDS} seconds in {top}"
        raise TimeoutError(message) from None
    return Answer(answer.returncode != 0, answer.stdout, os.fsdecode(answer.stderr))


def git_environment(top: Path) -> dict[str, str]:
    """Return what git is to be told: to look at this repository, and to run nothing.

    A repository is the one that its folder says, as far up as it lies and no further, whatever a
    hook of another one exports.
    """
    left_out = OF_A_REPOSITORY | OF_AN_ANSWER
    environment = {name: value for name, value in os.environ.items() if name not in left_out}
    return {**environment, **SHUT, "GIT_CEILING_DIRECTORIES": str(top.parent)}


def _program() -> str:
    """Return where git is, in absolute terms. Raises FileNotFoundError.

    An entry of PATH that is not absolute would be looked up in the audited project.
    """
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
        program = os.path.join(folder, _PROGRAM)  # noqa: PTH118  # pathlib takes "" for "."
        if os.path.isabs(folder) and os.access(program, os.X_OK):  # noqa: PTH117
            return program
    raise FileNotFoundError(f"`{_PROGRAM}` is not on PATH")
