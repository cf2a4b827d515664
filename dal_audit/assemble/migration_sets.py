"""The migration sets that are judged, and what the two directions of their migrations do.

A set is judged where the configuration takes its files for migrations and a backend runs them.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from msgspec import Struct

from dal_audit.assemble.memo import file_query, query
from dal_audit.assemble.project import AUDITED, STATEMENTS, Project
from dal_audit.facts import START, NotUnderstood, Place
from dal_audit.facts.models import ModelOperation
from dal_audit.facts.sql import OtherStatement, Query, SqlStatement, Transaction
from dal_audit.migrations.model import Language, Migration, MigrationSet, Part

_PASSING: Final = frozenset(
    {"ANALYZE", "CHECKPOINT", "DISCARD", "EXPLAIN", "LOCK", "OPTIMIZE", "PRAGMA", "REFRESH",
     "REINDEX", "RESET", "SET", "SHOW", "UNLOCK", "USE", "VACUUM"}
)  # fmt: skip
"""Statements that make nothing: when the connection is closed, or at once, it is as before."""


def audited_sets(project: Project) -> Iterator[MigrationSet]:
    """Yield the sets that are judged."""
    for found in project.layout.sets:
        if any(is_audited(path, project) for path in sorted(found.paths())):
            yield found


def is_audited(path: str, project: Project) -> bool:
    """Return whether a migration's file is judged: it is taken for one, and a backend runs it."""
    files = project.sql_files
    return files.is_migration(path) and bool(files.backends_of(path))


def statements_of(part: Part, project: Project) -> list[SqlStatement]:
    """Return the statements of a part of an SQL file, in order."""
    script = statements_by_file(project).get(part.path)
    if script is None:
        return []
    first, last = 0, len(script.lines)
    if part.lines is not None:
        first = bisect_left(script.lines, part.lines[0])
        last = bisect_right(script.lines, part.lines[1])
    own = script.statements[first:last]
    return [statement for statement in own if part.takes(statement.span.line, statement.part)]


def up_scripts(
    project: Project, *languages: Language
) -> Iterator[tuple[MigrationSet | None, list[SqlStatement], str]]:
    """Yield each up part in some languages that is judged: its set, its statements, its file.

    A file of a folder that no pattern fits is in no set, and is all up.
    """
    for found, part in _up_parts(project):
        if part.language in languages and is_audited(part.path, project):
            yield found, statements_of(part, project), part.path


def _up_parts(project: Project) -> Iterator[tuple[MigrationSet | None, Part]]:
    """Yield the up parts of all sets that are judged, and the files of no set as such."""
    for found in audited_sets(project):
        yield from ((found, part) for migration in found.migrations for part in migration.up)
    for folder in project.layout.unrecognised:
        yield from ((None, Part(path, "up")) for path in folder.paths)


def does_nothing(part: Part, project: Project) -> bool:
    """Return whether a part leaves the database as it is, as far as its text says.

    What is not understood does something, and so does a program that is not read.
    """
    if part.language != "sql":
        return part.state == "empty"
    script = statements_by_file(project).get(part.path)
    if script is None or script.is_doubtful:
        return False
    return all(map(leaves_nothing, statements_of(part, project)))


def runs_elsewhere(parts: Sequence[Part], project: Project) -> bool:
    """Return whether parts of programs run statements, all of them on engines that are no targets.

    What is not understood may run on any.
    """
    scripts = statements_by_file(project)
    if any(part.path not in scripts or scripts[part.path].is_doubtful for part in parts):
        return False
    found = [(part, own) for part in parts for own in statements_of(part, project)]
    return bool(found) and all(_is_elsewhere(own, part.path, project) for part, own in found)


def _is_elsewhere(statement: SqlStatement, path: str, project: Project) -> bool:
    engines = statement.within.engines if statement.within is not None else None
    return engines is not None and not set(engines) & set(project.sql_files.backends_of(path))


def leaves_nothing(statement: SqlStatement) -> bool:
    """Return whether a database is after a statement as it was before."""
    structure = statement.structure
    if isinstance(structure, Query):
        return structure.constant
    if isinstance(structure, OtherStatement):
        return not _PASSING.isdisjoint(structure.words[:1])
    return isinstance(structure, (Transaction, ModelOperation))


class Script(Struct, frozen=True):
    """The statements of a file, and the line on which each begins."""

    statements: tuple[SqlStatement, ...] = ()
    lines: tuple[int, ...] = ()
    is_doubtful: bool = False


@file_query(of=(STATEMENTS,))
def _script(_path: str, facts: Sequence[SqlStatement | NotUnderstood], _project: Project) -> Script:
    """Return a file that is judged for its statements: one of many parts is read once."""
    statements = tuple(fact for fact in facts if isinstance(fact, SqlStatement))
    lines = tuple(statement.span.line for statement in statements)
    return Script(statements, lines, is_doubtful=len(statements) < len(facts))


@query(depends_on=(AUDITED, _script))
def statements_by_file(project: Project) -> Mapping[str, Script]:
    """Return what all files are as scripts of SQL; some have no statement."""
    known = _script(project)
    return {file.path: known.get(file.path, _EMPTY) for file in project.files}


_EMPTY: Final = Script()


def start_of(migration: Migration, project: Project) -> tuple[Place, tuple[int, int]]:
    """Return where a fault of a whole migration is shown, and the lines that can suppress it.

    That is the first line of its file, or the directive that begins it where a file holds several;
    a comment on a line of its own is about the statement below, so that counts, too.
    """
    part = migration.up[0] if migration.up else migration.down[0]
    if part.language == "python":
        last = migration.declared.line if migration.declared is not None else 1
        return Place(part.path, START), (1, last)
    first = START
    kinds = {directive.kind for directive in migration.directives}
    if part.anchor is not None and "changeset" in kinds:
        first = part.anchor
    own = statements_of(part, project)
    return Place(part.path, first), (first.line, max(first.line, own[0].span.line if own else 1))
