"""Where the rule book lies, and how the tables of its catalogue are read.

People write the tables as TOML. Beside `drivers.toml` lies `drivers.json`, the same rows in the
form that is read at every start: that takes a tenth of the time. It counts as long as it was made
from the TOML that lies there; where somebody edited that, the TOML is read, and a test asks for
the JSON to be made anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import msgspec

import dal_audit
from dal_audit.catalogue.digest import sha256

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
    file = rules_folder() / "catalogue" / stem
    toml = file.with_suffix(".toml").read_bytes()
    # Its rows, and the digest of the TOML that they were made from.
    form = msgspec.defstruct("Compiled", [("of", str), ("rows", kind)])
    try:
        compiled: Any = msgspec.json.decode(file.with_suffix(".json").read_bytes(), type=form)
        if compiled.of == _digest(toml):
            return compiled.rows  # type: ignore[no-any-return]
    except (OSError, msgspec.DecodeError):
        pass  # It saves time, and nothing else hangs on it.
    return _rows(toml, read)


def compiled(stem: str, read: Callable[[Mapping[str, Any]], object]) -> bytes:
    """Return what belongs into the JSON beside a table, a line a row."""
    toml = (rules_folder() / "catalogue" / f"{stem}.toml").read_bytes()
    rows = b",\n".join(msgspec.json.encode(row) for row in _rows(toml, read))
    return b'{"of":"%s","rows":[\n%s\n]}\n' % (_digest(toml).encode(), rows)


def _rows(toml: bytes, read: Callable[[Mapping[str, Any]], Row]) -> tuple[Row, ...]:
    """Read a table of TOML: the rows of the one array that it holds."""
    import tomli  # only where the compiled form does not serve

    (rows,) = tomli.loads(toml.decode().replace("\r\n", "\n")).values()
    return tuple(read(row) for row in rows)


def _digest(toml: bytes) -> str:
    """Return what tells one TOML from another; how git ends its lines makes no difference."""
    return sha256(toml.replace(b"\r\n", b"\n") if b"\r" in toml else toml).hex()
