"""Holds a parsed configuration against the table of keys, and turns it into typed values."""

from __future__ import annotations

import datetime as dt
import re
from posixpath import normpath
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from dal_audit.policy.globs import glob_flaw
from dal_audit.policy.keys import Choice, Day, Flag, Many, Record, Shape, Table, Text
from dal_audit.policy.problems import did_you_mean, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from dal_audit.policy.positions import KeyPath
    from dal_audit.policy.selection import RuleNames

_ABSOLUTE: Final = re.compile(r"/|[A-Za-z]:")
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)

# The first that fits is meant: a boolean is an integer to Python, a time stamp a date.
_KINDS: Final = (
    (str, "a string"),
    (bool, "a boolean"),
    (int, "an integer"),
    (float, "a float"),
    (list, "a list"),
    (dict, "a table"),
    (dt.datetime, "a date with a time"),
    (dt.date, "a date"),
    (dt.time, "a time"),
)


MAX_FAULTS: Final = 100
"""So many faults are told, and how many more there are: nobody mends more at once."""


MAX_DOTS: Final = 40
"""No module lies deeper; names are followed step by step, and looked for at each."""


class Fault(Struct, frozen=True):
    """What is wrong at a path of the document: with the value, or with the key itself."""

    path: KeyPath
    message: str
    on_key: bool = False


