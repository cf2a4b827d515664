"""The catalogue of what is portable: a record for each feature that not all engines share.

`rules/catalogue/portability/*.toml` holds them, a file a kind. Each row is used three times: its
texts are run on the real engines (tests/engines), its pattern is what the SQL reader recognises it
by (`dal_audit/extract/sql/patterns.py`), and its words are what a finding and the documents say.

A new engine is a new key in `engines` and `sources` of the rows, and no new code: what a row does
not say of an engine is not known, and draws no verdict.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final, TypeAlias

from msgspec import Struct

from dal_audit.catalogue.resources import table

PORTABILITY: Final = "portability"
"""The table's name."""

Verdict: TypeAlias = bool | str
"""Whether an engine takes a feature: yes, no, or the first version that does ("3.35")."""


class Respelling(Struct, frozen=True):
    """How a text that a feature is recognised in is written portably.

    `of` and `to` are texts of tokens with holes between (`dal_audit/extract/sql/rewriting.py`).
    `safe` says that every engine which takes the old text does the same with the new one, and each
    other one what these do: always, never (the empty word), or under a condition that
    `dal_audit/fix/sql.py` knows by this name.
    """

    of: str
    to: str
    safe: str


class Feature(Struct, frozen=True, omit_defaults=True):
    """A construct of SQL that is not portable, with what each engine makes of it.

    `engines` maps an engine to its verdict on `example`, run after `setup`. `build` names a
    compile-time option with which an engine takes it although its core build does not, and
    `extension` what must be installed in it first; an engine of which only that is said draws no
    verdict. `needs_rows` says that it is rejected only where the table holds rows. `portable` is a
    text for the same end that every engine takes, empty where there is no one text; `cure` says in
    a sentence what to do.

    A feature that `differs` is taken and means something else: `probe` is a script whose last
    result is not the same on all engines. `divergence` are the names of known differences that it
    stands for. `parameters` are what is bound when the example is run.

    `match` and `within` are patterns (`dal_audit/extract/sql/pattern_language.py`). `fixes` are the
    ways to write it portably that a program may apply; of several the first that fits counts.
    """

    id: str
    rule: str
    title: str
    kind: str
    match: str
    within: str
    engines: Mapping[str, Verdict]
    example: str
    portable: str
    cure: str
    sources: Mapping[str, str]
    setup: str = ""
    probe: str = ""
    differs: bool = False
    divergence: tuple[str, ...] = ()
    build: Mapping[str, str] | None = None
    extension: Mapping[str, str] | None = None
    needs_rows: bool = False
    parameters: tuple[str, ...] | Mapping[str, str] | None = None
    fixes: tuple[Respelling, ...] = ()

    def fails_on(self, backends: Mapping[str, str]) -> tuple[str, ...]:
        """Return the backends, in order of name, that reject the feature.

        `backends` maps an engine to the lowest version that the project supports; an empty
        version means the newest, and an engine that the row does not know rejects nothing.
        """
        return tuple(
            name
            for name in sorted(backends)
            if not taken(self.engines.get(name, True), backends[name])
        )


def taken(verdict: Verdict, version: str) -> bool:
    """Return whether an engine of this version, or the newest if it is empty, takes a feature."""
    if isinstance(verdict, bool):
        return verdict
    return not version or version_key(version) >= version_key(verdict)


def version_key(version: str) -> tuple[int, ...]:
    """Return a version as it is compared: its numbers, without zeros at the end.

    Raises ValueError where a part is no number.
    """
    parts = [int(part) for part in version.split(".")]
    while parts and not parts[-1]:
        parts.pop()
    return tuple(parts)


@cache
def features() -> tuple[Feature, ...]:
    """Read the shipped catalogue, in order of file and row."""
    return table(PORTABILITY, tuple[Feature, ...], feature_in)


@cache
def feature_by_id() -> Mapping[str, Feature]:
    """Return the shipped features by id."""
    return {feature.id: feature for feature in features()}


def feature_in(row: Mapping[str, Any]) -> Feature:
    """Return the feature of a table in `portability/`."""
    return Feature(
        id=row["id"],
        rule=row["rule"],
        title=row["title"],
        kind=row["kind"],
        match=row["match"],
        within=row.get("within", ""),
        engines=row["engines"],
        example=row["example"],
        portable=row["portable"],
        cure=row["cure"],
        sources=row["sources"],
        setup=row.get("setup", ""),
        probe=row.get("probe", ""),
        differs=row.get("differs", False),
        divergence=tuple(row.get("divergence", ())),
        build=row.get("build"),
        extension=row.get("extension"),
        needs_rows=row.get("needs-rows", False),
        parameters=_parameters(row.get("parameters")),
        fixes=tuple(Respelling(**respelling) for respelling in row.get("fixes", ())),
    )


def _parameters(
    value: list[str] | dict[str, str] | None,
) -> tuple[str, ...] | dict[str, str] | None:
    """Return bound values as a record may hold them."""
    return tuple(value) if isinstance(value, list) else value
