"""The SQL in storage's Rust: what drivers are handed there, and which engines run it.

The code around a text tells first: features, and names that speak of an engine. Then the types of
drivers that a file imports, the driver of the call, and what the manifest asks of that driver
(`sqlx` with the feature `postgres` alone speaks to no other engine).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from msgspec.structs import replace

from dal_audit.assemble.rust.crates import Crate
from dal_audit.assemble.rust.lowering import RustProject
from dal_audit.catalogue.drivers import RUST, Driver
from dal_audit.catalogue.engine_words import engine_of, engines_in
from dal_audit.extract.cache import Cache
from dal_audit.extract.embedded.rust import extract_rust_sql
from dal_audit.facts import FileFacts, Import, SourceFile, Span
from dal_audit.facts.rust import RustSql
from dal_audit.facts.sql import CreateObject, Embedding, SqlFileName, SqlStatement

_OF_ANY: Final = "Any"
"""What the names of sqlx's types begin with that stand for any engine (`AnyPool`)."""


def with_sql(
    lowered: Sequence[FileFacts],
    rust: RustProject,
    files: Sequence[SourceFile],
    cache: Cache,
    *,
    jobs: int | None,
) -> list[FileFacts]:
    """Return the facts of all files, with the SQL in these ones."""
    wanted = [file for file in files if file.path in rust.read]
    found = extract_rust_sql(wanted, rust.read, jobs=jobs, cache=cache)
    by_path = {file.path: facts for file, facts in zip(wanted, found, strict=True) if facts}
    sql = _Handed(rust)
    return [
        replace(file, facts=(*file.facts, *sql.kept(file, by_path[file.path])))
        if file.path in by_path
        else file
        for file in lowered
    ]


class _Handed:
    """Tells which texts drivers are handed, and by which engines they are run."""

    def __init__(self, rust: RustProject) -> None:
        self.rust = rust
        self._uses: dict[tuple[str, Span], list[tuple[str, RustSql, Driver | None]]] = {}
        """What hands each text to a driver: the path, the call and the driver."""
        for path, read in rust.read.items():
            for call in read.calls:
                handed = rust.calls.handed(call, path)
                place = rust.calls.place(call, path) if handed is not None else None
                if handed is not None and place is not None:
                    self._uses.setdefault(place, []).append((path, call, handed.driver))

    def kept(
        self, file: FileFacts, facts: Iterable[SqlStatement | SqlFileName]
    ) -> Iterator[SqlStatement | SqlFileName]:
        """Yield what of a file's SQL drivers are handed, or stands by itself in constants."""
        types = _engines_of_types(file, self.rust)
        uses = {place: found for (path, place), found in self._uses.items() if path == file.path}
        for fact in facts:
            if isinstance(fact, SqlFileName) or fact.within is None or _is_given(fact):
                yield fact
                continue
            place = next((place for place in uses if _holds(place, fact.span)), None)
            if place is not None:
                yield replace(fact, within=self._within(fact.within, uses[place], types))
            elif not fact.within.how:
                crate = self.rust.tree.crate_of[file.path]
                engines = _first(fact.within.engines, types, self._engines_of_crate(crate))
                yield replace(fact, within=replace(fact.within, engines=engines))

    def _within(
        self,
        within: Embedding,
        uses: Sequence[tuple[str, RustSql, Driver | None]],
        types: frozenset[str],
    ) -> Embedding:
        told = [self._engines_of_use(path, call, driver) for path, call, driver in uses]
        engines = None
        if all(found is not None for found in told):
            engines = tuple(sorted({engine for found in told for engine in found or ()}))
        names = {driver.modules[0] for _, _, driver in uses if driver is not None}
        receivers = tuple(names) if len(names) == 1 else ()
        own = _first(within.engines, types, engines)
        return replace(within, engines=own, how=uses[0][1].callee.lstrip("."), receivers=receivers)

    def _engines_of_use(
        self, path: str, call: RustSql, driver: Driver | None
    ) -> tuple[str, ...] | None:
        crate = self.rust.tree.crate_of[path]
        of_driver = self._engines_of(driver, crate) if driver is not None else None
        return _first(call.engines, (), of_driver or self._engines_of_crate(crate))

    def _engines_of(self, driver: Driver, crate: Crate) -> tuple[str, ...] | None:
        """Return the engines that a driver speaks to in a crate; None where any may be."""
        if driver.dialect:
            return (engine_of(driver.dialect) or driver.dialect,)
        own = {name for module in driver.modules for name in crate.features.get(module, ())}
        named = frozenset[str]().union(*map(engines_in, own))
        return tuple(sorted(named)) or None

    def _engines_of_crate(self, crate: Crate) -> tuple[str, ...] | None:
        """Return the engines that the drivers of SQL speak to that a crate depends on."""
        found: set[str] = set()
        for name in set((crate.externs or {}).values()):
            driver = self.rust.names.driver_of(name)
            if driver is None or driver.kind == "store" or not driver.executes:
                continue
            engines = self._engines_of(driver, crate)
            if engines is None:
                return None
            found.update(engines)
        return tuple(sorted(found)) or None


def _is_given(fact: SqlStatement) -> bool:
    """Return whether a statement stands for what connections are given, and for no text."""
    return (
        isinstance(fact.structure, CreateObject)
        and fact.within is not None
        and (fact.within.how == "create_function")
    )


def _holds(place: Span, span: Span) -> bool:
    return (place.line, place.column) <= (span.line, span.column) and (
        (span.end_line, span.end_column) <= (place.end_line, place.end_column)
    )


def _first(
    own: tuple[str, ...] | None, types: Iterable[str], others: tuple[str, ...] | None
) -> tuple[str, ...] | None:
    """Return the first that is told, from what is nearest on."""
    return own if own is not None else tuple(sorted(types)) or others


def _engines_of_types(file: FileFacts, rust: RustProject) -> frozenset[str]:
    """Return the engines that a file's `use` statements speak of; none where they speak of any.

    A whole path says what stands beside it alone.
    """
    found: set[str] = set()
    for fact in file.facts:
        for target in fact.targets if isinstance(fact, Import) and not fact.by_path else ():
            driver = rust.names.driver_of(target.name) if target.name.startswith(RUST) else None
            if driver is not None and not driver.dialect and driver.kind != "store":
                names = target.name.split(".")[1:]
                if any(name.startswith(_OF_ANY) for name in names):
                    return frozenset()
                found |= engines_in(" ".join(names))
    return frozenset(found)
