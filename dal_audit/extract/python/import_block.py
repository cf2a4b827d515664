"""The lines by which a module imports names: groups and order as import sorters have them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, NamedTuple

_WIDTH: Final = 88
"""A line that is longer is written a name a line, as Black and Ruff do."""


class Needed(NamedTuple):
    """A name that is imported: its module (empty for a plain `import`), and what `as` calls it."""

    module: str
    name: str
    renamed: str = ""

    @property
    def origin(self) -> str:
        """The dotted name that it stands for; of a plain `import a.b`, what it binds."""
        if not self.module:
            return self.name if self.renamed else self.name.partition(".")[0]
        dot = "" if self.module.endswith(".") else "."
        return f"{self.module}{dot}{self.name}"


def import_groups(needed: Iterable[Needed], is_own: Callable[[str], bool], indent: str = "") -> str:
    """Return the lines that import names, with a blank line between their groups.

    Those are the standard library, other packages, and what `is_own` tells to be the project's.
    Each line ends in a line end; nothing is returned where nothing is needed.
    """
    standard, other, own = list[Needed](), list[Needed](), list[Needed]()
    for each in needed:
        rest = own if is_own(each.origin) else other
        (standard if _is_standard(each) else rest).append(each)
    groups = ("".join(_lines(group, indent)) for group in (standard, other, own))
    return "\n".join(group for group in groups if group)


def _is_standard(needed: Needed) -> bool:
    return needed.origin.partition(".")[0] in sys.stdlib_module_names


def _lines(needed: Iterable[Needed], indent: str) -> Iterator[str]:
    """Yield the lines that import names, one a module."""
    plain = sorted(each for each in needed if not each.module)
    for each in plain:
        yield f"{indent}import {_spelled(each)}\n"
    for module in sorted({each.module for each in needed if each.module}):
        names = sorted((each for each in needed if each.module == module), key=_order)
        yield _statement(module, [_spelled(each) for each in names], indent)


def _statement(module: str, names: Sequence[str], indent: str) -> str:
    head = f"{indent}from {module} import"
    line = f"{head} {', '.join(names)}\n"
    if len(line) <= _WIDTH + 1:
        return line
    listed = "".join(f"{indent}    {name},\n" for name in names)
    return f"{head} (\n{listed}{indent})\n"


def _spelled(needed: Needed) -> str:
    return f"{needed.name} as {needed.renamed}" if needed.renamed else needed.name


def _order(needed: Needed) -> tuple[bool, bool, str]:
    """Return where a name stands among others: constants, classes, functions."""
    name = needed.name
    return not name.isupper(), not name[:1].isupper(), name
