"""Which engines run a part of a file: by the features that it hangs on, and by what names say.

Both sides of a condition are for some engines: `cfg(not(feature = "sqlite"))` is for all others.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple, TypeAlias

from dal_audit.catalogue.engine_words import ANY_ENGINE, engines_in

Engines: TypeAlias = tuple[str, ...] | None
"""Engines in their order; None for all."""

GATES: Final = re.compile(rb"cfg(?<!\wcfg)\s*\([^\]]{0,200}?feature\s*=")
"""Whether a file holds code that hangs on a feature."""

_PART: Final = re.compile(
    r'(?P<all>all)\s*\(|(?P<any>any)\s*\(|(?P<not>not)\s*\(|feature\s*=\s*"(?P<feature>[^"]*)"'
    r'|\w+(?:\s*=\s*"[^"]*")?|(?P<end>\))'
)
_DEEPEST: Final = 20


class _Sides(NamedTuple):
    """The engines for which a condition can hold, and those for which it can fail."""

    holds: frozenset[str] = ANY_ENGINE
    fails: frozenset[str] = ANY_ENGINE


def gate(attribute: str) -> Engines:
    """Return the engines for which what stands under a `cfg(…)` is built."""
    head, _, condition = attribute.partition("(")
    if head.strip(" #![") != "cfg":
        return None
    parts = list(_sides(_PART.finditer(condition), 0))
    return _listed(parts[0].holds) if parts else None


def _sides(parts: Iterator[re.Match[str]], depth: int) -> Iterator[_Sides]:
    """Yield what each condition of a list says, up to the list's end."""
    for found in parts:
        if found["end"]:
            return
        if found["feature"] is not None:
            yield _of_feature(found["feature"])
        elif depth < _DEEPEST and (found["all"] or found["any"] or found["not"]):
            yield _together(found, list(_sides(parts, depth + 1)))
        else:
            yield _Sides()


def _of_feature(name: str) -> _Sides:
    named = engines_in(name)
    return _Sides(named, ANY_ENGINE - named) if len(named) == 1 else _Sides()


def _together(found: re.Match[str], inner: list[_Sides]) -> _Sides:
    holds = [sides.holds for sides in inner] or [ANY_ENGINE]
    fails = [sides.fails for sides in inner] or [ANY_ENGINE]
    if found["not"]:
        return _Sides(fails[0], holds[0])
    if found["all"]:
        return _Sides(ANY_ENGINE.intersection(*holds), frozenset[str]().union(*fails))
    return _Sides(frozenset[str]().union(*holds), ANY_ENGINE.intersection(*fails))


def named(names: Iterable[str]) -> Engines:
    """Return the engine that some names speak of; None for none, and for several."""
    found = frozenset[str]().union(*map(engines_in, names))
    return tuple(found) if len(found) == 1 else None


def narrowed(around: Engines, inner: Engines) -> Engines:
    """Return the engines of what stands within something: what is nearer counts in a conflict."""
    if around is None or inner is None:
        return inner if around is None else around
    both = tuple(engine for engine in inner if engine in around)
    return both or inner


def _listed(engines: frozenset[str]) -> Engines:
    return None if engines == ANY_ENGINE else tuple(sorted(engines))