class Reader:
    """Reads values by their shapes; `faults` are what is wrong, the first of `count` in number.

    A value with a fault is read as None, or left out of what holds it.
    """

    def __init__(self, root: Path, rules: RuleNames, *, baseline_expected: bool) -> None:
        """Keep what values are held against."""
        self.faults: list[Fault] = []
        self.count = 0
        self._root = root
        self._rules = rules
        self._baseline_expected = baseline_expected

    def fields(self, record: Record, given: Mapping[str, Any], path: KeyPath) -> dict[str, Any]:
        """Read a table of known keys; keys that are not set are left out."""
        known = {key.name: key for key in record.keys}
        fields = {}
        for name, value in given.items():
            key = known.get(name)
            if key is None:
                message = f"unknown key {quoted(name)}{self._hint(name, known)}"
                self._fault((*path, name), message, on_key=True)
                continue
            fields[name] = self._read(key.shape, value, (*path, name))
        lacking = [key.name for key in record.keys if not key.default and key.name not in given]
        if lacking:
            self._fault(path, f"the {record.noun} lacks {_listed(lacking)}")
        flaw = record.flaw(fields)
        if flaw:
            self._fault((*path, flaw[0]), flaw[1])
        return {name.replace("-", "_"): value for name, value in fields.items()}

    def _fault(self, path: KeyPath, message: str, *, on_key: bool = False) -> None:
        self.count += 1
        if self.count <= MAX_FAULTS:
            self.faults.append(Fault(path, message, on_key))

    def _hint(self, word: str, known: Iterable[str]) -> str:
        """Return what a word may have been meant for, in a fault that is told."""
        return did_you_mean(word, known) if self.count < MAX_FAULTS else ""

    def _unknown_rule(self, word: str) -> str:
        return self._rules.unknown(word) if self.count < MAX_FAULTS else "unknown rule"

    def _wrong_type(self, path: KeyPath, wanted: str, found: object) -> None:
        kind = next(name for type_, name in _KINDS if isinstance(found, type_))
        self._fault(path, f"{_subject(path)} must be {wanted}, found {kind}")

    def _read(self, shape: Shape, value: object, path: KeyPath) -> Any:
        match shape:
            case Text():
                return self._text(shape, value, path)
            case Choice():
                return self._choice(shape, value, path)
            case Flag():
                return self._flag(value, path)
            case Day():
                return self._day(value, path)
            case Many():
                return self._many(shape, value, path)
            case Table():
                return self._table(shape, value, path)
            case Record():
                return self._record(shape, value, path)

    def _flag(self, value: object, path: KeyPath) -> bool | None:
        if isinstance(value, bool):
            return value
        self._wrong_type(path, "a boolean", value)
        return None

    def _many(self, shape: Many, value: object, path: KeyPath) -> tuple[Any, ...] | None:
        if shape.single and isinstance(value, str):
            return (self._read(shape.item, value, path),)
        if not isinstance(value, list):
            tables = isinstance(shape.item, Record)
            wanted = f"a list of tables, written `[[{path[-1]}]]`" if tables else "a list"
            self._wrong_type(path, wanted, value)
            return None
        if len(value) < shape.least:
            self._fault(path, f"{_subject(path)} must not be empty")
        if shape.unique:
            self._twice(shape.unique, value, path)
        return tuple(self._read(shape.item, item, (*path, i)) for i, item in enumerate(value))

    def _twice(self, name: str, tables: list[Any], path: KeyPath) -> None:
        seen = set()
        for index, table in enumerate(tables):
            value = table.get(name) if isinstance(table, dict) else None
            if not isinstance(value, str):
                continue
            if value in seen:
                self._fault((*path, index, name), f"the {name} {quoted(value)} is given twice")
            seen.add(value)

    def _table(self, shape: Table, value: object, path: KeyPath) -> tuple[tuple[str, Any], ...]:
        if not isinstance(value, dict):
            self._wrong_type(path, "a table", value)
            return ()
        read: dict[str, Any] = {}
        for name, item in value.items():
            here = (*path, name)
            if isinstance(shape.key, Text):
                key = self._text(shape.key, name, here, on_key=True)
            else:
                key = self._choice(shape.key, name, here, on_key=True)
            if key in read:
                message = f"{quoted(name)} is set twice, by id and by name"
                self._fault(here, message, on_key=True)
            found = self._read(shape.value, item, here)
            if key is not None:
                read[key] = found
        return tuple((dict(shape.defaults) | read).items())

    def _record(self, shape: Record, value: object, path: KeyPath) -> Any:
        if not isinstance(value, dict):
            self._wrong_type(path, "a table", value)
            return None
        before = self.count
        fields = self.fields(shape, value, path)
        return shape.make(**fields) if self.count == before else None

    def _choice(
        self, shape: Choice, value: object, path: KeyPath, *, on_key: bool = False
    ) -> str | None:
        if not isinstance(value, str):
            self._wrong_type(path, f"a {shape.noun} (a string)", value)
            return None
        if value in shape.allowed:
            return value
        hint = self._hint(value, shape.allowed)
        message = (
            f"unknown {shape.noun} {quoted(value)}: allowed are {_listed(shape.allowed)}{hint}"
        )
        self._fault(path, message, on_key=on_key)
        return None

    def _day(self, value: object, path: KeyPath) -> dt.date | None:
        if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
            return value
        if not isinstance(value, str):
            self._wrong_type(path, "a date such as 2026-01-31", value)
            return None
        try:
            # Later Pythons' `fromisoformat` takes more than the earlier ones' does.
            if _DAY.fullmatch(value):
                return dt.date.fromisoformat(value)
        except ValueError:
            pass
        self._fault(path, f"{quoted(value)} is not a date such as 2026-01-31")
        return None

    def _text(self, shape: Text, value: object, path: KeyPath, *, on_key: bool = False) -> Any:
        if not isinstance(value, str):
            self._wrong_type(path, f"a string ({shape.noun})", value)
            return None
        if not value.strip():
            self._fault(path, f"{_subject(path, on_key=on_key)} must not be empty", on_key=on_key)
            return None
        if shape.pattern and value.count(".") > MAX_DOTS:
            message = f"{quoted(value)} has more than {MAX_DOTS} dots, and so has no module"
            self._fault(path, message, on_key=on_key)
            return None
        if shape.pattern and not re.fullmatch(shape.pattern, value):
            self._fault(path, f"{quoted(value)} is not {shape.noun}", on_key=on_key)
            return None
        read, flaw = self._meaning(shape, value)
        if flaw:
            self._fault(path, flaw, on_key=on_key)
            return None
        return read

    def _meaning(self, shape: Text, value: str) -> tuple[object, str]:
        """Return what a text means, and what is wrong with it, empty where nothing is."""
        match shape.check:
            case "version":
                return tuple(map(int, value.split("."))), ""
            case "rule":
                rule = self._rules.selector(value)
                return rule, "" if rule else self._unknown_rule(value)
            case "glob":
                return value, _path_flaw(value, glob=True)
            case "folder" | "file":
                flaw = _path_flaw(value, glob=False) or self._absence(value, shape.check)
                return normpath(value), flaw
            case "":
                return value, ""

    def _absence(self, value: str, kind: str) -> str:
        """Say that a folder or file does not exist; empty when it does."""
        target = self._root / value
        try:
            if target.is_dir() if kind == "folder" else target.is_file():
                return ""
            if target.exists():
                return f"{quoted(value)} is not a {kind}"
            if kind == "file" and not self._baseline_expected:
                return ""
            siblings = sorted(entry.name for entry in target.parent.iterdir())
        except (OSError, ValueError):
            siblings = []
        hint = did_you_mean(target.name, siblings)
        return f"the {kind} {quoted(value)} does not exist{hint}"


def _listed(words: Sequence[str]) -> str:
    """Return words as a list in a sentence."""
    *most, last = [f"`{word}`" for word in words]
    return f"{', '.join(most)} and {last}" if most else last


def _subject(path: KeyPath, *, on_key: bool = False) -> str:
    """Name what a message is about: a key, or an item of what it holds."""
    names = ".".join(part for part in path if isinstance(part, str))
    if on_key:
        return f"a key of `{path[-2]}`"
    return f"an item of {quoted(names)}" if isinstance(path[-1], int) else quoted(names)


def _path_flaw(value: str, *, glob: bool) -> str:
    """Say why a path or glob does not stay in the root, or means nothing."""
    if "\\" in value:
        return rf"{quoted(value)} has a `\`; write `/` on every system"
    if _ABSOLUTE.match(value):
        return f"{quoted(value)} is absolute; paths are relative to the project's root"
    if glob:
        if ".." in value.split("/"):
            return f"{quoted(value)} has `..`; globs stay in the project's root"
        flaw = glob_flaw(value)
        return f"{quoted(value)} is not a path glob: {flaw}" if flaw else ""
    if normpath(value).split("/")[0] == "..":
        return f"{quoted(value)} leaves the project's root"
    return ""
