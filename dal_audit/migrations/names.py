"""What the name of a migration's file or folder says: number, direction, backend, kind."""

from __future__ import annotations

import re
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from typing import Final

from msgspec import Struct

from dal_audit.catalogue.engine_words import engine_of
from dal_audit.migrations.backends import split_backend
from dal_audit.migrations.model import Language, Role, Side

ENDING: Final = re.compile(r"\.(sql(?:\.([A-Za-z0-9]+))?|psql|pgsql|ddl)\Z", re.IGNORECASE)
_CODE: Final = re.compile(r"\.(py|go|rs|java|kt|js|ts)\Z")
_ONLY_PAIRED: Final = frozenset({"psql", "pgsql", "ddl"})
"""Endings that golang-migrate, which takes any, is given for SQL."""

_SIDES: Final[dict[str, Side]] = {"up": "up", "down": "down", "rollback": "down", "undo": "down"}
_UNDERSCORED: Final = re.compile(r"(.+)[_-](up|down|rollback)\Z", re.IGNORECASE)
_UPGRADE: Final = re.compile(r"(\d+(?:_\w+?)?)_([a-z0-9]+)_(upgrade|downgrade)\Z")
_FLYWAY: Final = re.compile(r"([VUB])(\d+(?:[._]\d+)*)__(.*)\Z")
_REPEATABLE: Final = re.compile(r"R__(.+)\Z")
_DATED: Final = re.compile(
    r"((?:19|20)\d\d)([-_])(0[1-9]|1[0-2])\2([0-2]\d|3[01])(?:[-_T](\d{4}|\d{6}))?(?:-(\d{4}))?"
    r"(?=[._-]|\Z)"
)
_VERSION: Final = re.compile(r"[vV]?(\d+(?:\.\d+)+(?:_\d+(?=_))?)(?=[._-]|\Z)")
_NUMBER: Final = re.compile(r"[vV]?(\d+)")
_CALENDAR: Final = re.compile(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])\d*\Z")
_EPOCH: Final = re.compile(r"[1-3]\d{9}(?:\d{3})?\Z")
_VERSION_FOLDER: Final = re.compile(r"[vV]?(\d+(?:[._]\d+)*)\Z")

_SHORTEST_STAMP: Final = 8


class ScriptName(Struct, frozen=True):
    """A file's name, taken apart.

    `key` is what the two directions of a migration share; `explicit` tells whether the direction is
    written; `prefix` is Flyway's letter; `scripted` marks SQLAlchemy-migrate's form.
    """

    key: str
    name: str
    written: str = ""
    version: tuple[int, ...] = ()
    stamped: bool = False
    side: Side = "up"
    explicit: str = ""
    backend: str = ""
    prefix: str = ""
    scripted: bool = False
    language: Language = "sql"

    @property
    def role(self) -> Role:
        """How often the migration runs."""
        if self.prefix == "R":
            return "repeatable"
        return "baseline" if self.prefix == "B" else "versioned"


def is_script(name: str) -> bool:
    """Return whether a file is one of SQL, by its name (the last part of its path).

    `x.sql` and `x.sql.postgres` are; `x.up.psql` is, as one direction of a migration.
    """
    # Nearly all files of a project are none, and this is quickly seen.
    if name.endswith(".py"):
        return False
    lower = name.lower()
    ending = ENDING.search(name) if "sql" in lower or "ddl" in lower else None
    if ending is None:
        return False
    if ending[1].lower() in _ONLY_PAIRED:
        return name[: ending.start()].lower().endswith((".up", ".down"))
    return not ending[2] or bool(engine_of(ending[2]))


def parse_name(
    name: str, siblings: AbstractSet[str] = frozenset(), *, dated: bool = True
) -> ScriptName | None:
    """Take the name of an SQL or program file apart; None for any other file.

    `siblings` are the names in the same folder: they decide whether the last word of a name is its
    direction or its backend. Without `dated`, only the digits at the beginning are the number,
    as tools read it that know no dates with dashes.
    """
    language: Language = "sql"
    backend = ""
    if is_script(name):
        ending = ENDING.search(name)
        stem = name[: ending.start()] if ending else name
        backend = engine_of(ending[2]) if ending and ending[2] else ""
    else:
        code = _CODE.search(name)
        if code is None:
            return None
        stem = name[: code.start()]
        language = "python" if code[1] == "py" else "other"
    return _parse_stem(stem, backend, language, _asking(stem, name, siblings), dated=dated)


def _asking(stem: str, name: str, siblings: AbstractSet[str]) -> Callable[[str], bool]:
    """Return a test whether a file with another stem and the same ending lies in the folder."""
    return lambda other: other + name[len(stem) :] in siblings


