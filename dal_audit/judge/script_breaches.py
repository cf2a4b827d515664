"""Migrations in code that run SQL files: what a backend rejects in a file fails where it is run."""

from __future__ import annotations

from collections.abc import Iterator

from dal_audit.assemble.engine_modules import backends_for
from dal_audit.assemble.first_runs import first_runs
from dal_audit.assemble.named_scripts import script_readers
from dal_audit.assemble.project import Project
from dal_audit.facts import FileFacts, Place
from dal_audit.facts.sql import SqlFileName, SqlStatement
from dal_audit.judge.breach import Breach, Related
from dal_audit.judge.sql_portability import join_names, rejecting, verdicts


def script_breaches(named: SqlFileName, file: FileFacts, project: Project) -> Iterator[Breach]:
    """Yield that backends reject a file of SQL which a migration in code runs by its name."""
    if not project.sql_files.is_migration(file.path):
        return
    last = named.name.replace("\\", "/").rpartition("/")[2]
    for script in project.files:
        readers = script_readers(project).get(script.path, ())
        if file.path not in readers or script.path.rpartition("/")[2] != last:
            continue
        rejected = _rejected(script, project)
        backends = project.sql_files.backends_of(file.path)
        fails_on = tuple(backend for backend in backends if backend in rejected)
        if fails_on:
            first = min(rejected[backend] for backend in fails_on)
            yield Breach(
                Place(file.path, named.span),
                f"{rejecting(fails_on)} the SQL that is run here, from `{script.path}` on line "
                f"{first.span.line}",
                label=f"fails on {join_names(fails_on)}",
                fails_on=fails_on,
                related=(Related(first, "the first that is rejected"),),
                remedy="Mend the SQL there, or run it only on the backends that take it.",
            )


def _rejected(script: FileFacts, project: Project) -> dict[str, Place]:
    """Return the backends that reject a statement of a script, each with the first of them."""
    found: dict[str, Place] = {}
    for statement in script.facts:
        if not isinstance(statement, SqlStatement):
            continue
        place = Place(script.path, statement.span)
        rejecting_it = {
            own for said in verdicts(statement, script, project) for own in said.fails_on
        }
        for error in first_runs(project).errors.get(place, ()):
            rejecting_it.update(error.backends)
        if statement.flaw and not statement.is_template:
            rejecting_it.update(backends_for(statement, script.path, project))
        for backend in rejecting_it:
            found.setdefault(backend, place)
    return found
