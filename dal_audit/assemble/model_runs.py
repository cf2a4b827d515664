"""The statements that an ORM runs for its operations on models, in a series of migrations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from dal_audit.assemble.migration_sets import statements_by_file, statements_of
from dal_audit.assemble.project import Project
from dal_audit.facts import Place, Span
from dal_audit.facts.models import ModelOperation
from dal_audit.facts.sql import Embedding, OtherStatement, SqlStatement, Structure
from dal_audit.migrations.model import Migration
from dal_audit.schema import ANYTHING, ModelReplay, Models, OpaqueCode, table_of


class ToolStatements(Struct, frozen=True):
    """What an ORM runs for an operation, and what it takes that back by."""

    ups: tuple[SqlStatement, ...] = ()
    downs: tuple[SqlStatement, ...] = ()


NONE = ToolStatements()


def statements_of_models(
    migrations: Sequence[Migration], backend: str, project: Project
) -> Mapping[Place, ToolStatements]:
    """Return what a backend runs for the operations on models of a series, by their places.

    Nothing is known of the models where a migration of the series is not read, or not there. A
    series without models, such as one of Alembic's, has no tables but those that it makes itself.
    """
    steps = list(_steps(migrations, project))
    if not any(_is_of_models(statement) for _, _, statement in steps):
        return {}
    if not all(_is_read(migration, project) for migration in migrations):
        return {}
    if lacks_some(migrations):
        return {}
    replay = ModelReplay()
    found: dict[Place, ToolStatements] = {}
    for label, place, statement in steps:
        structure = statement.structure
        if _hides_operations(statement):
            named = replay.doubt(label, backend, statement.span)
            found[place] = ToolStatements(_facts(_code(named), statement, is_unread=True))
        elif isinstance(structure, ModelOperation):
            change = replay.run(label, structure)
            ups, downs = change.statements(backend, statement.span)
            found[place] = ToolStatements(_facts(ups, statement), _facts(downs, statement))
        elif statement.within is not None and statement.within.is_unread:
            doubted = _doubted(structure, replay.models, backend, statement.span)
            found[place] = ToolStatements(_facts(doubted, statement, is_unread=True))
    return found


def _steps(
    migrations: Sequence[Migration], project: Project
) -> Iterator[tuple[str, Place, SqlStatement]]:
    """Yield the statements of the ups with the label of their app, and their places."""
    for migration in migrations:
        label = migration.id.partition(".")[0]
        for part in migration.up:
            for statement in statements_of(part, project):
                yield label, Place(part.path, statement.span), statement


def _is_read(migration: Migration, project: Project) -> bool:
    scripts = statements_by_file(project)
    return all(part.path in scripts and not scripts[part.path].is_doubtful for part in migration.up)


def lacks_some(migrations: Sequence[Migration]) -> bool:
    """Return whether a migration names one of the series' apps that is not there."""
    known = {migration.id for migration in migrations}
    labels = {own.partition(".")[0] for own in known}
    named = {parent for migration in migrations for parent in migration.parents}
    return any(
        own.partition(".")[0] in labels and not own.partition(".")[2].startswith("__")
        for own in named - known
    )


def _is_of_models(statement: SqlStatement) -> bool:
    return isinstance(statement.structure, ModelOperation) or _hides_operations(statement)


def _hides_operations(statement: SqlStatement) -> bool:
    """Return whether a statement stands for operations of which nothing is known."""
    structure = statement.structure
    if isinstance(structure, ModelOperation):
        return not structure.model
    within = statement.within
    is_list = within is not None and within.is_unread and within.how == "operations"
    return is_list and isinstance(structure, OtherStatement) and structure.body == ANYTHING


def _doubted(
    structure: Structure | None, models: Models, backend: str, span: Span
) -> Iterator[Structure]:
    """Yield a statement that stands for code which may change the tables of models it names."""
    if not isinstance(structure, OtherStatement):
        return
    code = OpaqueCode.of([structure.body])
    named = [
        table_of(model, backend, span)
        for model in models.values()
        if code.names(model.name) or code.names(table_of(model, backend, span))
    ]
    yield from _code(named)


def _code(tables: Sequence[str]) -> Iterator[Structure]:
    """Yield a statement that stands for code which changes tables, if there are any."""
    if tables:
        yield OtherStatement(("DO",), f"EXECUTE {' '.join(tables)}")


def _facts(
    structures: Iterable[Structure], statement: SqlStatement, *, is_unread: bool = False
) -> tuple[SqlStatement, ...]:
    lines = (statement.span.line, statement.span.end_line)
    within = Embedding(lines, is_operation=True, is_unread=is_unread)
    return tuple(
        replace(
            statement, head="DO" if is_unread else "", structure=own, constructs=(), within=within
        )
        for own in structures
    )
