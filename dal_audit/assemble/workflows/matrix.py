"""The legs of a job: the combinations of its matrix, as GitHub makes them.

The order is GitHub's: the product of the axes, less what `exclude` names, plus what `include` adds
to combinations or makes anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any, Final

from dal_audit.extract.ci.expressions import UNKNOWN, Contexts, value_of
from dal_audit.extract.secrets import without_secrets
from dal_audit.facts.ci import CiData, CiMatrix

MAX_LEGS: Final = 256
"""How many jobs a matrix may make, by GitHub's limits."""

Combination = Mapping[str, Any]


def combinations_of(matrix: CiMatrix | None, contexts: Contexts) -> list[Combination]:
    """Return the combinations of a matrix; one without values for a job that has none.

    A matrix that only a run knows is one combination of which nothing is known.
    """
    if matrix is None:
        return [{}]
    computed = value_of(matrix.computed, contexts) if matrix.computed else None
    if isinstance(computed, Mapping):
        return _of_table(computed)
    if matrix.computed and not matrix.axes:
        return [{UNKNOWN: UNKNOWN}]
    kept = _kept(matrix, contexts) if matrix.axes else []
    included = [plain(data, contexts) for data in matrix.include]
    return _included(kept, included, [name for name, _ in matrix.axes])[:MAX_LEGS] or [{}]


def _kept(matrix: CiMatrix, contexts: Contexts) -> list[dict[str, Any]]:
    """Return the product of the axes, less what `exclude` names."""
    made = _product([(name, _values(data, contexts)) for name, data in matrix.axes])
    for data in matrix.exclude:
        entry = plain(data, contexts)
        made = [combination for combination in made if not _holds(combination, entry)]
    return made


def emptied_by(matrix: CiMatrix, contexts: Contexts) -> Iterator[tuple[CiData, list[Combination]]]:
    """Yield each entry of `exclude` with the combinations that it takes out."""
    made = _product([(name, _values(data, contexts)) for name, data in matrix.axes])
    for data in matrix.exclude:
        entry = plain(data, contexts)
        yield data, [combination for combination in made if _holds(combination, entry)]


def plain(data: CiData, contexts: Contexts) -> Any:
    """Return a value of a matrix as an expression sees it."""
    match data.kind:
        case "table":
            return {
                name: plain(item, contexts)
                for name, item in zip(data.names, data.items, strict=True)
            }
        case "list":
            return [plain(item, contexts) for item in data.items]
        case "boolean":
            return data.text.lower() == "true"
        case "null":
            return None
        case "number":
            # `3.10` is a number to YAML, and stands as it is written wherever it is printed.
            return data.text
        case _:
            return value_of(data.text, contexts)


def _values(data: CiData, contexts: Contexts) -> list[Any]:
    value = plain(data, contexts)
    return value if isinstance(value, list) else [value]


def _of_table(table: Mapping[str, Any]) -> list[Combination]:
    """Return the combinations of a matrix that stands in a text of JSON."""
    axes = [(name, values) for name, values in table.items() if isinstance(values, list)]
    included = table.get("include", [])
    plain_axes = [(name, values) for name, values in axes if name not in {"include", "exclude"}]
    return _included(_product(plain_axes) if plain_axes else [], included, [])[:MAX_LEGS] or [{}]


def _product(axes: Sequence[tuple[str, list[Any]]]) -> list[dict[str, Any]]:
    names = [name for name, _ in axes]
    found: list[dict[str, Any]] = []
    for values in product(*(values for _, values in axes)):
        if len(found) >= 4 * MAX_LEGS:
            break
        found.append(dict(zip(names, values, strict=True)))
    return found


def _holds(combination: Combination, entry: Any) -> bool:
    """Return whether all that an entry says is so in a combination."""
    if not isinstance(entry, Mapping):
        return False
    return all(str(combination.get(name)) == str(value) for name, value in entry.items())


def _included(
    kept: list[dict[str, Any]], included: Sequence[Any], axes: Sequence[str]
) -> list[Combination]:
    """Return combinations with what `include` adds to them, and those that it makes."""
    found = [dict(combination) for combination in kept]
    added: list[Combination] = []
    for entry in included:
        if not isinstance(entry, Mapping):
            continue
        fitting = [
            combination
            for combination in found
            if all(str(combination.get(name)) == str(entry[name]) for name in axes if name in entry)
        ]
        for combination in fitting:
            combination.update(entry)
        if not fitting:
            added.append(dict(entry))
    return [*found, *added]


def words_of(value: Any) -> Iterator[str]:
    """Yield the texts in a value of a matrix, however deep."""
    if isinstance(value, Mapping):
        for item in value.values():
            yield from words_of(item)
    elif isinstance(value, list):
        for item in value:
            yield from words_of(item)
    elif isinstance(value, str):
        yield value


def title_of(job: str, combination: Combination) -> str:
    """Return what a leg is called: its job, and the values of its combination."""
    values = [word for word in words_of(dict(combination)) if word and UNKNOWN not in word]
    shown = without_secrets(", ".join(values[:4]))
    return f"`{job}` ({shown})" if shown else f"`{job}`"
