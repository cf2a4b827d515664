"""Which of several operators or functions of a name is meant, by the types of its arguments.

The steps are those of PostgreSQL's manual (typeconv-oper.html and typeconv-func.html; in full in
parse_func.c, `func_select_candidate`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final, Literal, TypeAlias

from msgspec import Struct

from dal_audit.catalogue.type_system import Signature, TypeSystem, type_system
from dal_audit.schema.value_types.conversions import UNKNOWN, becomes, category
from dal_audit.schema.value_types.polymorphism import (
    is_polymorphic,
    is_undetermined,
    results_in,
    suits,
)

Verdict: TypeAlias = Literal["found", "missing", "ambiguous", "unsure"]

Arguments: TypeAlias = Sequence[str | None]
"""The types of arguments, None for one that is not known."""

_STRINGS: Final = "S"


class Choice(Struct, frozen=True):
    """What became of the choice: the type of the result, and the types that arguments become.

    `result` is None where it is not known; `arguments` are empty unless one was found. `varies`
    says that it does not give the same at all times.
    """

    verdict: Verdict
    result: str | None = None
    arguments: tuple[str, ...] = ()
    varies: bool = False


class _Candidate(Struct, frozen=True):
    """A signature with its arguments brought to the number that is given."""

    arguments: tuple[str, ...]
    signature: Signature


@lru_cache(maxsize=4096)
def choose_operator(name: str, actual: tuple[str | None, ...]) -> Choice | None:
    """Return which operator of a name is meant for operands; None where there is no such name."""
    signatures = type_system().operator(name)
    return (
        _choose(type_system(), signatures, actual, binary=len(actual) > 1) if signatures else None
    )


@lru_cache(maxsize=4096)
def choose_function(name: str, actual: tuple[str | None, ...]) -> Choice | None:
    """Return which function of a name is meant for arguments; None where there is no such name."""
    signatures = type_system().function(name)
    return _choose(type_system(), signatures, actual, binary=False) if signatures else None


def _choose(
    types: TypeSystem, signatures: Sequence[Signature], actual: Arguments, *, binary: bool
) -> Choice:
    """Return which signature is meant; `binary` says that it is of an operator of two operands."""
    candidates = _of_length(signatures, len(actual))
    known = [name for name in actual if name is not None]
    if len(known) < len(actual):
        return Choice("unsure", _unanimous(types, candidates, actual))
    exact = _exact(candidates, known, binary=binary)
    if exact is not None:
        return _found(types, exact, known)
    fitting = [fit for fit in candidates if _takes(types, fit.arguments, known)]
    if not fitting:
        return Choice("missing", _unanimous(types, candidates, [None] * len(actual)))
    best = _best(types, fitting, known)
    if best is None:
        return Choice("ambiguous", _unanimous(types, fitting, [None] * len(actual)))
    return _found(types, best, known)


def _found(types: TypeSystem, candidate: _Candidate, known: Sequence[str]) -> Choice:
    if is_undetermined(candidate.arguments, known):
        return Choice("missing")
    result = results_in(types, candidate.arguments, candidate.signature.result, known)
    return Choice("found", result, candidate.arguments, candidate.signature.varies)


def _of_length(signatures: Sequence[Signature], count: int) -> list[_Candidate]:
    """Return the signatures that take a number of arguments, each brought to it."""
    found = []
    for signature in signatures:
        arguments = signature.arguments
        if signature.repeats and count >= len(arguments):
            arguments = (*arguments, *arguments[-1:] * (count - len(arguments)))
        elif not len(arguments) - signature.optional <= count <= len(arguments):
            continue
        found.append(_Candidate(arguments[:count], signature))
    return found


def _unanimous(
    types: TypeSystem, candidates: Sequence[_Candidate], actual: Arguments
) -> str | None:
    """Return the result that all have which take what is known of the arguments."""
    results = {
        candidate.signature.result
        for candidate in candidates
        if all(
            own is None or is_polymorphic(wanted) or becomes(types, own, wanted)
            for own, wanted in zip(actual, candidate.arguments, strict=True)
        )
    }
    result = results.pop() if len(results) == 1 else None
    return None if result is None or is_polymorphic(result) else result


def _exact(
    candidates: Sequence[_Candidate], known: Sequence[str], *, binary: bool
) -> _Candidate | None:
    """Return the candidate that takes the very types; a literal is of the other operand's."""
    wanted = tuple(known)
    if binary and wanted.count(UNKNOWN) == 1:
        other = wanted[0] if wanted[1] == UNKNOWN else wanted[1]
        wanted = (other, other)
    return next((match for match in candidates if match.arguments == wanted), None)


def _takes(types: TypeSystem, wanted: Sequence[str], known: Sequence[str]) -> bool:
    plain = all(
        is_polymorphic(target) or becomes(types, own, target)
        for own, target in zip(known, wanted, strict=True)
    )
    return plain and suits(types, wanted, known)


def _best(
    types: TypeSystem, candidates: list[_Candidate], known: Sequence[str]
) -> _Candidate | None:
    """Return the best of several that would do; None where PostgreSQL cannot decide."""
    steps = (
        lambda name, own: name == own,
        lambda name, own: name == own or _prefers(types, name, own),
    )
    for matches in steps:
        candidates = _most(candidates, known, matches)
        if len(candidates) == 1:
            return candidates[0]
    unknown = [at for at, own in enumerate(known) if own == UNKNOWN]
    if not unknown:
        return None
    candidates = _by_category(types, candidates, unknown)
    if len(candidates) == 1:
        return candidates[0]
    return _as_if_alike(types, candidates, known)


def _prefers(types: TypeSystem, name: str, own: str) -> bool:
    return types.is_preferred(name) and types.category(name) == category(types, own)


def _most(
    candidates: list[_Candidate], known: Sequence[str], matches: Callable[[str, str], bool]
) -> list[_Candidate]:
    """Keep the candidates in which the most known types match."""
    counts = [
        sum(
            own != UNKNOWN and matches(name, own)
            for name, own in zip(candidate.arguments, known, strict=True)
        )
        for candidate in candidates
    ]
    most = max(counts)
    return [kept for kept, count in zip(candidates, counts, strict=True) if count == most]


def _by_category(
    types: TypeSystem, candidates: list[_Candidate], unknown: Sequence[int]
) -> list[_Candidate]:
    """Keep the candidates that take a literal's category: strings, or the one that all take."""
    kept = candidates
    for at in unknown:
        listed = {candidate.arguments[at] for candidate in candidates}
        allowed = _allowed(types, listed)
        if not allowed:
            return candidates
        kept = [candidate for candidate in kept if candidate.arguments[at] in allowed]
    return kept or candidates


def _allowed(types: TypeSystem, listed: set[str]) -> set[str]:
    """Return the types of strings, if there are some, or of the one category; else none.

    Of these it is those that are preferred, if any is.
    """
    categories = {types.category(name) for name in listed}
    if _STRINGS not in categories and len(categories) > 1:
        return set()
    own = _STRINGS if _STRINGS in categories else next(iter(categories))
    alike = {name for name in listed if types.category(name) == own}
    return {name for name in alike if types.is_preferred(name)} or alike


def _as_if_alike(
    types: TypeSystem, candidates: list[_Candidate], known: Sequence[str]
) -> _Candidate | None:
    """Return the one that would do if literals were of the one type that all others are."""
    own = {name for name in known if name != UNKNOWN}
    if len(own) != 1:
        return None
    alike = [next(iter(own))] * len(known)
    fitting = [fit for fit in candidates if _takes(types, fit.arguments, alike)]
    return fitting[0] if len(fitting) == 1 else None
