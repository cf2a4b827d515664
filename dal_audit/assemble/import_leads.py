"""Import leads: which import statements of a file could lead to anything that was followed.

All others may come and go: no name was looked for in what they import.
"""

from __future__ import annotations

from collections.abc import Iterable

from dal_audit.assemble.import_index import packages_above
from dal_audit.assemble.import_texts import imported_names


class ImportLeads:
    """What leads to some names of modules, as `ImportIndex` asks for those that import them."""

    def __init__(self, followed: Iterable[tuple[str, str]]) -> None:
        """Take the modules and names that were followed."""
        names = tuple(followed)
        self._wanted = {
            key for module, name in names for key in (module, f"{module}.{name}", f"{module}.*")
        } | packages_above(module for module, _ in names)

    def among(self, statements: Iterable[str]) -> frozenset[str]:
        """Return those of some import statements that could lead to one of the names.

        Where a relative one leads is not known here: any end of a name counts.
        """
        return frozenset(
            statement
            for statement in statements
            if any(map(self._is_wanted, imported_names(statement)))
        )

    def _is_wanted(self, name: str) -> bool:
        if not name.startswith("."):
            return name in self._wanted
        own = name.lstrip(".")
        tail = f".{own}"
        return not own or any(key == own or key.endswith(tail) for key in self._wanted)
