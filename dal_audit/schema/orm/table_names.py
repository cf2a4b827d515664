"""How Django names tables, indexes and constraints.

Sources: `_create_index_name` in `db/backends/base/schema.py`, `truncate_name` and `names_digest` in
`db/backends/utils.py`, `contribute_to_class` in `db/models/options.py`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

from dal_audit.schema.objects_model import MAX_NAME, POSTGRESQL

_LONGEST: Final = 200
"""How long a name of an index may be where an engine sets no limit."""
_OF_TABLE: Final = 4
_OF_INDEX: Final = 8
"""How many digits of a digest end a name."""


def table_name(name: str, engine: str) -> str:
    """Return the name of a table that was given none, as an engine has it."""
    if engine != POSTGRESQL or len(name) <= MAX_NAME:
        return name
    return f"{name[: MAX_NAME - _OF_TABLE]}{_digest((name,), _OF_TABLE)}"


def index_name(table: str, columns: Sequence[str], suffix: str, engine: str) -> str:
    """Return the name of an index, or of a constraint, on columns of a table."""
    ending = f"{_digest((table, *columns), _OF_INDEX)}{suffix}"
    longest = MAX_NAME if engine == POSTGRESQL else _LONGEST
    listed = "_".join(columns)
    name = f"{table}_{listed}_{ending}"
    if len(name) <= longest:
        return name
    ending = ending[: longest // 3]
    each = (longest - len(ending)) // 2 - 1
    name = f"{table[:each]}_{listed[:each]}_{ending}"
    return f"D{name[:-1]}" if name[0] == "_" or name[0].isdigit() else name


def _digest(words: Sequence[str], length: int) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    for word in words:
        digest.update(word.encode())
    return digest.hexdigest()[:length]
