"""Which versions of libraries a project says that it needs: in its requirements, and its locks.

Read as data, none of it run: `pyproject.toml` (also Poetry's tables), `setup.cfg`, `setup.py`,
`Pipfile`, requirements files, and the lock files of Poetry, uv, PDM and Pipenv. Sources: PEP 440,
508 and 621, and the manuals of these tools.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from dal_audit.extract.cache import Cache
from dal_audit.extract.migrations.project_modules import text_of
from dal_audit.facts.migrations import LibraryNeed

LIBRARIES: Final = ("alembic", "django", "sqlalchemy")
"""The libraries whose version changes what operations come to, or take, as packages are called."""

LOCKS: Final = frozenset({"Pipfile.lock", "pdm.lock", "poetry.lock", "uv.lock"})
_DECLARATIONS: Final = frozenset({"Pipfile", "pyproject.toml", "setup.cfg", "setup.py"})
_REQUIREMENTS: Final = re.compile(r"(?:.*[-_.])?requirements(?:[-_.].*)?\.(?:txt|in)\Z")
_FOLDER: Final = "requirements"

_LOCKED: Final = re.compile(
    r'^name = "(?P<name>[\w.-]+)"\s*\nversion = "(?P<version>[^"]+)"', re.MULTILINE
)
_LOCKED_BY_PIPENV: Final = re.compile(
    r'^\s*"(?P<name>[\w.-]+)": \{[^{}]*?"version": "==(?P<version>[^"]+)"', re.MULTILINE
)
_NAME: Final = rf"""(?P<name>{"|".join(LIBRARIES)})(?![\w.-])(?:\[[^\]]*\])?[ \t]*"""
_ON_A_LINE: Final = re.compile(
    rf"""^[ \t]*["']?{_NAME}["']?(?P<said>[^#;\n]*)""", re.MULTILINE | re.IGNORECASE
)
_IN_QUOTES: Final = re.compile(rf"""["']{_NAME}(?P<said>[^"'#;\n]*)["']""", re.IGNORECASE)
_TABLE: Final = re.compile(r"""^\s*=\s*\{.*?\bversion\s*=\s*["']([^"']*)["']""")
_BOUND: Final = re.compile(r"(===?|~=|>=|>|\^|~|)\s*v?(\d+(?:\.\d+)*)")


def tells_needs(path: str) -> bool:
    """Return whether a file says which libraries a project needs, by its path."""
    folder, _, name = path.rpartition("/")
    is_of_folder = folder.rpartition("/")[2] == _FOLDER and name.endswith((".in", ".txt"))
    is_named = name in LOCKS or name in _DECLARATIONS
    return is_named or is_of_folder or _REQUIREMENTS.match(name) is not None


def needs_around(
    homes: Iterable[str], root: Path, listed: Iterable[str], cache: Cache | None
) -> dict[str, LibraryNeed]:
    """Return what is said of each library around some folders, by the nearest above each.

    Of two that are as near a lock counts, then the older version. `listed` are the paths of all
    files below the project's root.
    """
    paths = [path for path in listed if tells_needs(path)]
    if cache:
        cache.inquiry.bar(paths)
    texts = {path: text_of(str(root / path)) or "" for path in paths}
    told: dict[str, list[LibraryNeed]] = {}
    for path, text in texts.items():
        for need in needs_in(path, text).values():
            told.setdefault(_place_of(path), []).append(need)
    found: dict[str, LibraryNeed] = {}
    for home in sorted(homes):
        for library in LIBRARIES:
            near = next(
                filter(None, (_said(told, folder, library) for folder in _above(home))), None
            )
            known = found.get(library)
            if near is not None and (known is None or near.version < known.version):
                found[library] = near
    return found


def _said(
    told: Mapping[str, Sequence[LibraryNeed]], folder: str, library: str
) -> LibraryNeed | None:
    """Return what the files of a folder say of a library; None where they say nothing."""
    needs = [need for need in told.get(folder, ()) if need.library == library]
    locks = [need for need in needs if need.is_lock]
    return min(locks or needs, key=lambda need: (need.version, need.path), default=None)


def _above(folder: str) -> Iterator[str]:
    """Yield a folder, and those above it, the nearest first."""
    while folder:
        yield folder
        folder = folder.rpartition("/")[0]
    yield ""


def _place_of(path: str) -> str:
    """Return the folder whose project a file of needs is about."""
    folder = path.rpartition("/")[0]
    above, _, last = folder.rpartition("/")
    return above if last == _FOLDER else folder


def needs_in(path: str, text: str) -> Mapping[str, LibraryNeed]:
    """Return the oldest version of each library that a file takes; of those that it tells."""
    name = path.rpartition("/")[2]
    is_lock = name in LOCKS
    found: dict[str, tuple[int, ...]] = {}
    for library, version in _locked(name, text) if is_lock else _required(name, text):
        found[library] = min(found.get(library, version), version)
    return {
        library: LibraryNeed(library, version, path, is_lock=is_lock)
        for library, version in found.items()
    }


def _locked(name: str, text: str) -> Iterator[tuple[str, tuple[int, ...]]]:
    pattern = _LOCKED_BY_PIPENV if name == "Pipfile.lock" else _LOCKED
    for found in pattern.finditer(text):
        bound = _BOUND.match(found["version"])
        if found["name"].lower() in LIBRARIES and bound is not None:
            yield found["name"].lower(), _version(bound[2])


def _required(name: str, text: str) -> Iterator[tuple[str, tuple[int, ...]]]:
    patterns = [] if name == "setup.py" else [_ON_A_LINE]
    patterns += [_IN_QUOTES] if name in _DECLARATIONS else []
    for found in (found for pattern in patterns for found in pattern.finditer(text)):
        version = _oldest(found["said"])
        if version is not None:
            yield found["name"].lower(), version


def _oldest(said: str) -> tuple[int, ...] | None:
    """Return the oldest version that a requirement takes; None where it has no lower bound."""
    table = _TABLE.match(said)
    said = table[1] if table is not None else said.lstrip(" \t=\"'(")
    bounds = [] if said.startswith("@") else list(_BOUND.finditer(said))
    versions = [_version(bound[2]) for bound in bounds if not _is_upper(said, bound)]
    return min(versions, default=None)


def _is_upper(said: str, bound: re.Match[str]) -> bool:
    """Return whether a version is one that a requirement leaves out, or goes up to."""
    before = said[: bound.start()].rstrip()
    return before.endswith(("<", "<=", "!=", ".")) or before[-1:].isalnum()


def _version(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(".")))[:2]
