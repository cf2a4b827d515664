"""What an operation that is to be written comes to on an engine."""

from __future__ import annotations

from typing import Final

from dal_audit.extract.operations.revision_source import revision_source
from dal_audit.extract.operations.revision_text import ModuleNames
from dal_audit.fix.revisions.spelling import Spelling
from dal_audit.fix.revisions.step import Step

_NAMES: Final = ModuleNames({"alembic.op": "op", "sqlalchemy": "sa"}, frozenset(), 0)


def lowered(step: Step, engine: str) -> tuple[str, ...] | None:
    """Return the statements of an operation outside of a block; None where they are not known."""
    spelling = Spelling(_NAMES)
    body = "\n".join(spelling.lines(step.term, "    "))
    head = "\n".join(("import sqlalchemy as sa", "from alembic import op", *spelling.imports))
    up = revision_source(f"{head}\ndef upgrade():\n{body}\n").up
    return up[0].sql.get(engine) if up else None
