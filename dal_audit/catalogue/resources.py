"""Where the rule book lies, and how the tables of its catalogue are read.

People write the tables as TOML. Beside `drivers.toml` lies `drivers.json`, the same rows in the
form that is read at every start, as far as a run can ask for them: that takes a fifteenth of the
time. It counts as long as it is what was made from the TOML that lies there; where somebody edited
either, the TOML is read, and a test asks for the JSON to be made anew.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
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
    """Return the rows of a table of the catalogue: `read` makes one of what the TOML says."""
    folder = rules_folder() / "catalogue"
    toml = (folder / f"{stem}.toml").read_bytes()
    form = msgspec.defstruct("Compiled", [("of", str), ("rows", kind)])
    try:
        data = (folder / f"{stem}.json").read_bytes()
        compiled: Any = msgspec.json.decode(data, type=form)
        if compiled.of == _checksums(toml, data[data.find(b"\n") + 1 :]):
            return compiled.rows  # type: ignore[no-any-return]
    except (OSError, msgspec.DecodeError):
        pass  # It saves time, and nothing else hangs on it.
    return _rows(toml, read)


def compiled(stem: str, read: Callable[[Mapping[str, Any]], object]) -> bytes:
    """Return what belongs into the JSON beside a table, a line a row."""
    toml = (rules_folder() / "catalogue" / f"{stem}.toml").read_bytes()
    rows = b",\n".join(msgspec.json.encode(row) for row in _rows(toml, read))
    lines = rows + b"\n]}\n"
    return b'{"of":"%s","rows":[\n%s' % (_checksums(toml, lines).encode(), lines)


def _rows(toml: bytes, read: Callable[[Mapping[str, Any]], Row]) -> tuple[Row, ...]:
    """Read a table of TOML: the rows of the one array that it holds."""
    import tomli  # only where the compiled form does not serve

    (rows,) = tomli.loads(toml.decode().replace("\r\n", "\n")).values()
    return tuple(read(row) for row in rows)


def _checksums(*texts: bytes) -> str:
    """Return what tells an edited text from another; how git ends its lines makes no difference.

    Nobody gains by a forgery, for who can write here can write the code; and a SHA-256 of both
    takes longer than all the rest.
    """
    plain = (text.replace(b"\r\n", b"\n") if b"\r" in text else text for text in texts)
    return "-".join(f"{zlib.crc32(text):08x}" for text in plain)
