"""How functions of one name are told apart: by how many arguments they take."""

from __future__ import annotations

from collections.abc import Sequence

from dal_audit.schema.state import State


def with_arguments(state: State, name: str, count: int | None) -> str:
    """Return the name of a function with the number of its arguments, as `f/2`.

    Where no number is given, it is the one that stands, or the bare name.
    """
    if count is not None:
        state.counts.setdefault(name, set()).add(count)
        return f"{name}/{count}"
    known = [f"{name}/{arguments}" for arguments in sorted(state.counts.get(name, ()))]
    standing = (full for full in known if state.others.get(("function", full)) is not None)
    return next(standing, known[0] if known else name)


def argument_count(name: str) -> int | None:
    """Return the number in what `with_arguments` returned; None for a bare name."""
    count = name.rpartition("/")[2]
    return int(count) if "/" in name and count.isdigit() else None


def declared_count(tokens: Sequence[str]) -> int | None:
    """Return how many arguments a function takes, by the tokens after its name."""
    if tokens[:1] != ("(",):
        return None
    count, depth = 0, 0
    is_first = True
    for at, spelled in enumerate(tokens):
        if depth == 1 and is_first and spelled != ")":
            count += spelled.upper() not in {"OUT", "TABLE"}
            is_first = False
        depth += (spelled in {"(", "["}) - (spelled in {")", "]"})
        is_first = is_first or (depth == 1 and spelled == ",") or at == 0
        if depth == 0:
            break
    return count
