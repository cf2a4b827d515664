"""Whether a call may be handed SQL, as far as names and first words tell."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

_OF_FILES: Final = "query_file"
"""What macros are called that take the SQL of a file (sqlx)."""

_BUILDER: Final = re.compile(r"QueryBuilder::\w+\Z")
"""A call that takes how a statement begins, which further calls go on with (sqlx)."""

_VERB: Final = re.compile(
    r"(?:\s|--[^\n]*\n|/\*.*?\*/|\()*(?:select|insert|update|delete|with|create|alter|drop|truncate"
    r"|replace|merge|pragma|begin|commit|rollback|savepoint|release|vacuum|analyze|explain|set|show"
    r"|lock|listen|notify|copy|grant|revoke|attach|detach|reindex|call|do|comment|refresh|values)\b",
    re.IGNORECASE | re.DOTALL,
)
_MAKERS: Final = re.compile(r"(?:query|raw|sql|prepare|execute|batch|statement)", re.IGNORECASE)


def may_be_sql(callee: str, text: str, constant: str) -> bool:
    """Return whether a call may be handed SQL, as far as names and the first word tell."""
    if constant:
        is_constant = constant.rpartition("::")[2].isupper() or constant.startswith("file:")
        return is_constant and may_take_constant(callee)
    return _VERB.match(text) is not None


@lru_cache(maxsize=4096)
def may_take_constant(callee: str) -> bool:
    """Return whether what a constant holds may be SQL, by the name of what is called with it."""
    return _MAKERS.search(callee.rpartition("::")[2]) is not None


def is_builder(callee: str) -> bool:
    """Return whether a call takes how a statement begins, which further calls go on with."""
    return _BUILDER.search(callee) is not None


def takes_file(callee: str) -> bool:
    """Return whether a macro takes the SQL of a file."""
    return callee.rpartition("::")[2].startswith(_OF_FILES)
