"""Sets whose migrations are files in one folder."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from dal_audit.facts.migrations import ToolSettings
from dal_audit.migrations.assembly import by_graph, common_backends, in_order, series_of
from dal_audit.migrations.backends import backend_of
from dal_audit.migrations.listing import Listing, join
from dal_audit.migrations.model import Evidence, Migration, MigrationSet, Part, Series
from dal_audit.migrations.names import ScriptName, parse_name
from dal_audit.migrations.parts import (
    changesets,
    directives_of,
    halves,
    is_transactional,
    sections,
)
from dal_audit.migrations.tools import tool_of
from dal_audit.policy.model import Tool

_DIGITS_ONLY: Final[frozenset[Tool]] = frozenset(
    {"dbmate", "golang-migrate", "goose", "refinery", "sqlx", "tern", "sqlalchemy-migrate"}
)
"""Tools that read nothing but the digits at the beginning of a name."""

_OF_PROGRAMS: Final[frozenset[Tool]] = frozenset(
    {"flyway", "goose", "refinery", "sqlalchemy-migrate", "yoyo"}
)
"""Tools whose migrations may be programs: two with one number are a fault."""


class _File(Struct, frozen=True):
    """A file that is one direction of a migration."""

    path: str
    name: ScriptName

    @property
    def backend(self) -> str:
        return self.name.backend


def flat_set(
    listing: Listing, folder: str, tool: Tool = "auto", evidence: Evidence = "configured"
) -> MigrationSet | None:
    """Return the set that the files in a folder make; None where they make none.

    With a tool other than `auto`, the files are read as that tool's.
    """
    if folder not in listing.telling:
        return None
    parsed = _parsed(listing, folder, dated=True)
    if not any(one.language == "sql" for one in parsed.values()) and not _scripted(
        listing, folder, parsed
    ):
        return None
    if tool == "auto":
        choice = tool_of(listing, folder, parsed) or _by_modules(listing, folder, parsed)
        if choice is None:
            return None
        tool, evidence = choice
    if tool in _DIGITS_ONLY:
        parsed = _parsed(listing, folder, dated=False)
    found = _Flat(listing, folder, tool, evidence, parsed)
    return found.changelog() if tool == "liquibase" else found.series()


def _parsed(listing: Listing, folder: str, *, dated: bool) -> dict[str, ScriptName]:
    names = listing.names(folder)
    return {
        name: one
        for name in sorted(names)
        if (one := parse_name(name, names, dated=dated)) is not None
    }


def _scripted(listing: Listing, folder: str, names: Iterable[str]) -> list[str]:
    """Return the files that are Python migrations of a tool that runs SQL files as well."""
    revisions = listing.sources.revisions
    return [
        one
        for one in names
        if (found := revisions.get(join(folder, one))) is not None
        and found.framework in {"sqlalchemy-migrate", "yoyo"}
    ]


def _by_modules(
    listing: Listing, folder: str, parsed: Mapping[str, ScriptName]
) -> tuple[Tool, Evidence] | None:
    for name in _scripted(listing, folder, parsed):
        framework = listing.sources.revisions[join(folder, name)].framework
        if framework == "yoyo" or parsed[name].version:
            return framework, "marker"
    return None


class _Flat:
    """The files of one folder, on the way to a set."""

    def __init__(
        self,
        listing: Listing,
        folder: str,
        tool: Tool,
        evidence: Evidence,
        parsed: Mapping[str, ScriptName],
    ) -> None:
        self.listing = listing
        self.folder = folder
        self.tool = tool
        self.evidence = evidence
        self.parsed = parsed

    # Liquibase

    def changelog(self) -> MigrationSet | None:
        """Return the changesets of all changelogs in the folder, by the names of their files."""
        marks = self.listing.sources.marks
        found: list[Migration] = []
        strays: list[str] = []
        for name in self.parsed:
            path = join(self.folder, name)
            own = marks.get(path)
            if own is not None and any(one.tool == "liquibase" for one in own.directives):
                found.extend(changesets(path, own))
            elif self.parsed[name].language == "sql":
                strays.append(path)
        return self._set(found, (), strays, series="named") if found else None

    # All others

    def series(self) -> MigrationSet | None:
        """Return the set of the files that the tool runs."""
        files = [_File(join(self.folder, name), one) for name, one in self.parsed.items()]
        sql = [one for one in files if one.name.language == "sql"]
        chosen = [one for one in sql if self._is_run(one)]
        if not chosen and self.evidence == "configured":
            chosen = sql
        programs = self._programs(files, {one.name.version for one in chosen})
        downs = [one for one in chosen if self._is_down(one)]
        ups = [one for one in chosen if not self._is_down(one)]
        pairs, orphans = _paired(ups, downs, by_version=self.tool == "flyway")
        migrations = [self._migration(up, down) for up, down in pairs]
        migrations += [self._program(one) for one in programs]
        if not migrations and not orphans:
            return None
        run = {one.path for one in chosen}
        strays = [one.path for one in sql if one.path not in run]
        rest = tuple(Part(one.path, "down") for one in orphans)
        return self._set(migrations, rest, strays)

    def _is_run(self, file: _File) -> bool:
        if self.tool == "yoyo":
            return True
        if self.tool in {"flyway", "refinery"}:
            return bool(file.name.prefix)
        return bool(file.name.version or file.name.explicit)

    def _is_down(self, file: _File) -> bool:
        if file.name.prefix == "U":  # Flyway's undo is refinery's migration without a fixed place.
            return self.tool != "refinery"
        return file.name.side == "down"

    def _programs(self, files: Sequence[_File], taken: set[tuple[int, ...]]) -> list[_File]:
        """Return the program files that are migrations.

        A tool that runs SQL only has programs beside it that go before or after one of its files:
        they bear its number.
        """
        scripted = {
            join(self.folder, one) for one in _scripted(self.listing, self.folder, self.parsed)
        }
        return [
            one
            for one in files
            if one.name.language != "sql"
            and not one.name.key.endswith(("_test", ".d"))
            and (
                one.path in scripted
                or (
                    one.name.version
                    and (self.tool in _OF_PROGRAMS or one.name.version not in taken)
                )
            )
            and (self.tool not in {"flyway", "refinery"} or one.name.prefix)
        ]

    def _migration(self, up: _File, down: _File | None) -> Migration:
        marks = self.listing.sources.marks.get(up.path)
        up_part, down_part = sections(up.path, marks, self.tool)
        downs = () if down is None else (Part(down.path, "down"),)
        directives = directives_of(marks, self.tool)
        found = _numbered(
            up,
            up=() if up_part is None else (up_part,),
            down=downs or (() if down_part is None else (down_part,)),
        )
        depends = [one.text for one in directives if one.kind == "depends"]
        return replace(
            found,
            role="hook"
            if self.tool == "yoyo" and up.name.key.startswith("post-apply")
            else found.role,
            transactional=is_transactional(marks, self.tool),
            directives=directives,
            parents=tuple(word for text in depends for word in text.split()),
        )

    def _program(self, file: _File) -> Migration:
        revision = self.listing.sources.revisions.get(file.path)
        if revision is None:
            return _numbered(file, up=(Part(file.path, "up", language=file.name.language),))
        up, down = halves(file.path, revision)
        found = _numbered(file, up=up, down=down)
        return replace(found, transactional=revision.transactional, parents=revision.parents)

    def _set(
        self,
        migrations: Sequence[Migration],
        orphans: tuple[Part, ...],
        strays: Iterable[str],
        series: Series | None = None,
    ) -> MigrationSet:
        kind = series or series_of(migrations)
        ordered = tuple(migrations) if series else in_order(migrations)
        missing: tuple[str, ...] = ()
        backends: tuple[str, ...] | None = None
        if self.tool == "yoyo":
            plain = tuple(sorted(migrations, key=lambda one: (one.role == "hook", one.id)))
            ordered = by_graph(plain)
            kind = "graph" if any(one.parents for one in migrations) else kind
        for one in self.listing.sources.settings.get(join(self.folder, "meta/_journal.json"), ()):
            if self.tool == "drizzle":
                ordered, outside, missing = by_plan(ordered, one)
                strays = [*strays, *outside]
                backends = engine(one)
        single = common_backends(ordered)
        if single is not None and len(single) == 1:
            backends = single
        return MigrationSet(
            self.folder,
            self.tool,
            kind,
            ordered,
            self.evidence,
            backends=backends,
            orphans=orphans,
            missing=missing,
            strays=tuple(sorted(strays)),
        )


def by_plan(
    migrations: Sequence[Migration], plan: ToolSettings
) -> tuple[tuple[Migration, ...], list[str], tuple[str, ...]]:
    """Return migrations in a plan's order, the files that it does not list, and what has no file.

    A plan that lists nothing (it could not be read) changes nothing.
    """
    if not plan.order:
        return tuple(migrations), [], ()
    known = {one.id: one for one in reversed(migrations)}
    listed = list(dict.fromkeys(plan.order))
    ordered = tuple(known[one] for one in listed if one in known)
    kept = {one.path for one in ordered}
    outside = [
        part.path
        for one in migrations
        if one.path not in kept
        for part in (*one.up[:1], *(part for part in one.down if part.path != one.path))
    ]
    return ordered, outside, tuple(one for one in listed if one not in known)


def engine(settings: ToolSettings) -> tuple[str, ...] | None:
    """Return the backend that a tool's file names; one that is not known stays as it is spelled."""
    name = settings.engine.lower()
    return (backend_of(name) or name,) if name else None


