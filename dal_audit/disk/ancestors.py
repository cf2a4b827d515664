"""What names lie in: paths in folders, and modules, whose files these hold, in packages."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:  # A run that prints the last report asks git, and loads little else.
    from collections.abc import Iterable


def ancestors_of(names: Iterable[str], separator: str) -> set[str]:
    """Return all that lies around some names, at any depth, but for what holds everything.

    That are the folders around paths, which `/` separates, and the packages around dotted names.
    """
    above: set[str] = set()
    for name in names:
        around = name.rpartition(separator)[0]
        while around and around not in above:
            above.add(around)
            around = around.rpartition(separator)[0]
    return above
