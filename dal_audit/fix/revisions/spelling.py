"""Expressions as a module would write them: by its own names, and what it must import for them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dal_audit.extract.operations.revision_text import ModuleNames
from dal_audit.extract.operations.terms import Term

WIDTH: Final = 88
"""How long a line may be before a call has its arguments on lines of their own."""

_INDENT: Final = "    "
_FIXED: Final = {
    "alembic.op": "from alembic import op",
    "sqlalchemy": "import sqlalchemy as sa",
}
"""The imports of Alembic's own template, `script.py.mako`."""
_BELOW: Final = "sqlalchemy.dialects"


class Spelling:
    """How one module says things; `imports` are the lines that it lacks for what was said."""

    def __init__(self, names: ModuleNames) -> None:
        """Take the names of the module."""
        self.names = names
        self._known = dict(names.imported)
        self.imports: dict[str, str] = {}

    def lines(self, term: Term, indent: str = "") -> Iterator[str]:
        """Yield the lines of an expression, each argument on its own where it is long."""
        text = self.text(term)
        if len(indent) + len(text) <= WIDTH or term.kind != "call":
            yield f"{indent}{text}"
            return
        yield f"{indent}{self._callee(term)}("
        for argument in term.arguments:
            yield from self._with_comma(argument, "", f"{indent}{_INDENT}")
        for name, value in term.keywords:
            yield from self._with_comma(value, f"{name}=", f"{indent}{_INDENT}")
        yield f"{indent})"

    def _with_comma(self, term: Term, before: str, indent: str) -> Iterator[str]:
        first, *rest = self.lines(term, indent)
        found = [f"{indent}{before}{first.removeprefix(indent)}", *rest]
        found[-1] += ","
        yield from found

    def text(self, term: Term) -> str:
        """Return an expression on one line."""
        if term.kind == "constant":
            return self._string(term.text) if term.text is not None else term.value
        if term.kind == "name":
            return self.name(term.value)
        members = [self.text(argument) for argument in term.arguments]
        if term.kind == "list":
            return f"[{', '.join(members)}]"
        members += [f"{name}={self.text(value)}" for name, value in term.keywords]
        return f"{self._callee(term)}({', '.join(members)})"

    def _callee(self, term: Term) -> str:
        return (
            self.name(term.value) if term.owner is None else f"{self.text(term.owner)}.{term.value}"
        )

    def _string(self, text: str) -> str:
        """Return a string in the module's quotes, unless it has some itself."""
        written = repr(text)
        quote = self.names.quote
        is_plain = quote not in text and "\\" not in written and written[1:-1] == text
        return f"{quote}{text}{quote}" if is_plain else written

    def name(self, dotted: str) -> str:
        """Return how the module says a dotted name; what it must import for that is noted."""
        parts = dotted.split(".")
        for length in range(len(parts), 0, -1):
            before = ".".join(parts[:length])
            if before in self._known and not _is_too_short(before, dotted):
                return ".".join((self._known[before], *parts[length:]))
        return self._imported(dotted)

    def _imported(self, dotted: str) -> str:
        """Import what a dotted name begins with, and return the name."""
        owner, _, own = dotted.rpartition(".")
        begin = owner or dotted
        for fixed in _FIXED:
            begin = fixed if dotted == fixed or dotted.startswith(f"{fixed}.") else begin
        if dotted.startswith(f"{_BELOW}."):
            begin = ".".join(dotted.split(".")[:3])
        if begin in _FIXED:
            line = _FIXED[begin]
        elif begin == owner and begin not in _FIXED and not begin.startswith(_BELOW):
            begin, line = dotted, f"from {owner} import {own}"
        else:
            package, _, module = begin.rpartition(".")
            line = f"from {package} import {module}"
        short = line.rpartition(" ")[2]
        self.imports[line] = short
        self._known[begin] = short
        return self.name(dotted)

    @property
    def clashes(self) -> bool:
        """Whether an import that is lacking would bind a name that the module uses otherwise."""
        return not self.names.bound.isdisjoint(self.imports.values())


def _is_too_short(known: str, dotted: str) -> bool:
    """Return whether a name does not load the module of a dialect: `import sqlalchemy` does not."""
    return dotted.startswith(f"{_BELOW}.") and len(known.split(".")) < len(_BELOW.split(".")) + 1
