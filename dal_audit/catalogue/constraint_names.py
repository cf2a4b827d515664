"""The names that a metadata's naming convention gives to constraints and indexes.

Source: SQLAlchemy's `sql/naming.py`, and `truncate_and_render_constraint_name` in its
`sql/compiler.py`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import reduce
from operator import add
from typing import Final, Literal, TypeAlias

from msgspec import Struct

from dal_audit.catalogue.engine_names import MAX_NAME

NameKind: TypeAlias = Literal["ck", "fk", "ix", "pk", "uq"]
Convention: TypeAlias = Mapping[str, str]
"""Templates by the kind of what they name; SQLAlchemy has one for indexes by itself."""

NO_CONVENTION: Final[Convention] = {"ix": "ix_%(column_0_label)s"}
"""What holds for a metadata that is given no convention."""

_WORD: Final = re.compile(r"%\((\w+)\)s")
_COLUMN: Final = re.compile(r"(referred_)?column_(\d+)(_?N)?_(name|key|label)\Z")
_GIVEN: Final = "constraint_name"
_HASHED: Final = 8
"""How many characters make place for a hash in a name that is too long."""


class NamedPart(Struct, frozen=True):
    """What a constraint or an index is about, as far as its name is made of it.

    `columns` are those of its own table, `referred` the table and the columns of a foreign key.
    """

    kind: NameKind | None = None
    columns: tuple[str, ...] = ()
    referred: tuple[str, ...] = ()


NOTHING: Final = NamedPart()


def conventional_name(
    part: NamedPart, given: str, table: str, convention: Convention | None, *, engine: str
) -> str:
    """Return the name of a constraint or an index; empty where it has none, or it is not known.

    `given` is the one that it is called in the code, `table` its table's without the schema's;
    of a `convention` that is None nothing is known.
    """
    template = (convention or NO_CONVENTION).get(part.kind or "")
    if template is None or (given and f"%({_GIVEN})s" not in template):
        return given
    values: dict[str, str] = {}
    for word in _WORD.findall(template):
        value = _value(word, part, given, table)
        if value is None:
            return given
        values[word] = value
    pieces = _WORD.split(template)
    pieces[1::2] = [values[word] for word in pieces[1::2]]
    name = reduce(add, pieces, "")  # What is given keeps where it is spelled.
    return _cut(name) if engine == "postgresql" else name


def _value(word: str, part: NamedPart, given: str, table: str) -> str | None:
    """Return what a word of a template stands for; None for one that is not known."""
    if word == _GIVEN:
        return given or None
    if word == "table_name":
        return table
    if word == "referred_table_name":
        return part.referred[0].rpartition(".")[2] if part.referred else None
    column = _COLUMN.match(word)
    return None if column is None else _of_columns(column, part, table)


def _of_columns(word: re.Match[str], part: NamedPart, table: str) -> str:
    """Return what a word makes of one column, or of all; empty where there is none."""
    is_referred, number, several, said = word.groups()
    columns = part.referred[1:] if is_referred else part.columns
    if said == "label":
        columns = tuple(f"{table}_{column}" for column in columns)
    if several:
        return ("_" if several.startswith("_") else "").join(columns)
    return columns[int(number)] if int(number) < len(columns) else ""


def _cut(name: str) -> str:
    """Return a name as PostgreSQL takes it: the end of one that is too long is a hash of it."""
    if len(name) <= MAX_NAME:
        return name
    import hashlib  # only for a name that is too long, for it loads OpenSSL

    digest = hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()
    return f"{name[: MAX_NAME - _HASHED]}_{digest[-4:]}"
