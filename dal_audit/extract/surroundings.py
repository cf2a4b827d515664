"""What a revision's own text does not say, and what its operations come to hangs on."""

from __future__ import annotations

from collections.abc import Mapping

from dal_audit.facts import FactRecord


class Surroundings(FactRecord, frozen=True):
    """What other modules of the project say of a revision.

    `convention` are the templates of its metadata's naming convention by the kinds of what they
    name; None where it is not known. `types` are those of the project's own that it imports, as
    expressions in SQLAlchemy's words, by the dotted names that its imports have for them.
    """

    convention: Mapping[str, str] | None = None
    types: Mapping[str, str] = {}


ALONE = Surroundings()
"""Nothing is known but the revision's own text."""
