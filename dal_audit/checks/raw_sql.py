"""DAL108 raw-sql."""

from __future__ import annotations

from collections.abc import Iterator

from dal_audit.assemble.accessors import hands_on
from dal_audit.assemble.project import Project
from dal_audit.assemble.sql_functions import hands_sql_on
from dal_audit.facts import FileFacts, HandedSql, Place, SqlText, ValueFacts
from dal_audit.judge.breach import Breach, Related, with_article
from dal_audit.judge.check import check


@check("DAL108")
def raw_sql(
    fact: SqlText | HandedSql | ValueFacts, file: FileFacts, project: Project
) -> Iterator[Breach]:
    """Flag SQL that a file outside storage executes or builds, or has a storage object execute."""
    if project.in_storage(file.path):
        return
    if isinstance(fact, ValueFacts):
        yield from _handed_to_methods(fact, file, project)
    elif isinstance(fact, HandedSql):
        if hands_sql_on(fact.function, file.path, project):
            lines = fact.statement.line, fact.statement.end_line
            yield _handed_on(Place(file.path, fact.span), lines, fact.shown, fact.does, project)
    elif not _is_something_else(fact, file, project):
        yield _breach(fact, file, project)


def _handed_to_methods(fact: ValueFacts, file: FileFacts, project: Project) -> Iterator[Breach]:
    """Flag SQL that a method of storage is handed and hands on."""
    for read in fact.accesses:
        if read.sql and hands_on(read, file.path, project):
            shown = f"{read.shown}.{read.attribute}"
            yield _handed_on(Place(file.path, read.span), read.lines, shown, read.sql, project)


def _handed_on(
    place: Place, lines: tuple[int, int], shown: str, does: str, project: Project
) -> Breach:
    return Breach(
        place,
        f"`{shown}` hands {_what(does)} on to what executes it; "
        f"only {project.storage_description} may hold SQL",
        label="this is SQL",
        extent=lines,
    )


def _breach(fact: SqlText, file: FileFacts, project: Project) -> Breach:
    return Breach(
        Place(file.path, fact.span),
        f"`{fact.how}` {'builds' if fact.builds else 'executes'} {_what(fact.does)}; "
        f"only {project.storage_description} may hold SQL",
        label="this is SQL" if fact.written is None else "this text is SQL",
        extent=(fact.statement.line, fact.statement.end_line),
        related=(
            (Related(Place(file.path, fact.written), "the SQL is written here"),)
            if fact.written is not None
            else ()
        ),
    )


def _is_something_else(fact: SqlText, file: FileFacts, project: Project) -> bool:
    """Return whether the receiver comes from a library that is no driver, or a local namesake."""
    if fact.builds:
        return not any(_is_drivers(name, file.path, project) for name in fact.receivers)
    return bool(fact.receivers) and all(
        not name.startswith((".", "builtins."))
        and not project.names.is_local(name, file.path)
        and project.driver_of(name, file.path) is None
        for name in fact.receivers
    )


def _is_drivers(name: str, path: str, project: Project) -> bool:
    """Return whether a maker of SQL is a driver's, or one of its objects' (`db.text`)."""
    if project.driver_of(name, path) is not None:
        return True
    owner, _, method = name.rpartition(".")
    source = project.driver_sources.resolve(owner, path) if owner else None
    return source is not None and (source.form != "instance" or method in source.driver.executes)


def _what(does: str) -> str:
    if not does.startswith("`"):
        return "a piece of SQL"
    return with_article(does)
