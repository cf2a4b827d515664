"""Where the rule book lies, and how the tables of its catalogue are read.

People write the tables as TOML. Beside `drivers.toml` lies `drivers.json`, the same rows in the
form that is read at every start, as far as a run can ask for them: that takes a fifteenth of the
time. So may lie there what is made of a table. It counts as long as it is what was made from the
TOML that lies there; where somebody edited either, the TOML is read, and a test asks for the JSON
to be made anew.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import msgspec

import dal_audit

Row = TypeVar("Row")


@cache
def rules_folder() -> Path:
    """Return the folder that holds the rule book.

    A wheel carries it inside the package (`force-include` in pyproject.toml); an editable install
    does not get that, so the checkout's folder serves there.
    """
    package = Path(dal_audit.__file__).resolve().parent
    packaged = package / "rules"
    return packaged if packaged.is_dir() else package.parent / "rules"


def table(
    stem: str, kind: type[tuple[Row, ...]], read: Callable[[Mapping[str, Any]], Row]
) -> tuple[Row, ...]:
    """Return the rows of a table of the catalogue: `read` makes one of what the TOML says.

    A table may be a folder of several files. A row says then as its `kind` in which it stands.
    """
    return prepared(stem, stem, kind, lambda: _rows(stem, read))


def prepared(
    name: str, stem: str, kind: type[tuple[Row, ...]], make: Callable[[], tuple[Row, ...]]
) -> tuple[Row, ...]:
    """Return what `make` makes of a table of the catalogue, as the JSON of a name keeps it."""
    form = msgspec.defstruct("Compiled", [("of", str), ("rows", kind)])
    try:
        data = (rules_folder() / "catalogue" / f"{name}.json").read_bytes()
        kept: Any = msgspec.json.decode(data, type=form)
        if kept.of == _checksums(_toml(stem), data[data.find(b"\n") + 1 :]):
            return kept.rows  # type: ignore[no-any-return]
    except (OSError, msgspec.DecodeError):
        pass  # It saves time, and nothing else hangs on it.
    return make()


def compiled(stem: str, read: Callable[[Mapping[str, Any]], object]) -> bytes:
    """Return what belongs into the JSON beside a table, a line a row."""
    return kept_form(stem, map(msgspec.json.encode, _rows(stem, read)))


def kept_form(stem: str, rows: Iterable[bytes]) -> bytes:
    """Return what belongs into a JSON that keeps what was made of a table, a line a row."""
    lines = b",\n".join(rows) + b"\n]}\n"
    return b'{"of":"%s","rows":[\n%s' % (_checksums(_toml(stem), lines).encode(), lines)


def _files(stem: str) -> list[Path]:
    """Return the files of a table."""
    place = rules_folder() / "catalogue" / stem
    return sorted(place.glob("*.toml")) if place.is_dir() else [Path(f"{place}.toml")]


def _toml(stem: str) -> bytes:
    return b"".join(file.read_bytes() for file in _files(stem))


def _rows(stem: str, read: Callable[[Mapping[str, Any]], Row]) -> tuple[Row, ...]:
    """Read a table of TOML: the rows of the one array that each file of it holds."""
    import tomli  # only where the compiled form does not serve

    found: list[Row] = []
    for file in _files(stem):
        (rows,) = tomli.loads(file.read_text(encoding="utf-8")).values()
        kind = {"kind": file.stem} if file.parent.name == stem else {}
        found += (read({**row, **kind}) for row in rows)
    return tuple(found)


def _checksums(*texts: bytes) -> str:
    """Return what tells an edited text from another; how git ends its lines makes no difference.

    Nobody gains by a forgery, for who can write here can write the code; and a SHA-256 of both
    takes longer than all the rest.
    """
    plain = (text.replace(b"\r\n", b"\n") if b"\r" in text else text for text in texts)
    return "-".join(f"{zlib.crc32(text):08x}" for text in plain)
