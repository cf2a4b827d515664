"""A statement in a `DO` block that is there to let it fail: so tools guard what has no guard.

drizzle-kit wrote `DO $$ BEGIN CREATE TYPE …; EXCEPTION WHEN duplicate_object THEN null; END $$` for
types and foreign keys, and others write it by hand.
"""

from __future__ import annotations

import re
from typing import Final

from dal_audit.extract.sql.statements import split

_BLOCK: Final = re.compile(
    r"\s*DO\s+(?:LANGUAGE\s+plpgsql\s+)?(\$\w*\$)\s*BEGIN\b(?P<own>.+?);\s*EXCEPTION\s+"
    r"(?:WHEN\s+duplicate_(?:object|table|column|schema|function)\s+"
    r"(?:OR\s+duplicate_\w+\s+)*THEN\s+(?:NULL\s*;\s*)?)+"
    r"END\s*;?\s*\1(?:\s*LANGUAGE\s+plpgsql)?\s*\Z",
    re.IGNORECASE | re.DOTALL,
)


def unguarded(text: str) -> str:
    """Return the statement that such a block runs; any other text as it is."""
    block = _BLOCK.match(text)
    if block is None:
        return text
    own = block["own"].strip()
    return own if len(split(own).statements) == 1 else text
