"""Which engines a project declares: by drivers that it depends on, and by engines in its settings.

Read are `requirements.txt` and its kin, `pyproject.toml` (PEP 621, PEP 735, Poetry), `setup.cfg`,
`setup.py`, the `deps` of tox, and modules of settings in Django's form.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any, Final

import tomli

from dal_audit.catalogue.backend_names import backends_named, backends_of_url
from dal_audit.catalogue.drivers import shipped_drivers
from dal_audit.extract.source import Lines
from dal_audit.facts.ci import DeclaredBackend
from dal_audit.facts.ci_files import CiKind

_HINT: Final = re.compile(r"pg|postg|sqlite|spatialite|maria|mysql|asyncmy", re.IGNORECASE)
"""What stands in every text that names an engine: most files are ruled out by it."""

_REQUIREMENT: Final = re.compile(r"([A-Za-z0-9][\w.-]*)\s*(?:\[([^\]]*)\])?")
_ROW: Final = re.compile(
    r"^[ \t]*(?:[\w.,!{}-]+:[ \t]+)?(?P<asked>[A-Za-z0-9][^\s#;]*)", re.MULTILINE
)
"""A line of a list of requirements; tox has factors before some."""

_QUOTED: Final = re.compile(r"['\"](?P<asked>[A-Za-z0-9][\w.-]*(?:\[[^\]'\"]*\])?)[^'\"\n]*['\"]")
_SEPARATORS: Final = re.compile(r"[-_.]+")
_ENGINE: Final = re.compile(r"['\"]django\.(?:contrib\.gis\.)?db\.backends\.(\w+)['\"]")
_ADDRESS: Final = re.compile(r"['\"]((?:postgres(?:ql)?|sqlite|mysql)(?:\+\w+)?:/[^'\"\s]*)")
_GIS: Final = {"postgis": frozenset({"postgresql"}), "spatialite": frozenset({"sqlite"})}
_ASIDE: Final = re.compile(r"doc|lint|typ(?:e|ing)|bench|format|style", re.IGNORECASE)
"""Groups of dependencies that say nothing about what a project runs on."""

Asked = tuple[str, int]
"""A requirement as it is written, and its offset in the text."""


def declared_in(kind: CiKind, text: str) -> tuple[DeclaredBackend, ...]:
    """Return the engines that a file declares, each where it is named first."""
    if _HINT.search(text) is None:
        return ()
    named = _settings(text) if kind == "settings" else _dependencies(kind, text)
    first: dict[str, tuple[int, str]] = {}
    for backends, offset, by in named:
        for backend in backends:
            first[backend] = min(first.get(backend, (offset, by)), (offset, by))
    lines = Lines(text)
    return tuple(
        DeclaredBackend(lines.span(offset, offset + len(by)), backend, by)
        for backend, (offset, by) in sorted(first.items())
    )


def _settings(text: str) -> Iterator[tuple[frozenset[str], int, str]]:
    """Yield the engines that settings choose, by Django's modules or by URLs."""
    for found in _ENGINE.finditer(text):
        yield _GIS.get(found[1]) or backends_named(found[1]), found.start(1), found[1]
    for found in _ADDRESS.finditer(text):
        scheme = found[1].partition(":")[0]
        yield backends_of_url(found[1]), found.start(1), scheme


def _dependencies(kind: CiKind, text: str) -> Iterator[tuple[frozenset[str], int, str]]:
    """Yield the engines of the drivers that a file asks for."""
    for asked, offset in _asked(kind, text):
        requirement = _REQUIREMENT.match(asked)
        if requirement is not None:
            yield _engines_of(requirement), offset, requirement[1]


def _engines_of(requirement: re.Match[str]) -> frozenset[str]:
    """Return the engines of a requirement: of a driver, or of extras that are called by one."""
    engine = _packages().get(_SEPARATORS.sub("-", requirement[1]).lower())
    own = frozenset({engine}) if engine else frozenset[str]()
    extras = (requirement[2] or "").split(",")
    return own.union(*map(backends_named, extras))


@cache
def _packages() -> Mapping[str, str]:
    """Return the engine of each package that holds a driver."""
    return {
        _SEPARATORS.sub("-", package).lower(): driver.dialect
        for driver in shipped_drivers()
        if driver.kind == "driver" and driver.dialect
        for package in driver.packages
    }


def _asked(kind: CiKind, text: str) -> Iterator[Asked]:
    """Yield the requirements in a file of some kind."""
    if kind == "project":
        yield from _placed(_of_project(text), text)
        return
    pattern = _QUOTED if kind == "setup" else _ROW
    for found in pattern.finditer(text):
        yield found["asked"], found.start("asked")


def _placed(asked: Iterable[str], text: str) -> Iterator[Asked]:
    """Yield requirements with where each stands first, in quotes or as a key."""
    for requirement in asked:
        found = re.search(rf"(?<![\w-]){re.escape(requirement)}", text)
        if found is not None:
            yield requirement, found.start()


def _of_project(text: str) -> Iterator[str]:
    """Yield the requirements of a pyproject.toml, but for those of its documentation and the like.

    Nothing for a text that is no TOML: other tools have their own say about it.
    """
    try:
        root = tomli.loads(text)
    except (tomli.TOMLDecodeError, RecursionError):
        return
    project = _table(root, "project")
    poetry = _table(root, "tool", "poetry")
    yield from _texts(project.get("dependencies"))
    for groups in (_table(project, "optional-dependencies"), _table(root, "dependency-groups")):
        for name, group in groups.items():
            yield from _texts(group) if not _ASIDE.search(name) else ()
    yield from _table(poetry, "dependencies")
    for name, group in _table(poetry, "group").items():
        if isinstance(group, Mapping) and not _ASIDE.search(name):
            yield from _table(group, "dependencies")
    yield from _table(poetry, "dev-dependencies")


def _table(root: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    """Return a table below another, by the keys that lead to it; an empty one if there is none."""
    found: Any = root
    for name in names:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, str))
