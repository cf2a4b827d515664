"""Sets whose migrations are files in one folder."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from dal_audit.catalogue.engine_words import engine_of
from dal_audit.facts.migrations import ToolSettings
from dal_audit.migrations.assembly import by_graph, common_backends, in_order, series_of
from dal_audit.migrations.listing import Listing, join
from dal_audit.migrations.model import Evidence, Migration, MigrationSet, Part, Series
from dal_audit.migrations.names import ScriptName, parse_name
from dal_audit.migrations.tool_detection import Choice, tool_of
from dal_audit.migrations.tools import LIQUIBASE, TOOLS
from dal_audit.migrations.up_and_down import (
    changesets,
    directives_of,
    halves,
    is_transactional,
    sections,
)
from dal_audit.policy.model import ToolChoice

_Key: TypeAlias = tuple[tuple[int, ...], str]
"""A version and a backend."""


class _File(Struct, frozen=True):
    """A file that is one direction of a migration."""

    path: str
    name: ScriptName

    @property
    def backend(self) -> str:
        return self.name.backend


def flat_set(
    listing: Listing, folder: str, tool: ToolChoice = "auto", evidence: Evidence = "configured"
) -> MigrationSet | None:
    """Return the set that the files in a folder make; None where they make none.

    With a tool other than `auto`, the files are read as that tool's.
    """
    if folder not in listing.telling:
        return None
    parsed = _parsed(listing, folder, dated=True)
    has_sql = any(name.language == "sql" for name in parsed.values())
    if not has_sql and not _scripted(listing, folder, parsed):
        return None
    choice: Choice | None
    if tool == "auto":
        choice = tool_of(listing, folder, parsed) or _by_modules(listing, folder, parsed)
    else:
        choice = TOOLS[tool], evidence
    if choice is None:
        return None
    if choice[0].reads_digits_only:
        parsed = _parsed(listing, folder, dated=False)
    found = _Flat(listing, folder, choice, parsed)
    return found.changelog() if choice[0].has_changesets else found.series()


def _parsed(listing: Listing, folder: str, *, dated: bool) -> dict[str, ScriptName]:
    names = listing.names(folder)
    return {
        name: said
        for name in sorted(names)
        if (said := parse_name(name, names, dated=dated)) is not None
    }


def _scripted(listing: Listing, folder: str, names: Iterable[str]) -> list[str]:
    """Return the files that are Python migrations of a tool that runs SQL files as well."""
    revisions = listing.sources.revisions
    return [
        name
        for name in names
        if (found := revisions.get(join(folder, name))) is not None
        and "one-folder" in TOOLS[found.framework].layouts
    ]


def _by_modules(listing: Listing, folder: str, parsed: Mapping[str, ScriptName]) -> Choice | None:
    for name in _scripted(listing, folder, parsed):
        tool = TOOLS[listing.sources.revisions[join(folder, name)].framework]
        if tool.takes_any_name or parsed[name].version:
            return tool, "marker"
    return None


class _Flat:
    """The files of one folder, on the way to a set."""

    def __init__(
        self, listing: Listing, folder: str, choice: Choice, parsed: Mapping[str, ScriptName]
    ) -> None:
        self.listing = listing
        self.folder = folder
        self.tool, self.evidence = choice
        self.parsed = parsed

    def changelog(self) -> MigrationSet | None:
        """Return the changesets of all changelogs in the folder, by the names of their files."""
        found: list[Migration] = []
        strays: list[str] = []
        for name, said in self.parsed.items():
            path = join(self.folder, name)
            marks = self.listing.sources.marks.get(path)
            if marks is not None and directives_of(marks, LIQUIBASE):
                found.extend(changesets(path, marks))
            elif said.language == "sql":
                strays.append(path)
        return self._set(found, "named", strays=strays) if found else None

    def series(self) -> MigrationSet | None:
        """Return the set of the files that the tool runs."""
        files = [_File(join(self.folder, name), said) for name, said in self.parsed.items()]
        scripts = [file for file in files if file.name.language == "sql"]
        run = list(filter(self._is_run, scripts))
        if not run and self.evidence == "configured":
            run = scripts
        pairs, orphans = self._pairs(run)
        programs = self._programs(files, {file.name.version for file in run})
        migrations = [
            *itertools.starmap(self._migration, pairs),
            *map(self._program, programs),
        ]
        if not migrations and not orphans:
            return None
        strays = _paths(scripts) - _paths(run)
        series, ordered = self._ordered(migrations)
        return self._set(ordered, series, orphans, strays)

    def _pairs(self, run: Sequence[_File]) -> tuple[list[tuple[_File, _File | None]], list[_File]]:
        """Return each up with its down, and the downs without an up."""
        downs = list(filter(self._is_down, run))
        ups = list(itertools.filterfalse(self._is_down, run))
        return _paired(ups, downs, by_version=self.tool.pairs_by_number)

    def _is_run(self, file: _File) -> bool:
        if self.tool.takes_any_name:
            return True
        if self.tool.prefixes:
            return bool(file.name.prefix)
        return bool(file.name.version or file.name.explicit)

    def _is_down(self, file: _File) -> bool:
        if file.name.prefix == "U":
            return "U" not in self.tool.prefixes
        return file.name.side == "down"

    def _programs(self, files: Iterable[_File], taken: set[tuple[int, ...]]) -> Iterator[_File]:
        """Yield the program files that are migrations.

        A tool that runs SQL only has programs beside it that go before or after one of its files:
        they bear its number.
        """
        own = _scripted(self.listing, self.folder, self.parsed)
        scripted = {join(self.folder, name) for name in own}
        for file in files:
            version = file.name.version
            is_numbered = bool(version) and (self.tool.runs_programs or version not in taken)
            if self._may_be_program(file) and (is_numbered or file.path in scripted):
                yield file

    def _may_be_program(self, file: _File) -> bool:
        is_program = file.name.language != "sql" and not file.name.key.endswith(("_test", ".d"))
        return is_program and bool(file.name.prefix or not self.tool.prefixes)

    def _migration(self, up: _File, down: _File | None) -> Migration:
        marks = self.listing.sources.marks.get(up.path)
        up_part, down_part = sections(up.path, marks, self.tool)
        if down is not None:
            down_part = Part(down.path, "down")
        directives = directives_of(marks, self.tool)
        found = _numbered(up, up=_parts(up_part), down=_parts(down_part))
        hook = self.tool.hook_prefix
        return replace(
            found,
            role="hook" if hook and up.name.key.startswith(hook) else found.role,
            transactional=is_transactional(marks, self.tool),
            directives=directives,
            parents=tuple(
                word
                for directive in directives
                if directive.kind == "depends"
                for word in directive.text.split()
            ),
        )

    def _program(self, file: _File) -> Migration:
        revision = self.listing.sources.revisions.get(file.path)
        if revision is None:
            return _numbered(file, up=(Part(file.path, "up", language=file.name.language),))
        up, down = halves(file.path, revision)
        found = _numbered(file, up=up, down=down)
        return replace(found, transactional=revision.transactional, parents=revision.parents)

    def _ordered(self, migrations: Sequence[Migration]) -> tuple[Series, tuple[Migration, ...]]:
        series = series_of(migrations)
        if not self.tool.names_parents:
            return series, in_order(migrations)
        by_name = sorted(migrations, key=lambda migration: (migration.role == "hook", migration.id))
        has_graph = any(migration.parents for migration in migrations)
        return "graph" if has_graph else series, by_graph(by_name)

    def _set(
        self,
        migrations: Sequence[Migration],
        series: Series,
        orphans: Sequence[_File] = (),
        strays: Iterable[str] = (),
    ) -> MigrationSet:
        found = MigrationSet(
            self.folder,
            self.tool.name,
            series,
            tuple(migrations),
            self.evidence,
            orphans=tuple(Part(file.path, "down") for file in orphans),
            strays=tuple(sorted(strays)),
        )
        if self.tool.plan:
            plan = join(self.folder, self.tool.plan)
            for settings in self.listing.sources.settings.get(plan, ()):
                found = _planned(found, settings)
        single = common_backends(found.migrations)
        if single is not None and len(single) == 1:
            return replace(found, backends=single)
        return found


def _planned(found: MigrationSet, plan: ToolSettings) -> MigrationSet:
    """Return a set in the order of its plan, on the engine that this names."""
    ordered, outside, missing = by_plan(found.migrations, plan)
    return replace(
        found,
        migrations=ordered,
        missing=missing,
        strays=tuple(sorted([*found.strays, *outside])),
        backends=engine(plan),
    )


def _parts(part: Part | None) -> tuple[Part, ...]:
    return () if part is None else (part,)


def by_plan(
    migrations: Sequence[Migration], plan: ToolSettings
) -> tuple[tuple[Migration, ...], list[str], tuple[str, ...]]:
    """Return migrations in a plan's order, the files that it does not list, and what has no file.

    A plan that lists nothing (it could not be read) changes nothing.
    """
    if not plan.order:
        return tuple(migrations), [], ()
    known = {migration.id: migration for migration in reversed(migrations)}
    listed = list(dict.fromkeys(plan.order))
    ordered = tuple(known[name] for name in listed if name in known)
    missing = tuple(name for name in listed if name not in known)
    kept = {migration.path for migration in ordered}
    return ordered, list(_files_beside(migrations, kept)), missing


def _files_beside(migrations: Iterable[Migration], kept: Collection[str]) -> Iterator[str]:
    """Yield the files of all migrations but those that are kept, by the paths of their ups."""
    for migration in migrations:
        if migration.path not in kept:
            yield from (part.path for part in migration.up[:1])
            yield from (part.path for part in migration.down if part.path != migration.path)


def engine(settings: ToolSettings) -> tuple[str, ...] | None:
    """Return the backend that a tool's file names; one that is not known stays as it is spelled."""
    name = settings.engine.lower()
    return (engine_of(name) or name,) if name else None


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
    pairs = {} if by_version else _by_name(ups, downs)
    used = _paths(pairs.values())
    bare = (up for up in _without(ups, pairs) if up.name.role == "versioned")
    waiting, left = _unique(bare), _unique(_without(downs, used))
    for key in waiting.keys() & left.keys():
        pairs[waiting[key].path] = left[key]
        used.add(left[key].path)
    return [(up, pairs.get(up.path)) for up in ups], _without(downs, used)


def _paths(files: Iterable[_File]) -> set[str]:
    return {file.path for file in files}


def _without(files: Iterable[_File], paths: Collection[str]) -> list[_File]:
    return [file for file in files if file.path not in paths]


def _by_name(ups: Iterable[_File], downs: Sequence[_File]) -> dict[str, _File]:
    """Return the down that has the same name, by the path of the up; each down once."""
    named = {(down.name.key, down.backend): down for down in reversed(downs)}
    found = {up.path: named.pop((up.name.key, up.backend), None) for up in ups}
    return {path: down for path, down in found.items() if down is not None}


def _unique(files: Iterable[_File]) -> dict[_Key, _File]:
    """Return the file of each version and backend that has one and no more."""
    groups: dict[_Key, list[_File]] = {}
    for file in files:
        if file.name.version:
            groups.setdefault((file.name.version, file.backend), []).append(file)
    return {key: group[0] for key, group in groups.items() if len(group) == 1}