def _parse_stem(
    stem: str, backend: str, language: Language, exists: Callable[[str], bool], *, dated: bool
) -> ScriptName:
    upgrade = _UPGRADE.match(stem)
    if upgrade and language == "sql":
        number = _NUMBER.match(upgrade[1])
        written = number[1] if number else ""
        side: Side = "up" if upgrade[3] == "upgrade" else "down"
        own = engine_of(upgrade[2])
        rest = upgrade[1][len(written) :].strip("_")
        key = f"{upgrade[1]}_{upgrade[2]}"
        version = (int(written),)
        return ScriptName(
            key, rest, written, version, is_stamp(written), side, upgrade[3], own, scripted=True
        )
    parts = stem.split(".")
    explicit = ""
    if len(parts) > 1 and parts[-1].lower() in _SIDES:
        explicit = parts.pop().lower()
    if not backend:
        parts, backend = split_backend(parts)
    key = ".".join(parts)
    if not explicit:
        key, explicit = _underscored(key, exists)
    if not backend:
        key, backend = _trailing_backend(key, exists)
    side = _SIDES.get(explicit, "up")
    return _numbered(
        key, dated=dated, side=side, explicit=explicit, backend=backend, language=language
    )


def _underscored(key: str, exists: Callable[[str], bool]) -> tuple[str, str]:
    """Read `x_down` as a direction where `x_up` or `x` lies beside it, and `x_up` likewise."""
    found = _UNDERSCORED.match(key)
    if found is None:
        return key, ""
    mark = key[found.end(1)]
    others = [f"{found[1]}{mark}{word}" for word in ("up", "down", "rollback") if word != found[2]]
    if any(map(exists, others)) or (found[2].lower() != "up" and exists(found[1])):
        return found[1], found[2].lower()
    return key, ""


def _trailing_backend(key: str, exists: Callable[[str], bool]) -> tuple[str, str]:
    """Read the last word as a backend where the same file for another one lies beside it."""
    base, mark, word = key.rpartition("_") if "_" in key else key.rpartition("-")
    backend = engine_of(word)
    others = ("sqlite", "sqlite3", "postgres", "postgresql", "pg", "mysql")
    if (
        base
        and backend
        and any(exists(f"{base}{mark}{other}") for other in others if other != word)
    ):
        return base, backend
    return key, ""


def _numbered(
    key: str,
    *,
    dated: bool = True,
    side: Side = "up",
    explicit: str = "",
    backend: str = "",
    language: Language = "sql",
) -> ScriptName:
    number = _lettered(key) or (_date(key) if dated else None) or _version(key) or _Number(rest=key)
    version = number.version
    while len(version) > 1 and version[-1] == 0 and not number.stamped:  # Flyway: 1.0 is 1.
        version = version[:-1]
    return ScriptName(
        key,
        number.rest.strip("._- "),
        number.written,
        version,
        number.stamped,
        side,
        explicit,
        backend,
        number.prefix,
        language=language,
    )


class _Number(Struct, frozen=True):
    """What a name begins with, and the rest of it."""

    rest: str
    written: str = ""
    version: tuple[int, ...] = ()
    stamped: bool = False
    prefix: str = ""


def _lettered(key: str) -> _Number | None:
    """Read one of Flyway's letters, with the number behind it."""
    flyway = _FLYWAY.match(key)
    if flyway:
        written = flyway[2]
        return _Number(flyway[3], written, _integers(written), is_stamp(written), flyway[1])
    repeatable = _REPEATABLE.match(key)
    return _Number(repeatable[1], prefix="R") if repeatable else None


def _date(key: str) -> _Number | None:
    """Read a date with dashes, with or without a clock."""
    date = _DATED.match(key)
    if date is None:
        return None
    clock = (date[5] or "").ljust(6, "0")
    moment = int(f"{date[1]}{date[3]}{date[4]}{clock}")
    # diesel tells migrations of one second apart by four more digits.
    version = (moment, int(date[6])) if date[6] else (moment,)
    return _Number(key[date.end() :], date[0], version, stamped=True)


def _version(key: str) -> _Number | None:
    """Read a version of several parts, or the digits."""
    found = _VERSION.match(key) or _NUMBER.match(key)
    if found is None:
        return None
    return _Number(key[found.end() :], found[1], _integers(found[1]), is_stamp(found[1]))


def _integers(written: str) -> tuple[int, ...]:
    """Return the parts of a version."""
    return tuple(int(part) for part in re.split(r"[._]", written))


def parse_folder(name: str) -> ScriptName:
    """Take the name of a folder apart that is one migration (diesel's, Prisma's)."""
    return _numbered(name)


def version_of_folder(name: str) -> tuple[int, ...]:
    """Return the version that a folder of migrations is named after: `v1.10` or `73`."""
    found = _VERSION_FOLDER.match(name)
    return _integers(found[1]) if found else ()


def is_stamp(digits: str) -> bool:
    """Return whether digits are a point in time: a date with or without a clock, or an epoch.

    A row of eight zeros or more is what diesel and others give to the very first migration.
    """
    if len(digits) < _SHORTEST_STAMP:
        return False
    return (
        _CALENDAR.match(digits) is not None
        or _EPOCH.match(digits) is not None
        or not digits.strip("0")
    )
