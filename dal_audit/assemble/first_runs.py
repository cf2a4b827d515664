"""What each statement of the migrations fails for, given all that stands before it.

The migrations of a set are followed in the order in which their tool runs them, for each backend
those that are meant for it; the parts that take a migration back are left out. A file that is in no
set is followed by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from dal_audit.assemble.project import Project
from dal_audit.facts import FileFacts
from dal_audit.facts.sql import SqlStatement
from dal_audit.migrations.model import MigrationSet
from dal_audit.schema import Follower, Objection


@lru_cache(maxsize=8)
def objections_of(project: Project) -> Mapping[int, tuple[Objection, ...]]:
    """Return what is objected to statements, by their identity."""
    found: dict[int, list[Objection]] = {}
    files = {file.path: file for file in project.files}
    in_sets: set[str] = set()
    for one in project.layout.sets:
        in_sets |= one.paths()
        for backend in project.policy.backends:
            _follow(_scripts(one, backend, files), (backend,), found)
    for path, file in files.items():
        if path not in in_sets:
            _follow([_statements(file)], project.policy.backends, found)
    return {key: tuple(dict.fromkeys(objections)) for key, objections in found.items()}


def _follow(
    scripts: Iterator[list[SqlStatement]] | Sequence[list[SqlStatement]],
    backends: Sequence[str],
    found: dict[int, list[Objection]],
) -> None:
    """Note what is objected for the backends to the statements of scripts, run one by one."""
    follower = Follower()
    for statements in scripts:
        followed = follower.follow(statements)
        for statement, objections in zip(statements, followed, strict=True):
            kept = [one for one in objections if not set(backends).isdisjoint(one.backends)]
            if kept:
                found.setdefault(id(statement), []).extend(kept)


def _scripts(
    one: MigrationSet, backend: str, files: Mapping[str, FileFacts]
) -> Iterator[list[SqlStatement]]:
    """Yield the statements of a set's migrations, in the order in which a backend runs them."""
    for migration in one.for_backend(backend):
        for part in migration.up:
            if part.path in files:
                yield [
                    statement
                    for statement in _statements(files[part.path])
                    if part.takes(statement.span.line, statement.part)
                ]


def _statements(file: FileFacts) -> list[SqlStatement]:
    return [fact for fact in file.facts if isinstance(fact, SqlStatement) and fact.part != "down"]