def _numbered(file: _File, up: tuple[Part, ...], down: tuple[Part, ...] = ()) -> Migration:
    name = file.name
    return Migration(
        name.key,
        name.name,
        name.written,
        name.version,
        name.stamped,
        name.role,
        up,
        down,
        backends=(name.backend,) if name.backend else None,
    )


def _paired(
    ups: Sequence[_File], downs: Sequence[_File], *, by_version: bool
) -> tuple[list[tuple[_File, _File | None]], list[_File]]:
    """Pair ups with downs: by the whole name, and what is left by the number if that is unique."""
    named = {} if by_version else {(one.name.key, one.backend): one for one in reversed(downs)}
    pairs = {one.path: named.pop((one.name.key, one.backend), None) for one in ups}
    paired = {one.path for one in pairs.values() if one is not None}
    left = [one for one in downs if one.path not in paired]
    single = [one for one in ups if pairs[one.path] is None and one.name.role == "versioned"]
    waiting = _unique(single)
    for version, down in _unique(left).items():
        if down is not None and waiting.get(version) is not None:
            up = waiting[version]
            if up is not None:
                pairs[up.path] = down
                paired.add(down.path)
    return [(one, pairs[one.path]) for one in ups], [one for one in left if one.path not in paired]


def _unique(files: Iterable[_File]) -> dict[tuple[tuple[int, ...], str], _File | None]:
    """Return the one file of each version and backend; None where there are several."""
    found: dict[tuple[tuple[int, ...], str], _File | None] = {}
    for one in files:
        if one.name.version:
            key = (one.name.version, one.backend)
            found[key] = None if key in found else one
    return found
