"""Import leads: which import statements of a file could lead into its project.

All others may come and go: what they import is looked for nowhere.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet

from dal_audit.assemble.import_texts import imported_names


class ImportLeads:
    """What could lead to modules of a project, by what their names begin with."""

    def __init__(self, tops: AbstractSet[str]) -> None:
        """Take the first components of all modules' names."""
        self._tops = tops

    def among(self, statements: Iterable[str]) -> frozenset[str]:
        """Return those of some import statements that could lead into the project.

        A relative one could, wherever it stands.
        """
        return frozenset(
            statement
            for statement in statements
            if any(map(self._may_lead, imported_names(statement)))
        )

    def _may_lead(self, name: str) -> bool:
        return name.startswith(".") or name.partition(".")[0] in self._tops
