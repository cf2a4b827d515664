"""A schema that Django made in portable terms, without what it makes otherwise on each engine.

For JSON it adds a check on SQLite, for patterns an index on PostgreSQL; what is unique together is
an index on SQLite, and a constraint on PostgreSQL. Source: its `db/backends/*/schema.py`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Final

from dal_audit.replay.model import Aspects
from dal_audit.replay.portable_types import EXPRESSION, columns_of, several

_ADDED: Final = re.compile(r"checks |index .*_like$")
_UNIQUE: Final = re.compile(r"unique on (\S+) \(([^()]+)\)")
_SETS: Final = "unique-sets "
_COLUMNS: Final = re.compile(r"\([^()]*\)")


def django_aspects(aspects: Aspects) -> Aspects:
    """Return a schema as both engines have it: unique indexes of columns are unique sets."""
    found: Aspects = {}
    unique: dict[str, set[str]] = defaultdict(set)
    for name, value in aspects.items():
        index = _UNIQUE.fullmatch(value) if name.startswith("index ") else None
        if index is not None and EXPRESSION not in value:
            unique[index[1]].add(columns_of(sorted(index[2].split(", "))))
        elif name.startswith(_SETS):
            unique[name.removeprefix(_SETS)].update(_COLUMNS.findall(value))
        elif not _ADDED.match(name):
            found[name] = value
    sets = {f"{_SETS}{table}": several(columns) for table, columns in unique.items()}
    return {**found, **sets}
