"""Path globs: which files a pattern of the configuration covers.

The language is that of .gitignore and of pathlib's `full_match`, with braces:

- `*` and `?` match within a component, `[abc]`, `[a-z]` and `[!a]` one character of it;
- `**` as a whole component matches any number of components, none included;
- `{a,b}` stands for either; alternatives may be empty, hold slashes, and be nested;
- a pattern that matches a folder covers all that lies below it; with a slash or `/**` at its end
  it matches nothing but folders.

Patterns become one regular expression without runaway backtracking: braces are written out, and
what lies between two wildcards is matched at the first place it fits and never tried elsewhere.
That loses no match, since after an earlier place nothing less can follow than after a later one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

ALTERNATIVES_LIMIT: Final = 256
"""How many patterns the braces of one pattern may stand for."""

BRACES_LIMIT: Final = 64
"""How many braces one pattern may open; each is a step of recursion."""

_ANY_DEPTH: Final = "(?:[^/]+/)*?"
_END: Final = r"(?:/|\Z)"
_STARS: Final = re.compile(r"\*+")


class GlobError(ValueError):
    """A pattern that means nothing."""


def compile_globs(patterns: Iterable[str], *, anchored: bool) -> Callable[[str], bool]:
    """Return a test whether any of the patterns covers a path.

    The paths are POSIX and relative to the root; a folder's own path ends in a slash. Anchored
    patterns start at the root. Of the others, a pattern of one component (`tests`, `*.pyi`)
    matches at any depth, unless it is written `./tests`. Raises GlobError.
    """
    expression = _Translator(anchored=anchored).expression(patterns)
    if expression is None:
        return lambda _path: False
    match = re.compile(expression, re.DOTALL).match
    return lambda path: match(path) is not None


def glob_flaw(pattern: str) -> str:
    """Say why a pattern means nothing; empty for a sound one."""
    try:
        _Translator(anchored=True).expression([pattern])
    except GlobError as error:
        return str(error)
    return ""


def written_out(pattern: str) -> list[str]:
    """Return the patterns without braces that a pattern stands for."""
    if pattern.count("{") > BRACES_LIMIT:
        message = f"it has more than {BRACES_LIMIT} braces"
        raise GlobError(message)
    pieces = _split(pattern)
    if pieces is None:
        return [pattern]
    head, alternatives, tail = pieces
    ends = written_out(tail)
    middles = [text for alternative in alternatives for text in written_out(alternative)]
    if len(middles) * len(ends) > ALTERNATIVES_LIMIT:
        message = f"its braces stand for more than {ALTERNATIVES_LIMIT} patterns"
        raise GlobError(message)
    return [head + middle + end for middle in middles for end in ends]


def _split(pattern: str) -> tuple[str, list[str], str] | None:
    """Split a pattern at its first braces: before, alternatives, after."""
    depth = opened = start = 0
    alternatives: list[str] = []
    for offset, char in _separators(pattern):
        if char == "{":
            depth += 1
            if depth == 1:
                opened, start = offset, offset + 1
            continue
        if depth == 1:
            alternatives.append(pattern[start:offset])
            start = offset + 1
        if char == "}" and depth:
            depth -= 1
            if depth == 0:
                return pattern[:opened], alternatives, pattern[offset + 1 :]
    if depth:
        message = "a `{` is never closed"
        raise GlobError(message)
    return None


def _separators(pattern: str) -> Iterator[tuple[int, str]]:
    """Yield the braces and commas of a pattern, but for those in classes, with their places."""
    offset = 0
    while offset < len(pattern):
        char = pattern[offset]
        if char == "[":
            offset = _class_end(pattern, offset)
        elif char in "{},":
            yield offset, char
        offset += 1


def _class_end(pattern: str, start: int) -> int:
    """Return the offset of the `]` that ends a class; one that stands first is a member."""
    first = start + 2 if pattern.startswith("[!", start) else start + 1
    end = pattern.find("]", first + 1)
    if end < 0 or "/" in pattern[start:end]:
        message = "a `[` is never closed"
        raise GlobError(message)
    return end


class _Translator:
    """Makes one expression of all patterns; its groups are numbered through."""

    def __init__(self, *, anchored: bool) -> None:
        self.anchored = anchored
        self.groups = 0
        self.from_root: list[str] = []
        self.any_depth: list[str] = []

    def expression(self, patterns: Iterable[str]) -> str | None:
        """Return the expression; None without a pattern, since an empty one matches all."""
        for pattern in patterns:
            for plain in written_out(pattern):
                self._add(plain)
        branches = list(self.from_root)
        if self.any_depth:
            # One walk over the components serves all patterns that start anywhere.
            branches.append(f"{_ANY_DEPTH}(?:{'|'.join(self.any_depth)})")
        return "|".join(branches) if branches else None

    def _add(self, pattern: str) -> None:
        parts, folder = self._parts(pattern)
        if not parts:
            self.from_root.append("[^/]+/" if folder else "")
            return
        end = "/" if folder else _END
        first, *rest = ["/".join(map(self._component, run)) for run in _runs(parts)]
        if not rest:
            self.from_root.append(first + end)
            return
        last = rest[-1] + end
        middle = "".join(self._first_fit(f"{_ANY_DEPTH}{run}/") for run in rest[:-1])
        if first or middle:
            slash = "/" if first else ""
            self.from_root.append(f"{first}{slash}{middle}{_ANY_DEPTH}{last}")
        else:
            self.any_depth.append(last)

    def _parts(self, pattern: str) -> tuple[list[str], bool]:
        """Return the components, the last of them not `**`, and whether only folders match."""
        if not pattern:
            message = "it, or an alternative of its braces, is empty"
            raise GlobError(message)
        parts = [part for part in pattern.split("/") if part not in {"", "."}]
        folder = pattern.endswith("/")
        if set(parts) <= {"**"}:
            return [], folder and bool(parts)
        if not (self.anchored or pattern.startswith("./")) and len(parts) == 1:
            parts.insert(0, "**")
        while parts[-1] == "**":
            parts.pop()
            folder = True
        return parts, folder

    def _first_fit(self, expression: str) -> str:
        """Match an expression once and never again: `(?>…)`, which Python 3.10 lacks."""
        self.groups += 1
        return f"(?=(?P<g{self.groups}>{expression}))(?P=g{self.groups})"

    def _component(self, part: str) -> str:
        if not part.strip("*"):
            return "[^/]+"
        first, *rest = _between_stars(part)
        if not rest:
            return first
        middle = "".join(self._first_fit(f"[^/]*?{piece}") for piece in rest[:-1])
        return f"{first}{middle}[^/]*{rest[-1]}"


def _runs(parts: list[str]) -> list[list[str]]:
    """Split components at `**`; the first run is empty when the pattern begins with one."""
    runs: list[list[str]] = [[]]
    for part in parts:
        if part != "**":
            runs[-1].append(part)
        elif runs[-1] or len(runs) == 1:
            runs.append([])
    return runs


def _between_stars(part: str) -> list[str]:
    """Return the expressions of what stands before, between and after the stars of a component."""
    pieces = [""]
    offset = 0
    while offset < len(part):
        char = part[offset]
        if char == "[":
            end = _class_end(part, offset)
            pieces[-1] += _class(part[offset + 1 : end])
            offset = end + 1
            continue
        stars = _STARS.match(part, offset)
        if stars:
            pieces.append("")
            offset = stars.end()
            continue
        pieces[-1] += "[^/]" if char == "?" else re.escape(char)
        offset += 1
    return pieces


def _class(members: str) -> str:
    """Return the expression of a class; it never matches a slash."""
    negated = members.startswith("!")
    rest = members[1:] if negated else members
    items = ""
    while rest:
        if rest[1:2] == "-" and rest[2:]:
            if rest[0] > rest[2]:
                message = f"the range `{rest[:3]}` is empty"
                raise GlobError(message)
            items += f"{re.escape(rest[0])}-{re.escape(rest[2])}"
            rest = rest[3:]
        else:
            items += re.escape(rest[0])
            rest = rest[1:]
    return f"[^/{items}]" if negated else f"(?!/)[{items}]"
