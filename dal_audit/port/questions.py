"""What no file tells about a port, so that people have to be asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import Final

from dal_audit.assemble.project import Project
from dal_audit.catalogue.engine_names import Engine
from dal_audit.facts import START, Place
from dal_audit.facts.sql import CreateObject, CreateTable, SqlStatement
from dal_audit.port.engines import engine_spoken, imported
from dal_audit.port.model import Hold, Remark, title_of, titles_of
from dal_audit.port.projection import has_own_code, has_own_sets, modules_apart

_DATA: Final = {
    "postgresql": "SQLite keeps any value in any column: which values would PostgreSQL refuse?",
    "sqlite": "PostgreSQL's types are wider: are there values that lose digits, zones or checks?",
}
_WRITERS: Final = {
    "postgresql": "Does anything lean on one writer at a time, as SQLite has it, and need a lock?",
    "sqlite": "Do several processes write at once? SQLite lets one write, and has the others wait.",
}


def questions(
    project: Project, target: Engine, today: Sequence[str], holds: Sequence[Hold]
) -> tuple[Remark, ...]:
    """Return the questions that a port to an engine leaves open, those about places first."""
    apart = modules_apart(project, target)
    made = [
        *_extensions(project, target, apart),
        *_collations(project, target, apart),
        *_apart(project, target, apart),
        *_released(project, target, holds),
        *_toolkits(project, target),
        _data(project, target, today),
    ]
    version = ".".join(map(str, project.policy.version_of(target)))
    made.append(
        Remark(
            f"Which is the oldest version of {title_of(target)} that it will run on? "
            f"All was judged for {version} (`backend-versions`)."
        )
    )
    made.append(Remark(_WRITERS[target]))
    return tuple(made)


def _statements(project: Project, holds: Callable[[SqlStatement], bool]) -> tuple[Place, ...]:
    """Return the places of the statements of which something holds, each once."""
    found = {
        Place(file.path, fact.span)
        for file in project.files
        for fact in file.facts
        if isinstance(fact, SqlStatement) and holds(fact)
    }
    return tuple(sorted(found))


def _besides(apart: AbstractSet[str], places: Sequence[Place]) -> tuple[Place, ...]:
    """Return the places that do not stand apart, for another engine."""
    return tuple(place for place in places if place.path not in apart)


def _extensions(project: Project, target: Engine, apart: AbstractSet[str]) -> Iterator[Remark]:
    """Ask for what extensions, virtual tables and functions of the program's own bring."""
    places = _besides(apart, _statements(project, _is_extended))
    if places:
        yield Remark(
            f"What on {title_of(target)} takes the place of what is brought in here "
            "(extensions, virtual tables, functions that the program gives its connections)?",
            places,
        )


def _is_extended(statement: SqlStatement) -> bool:
    made = statement.structure
    if isinstance(made, CreateTable):
        return bool(made.module)
    is_given = statement.within is not None and statement.within.how == "create_function"
    return is_given or (isinstance(made, CreateObject) and made.what == "extension")


def _collations(project: Project, target: Engine, apart: AbstractSet[str]) -> Iterator[Remark]:
    places = _besides(apart, _statements(project, _has_collation))
    if places:
        yield Remark(
            f"In which order is text sorted and compared on {title_of(target)}? Here one is named.",
            places,
        )


def _has_collation(statement: SqlStatement) -> bool:
    made = statement.structure
    if isinstance(made, CreateObject):
        return made.what == "collation"
    columns = made.columns if isinstance(made, CreateTable) else ()
    kinds = {constraint.kind for column in columns for constraint in column.constraints}
    return "collate" in kinds or any("collat" in own.feature for own in statement.constructs)


def _apart(project: Project, target: Engine, modules: AbstractSet[str]) -> Iterator[Remark]:
    """Ask whether what is written for other engines has its like for the target."""
    of_sets = project.layout.by_path()
    folders = {of_sets[path].root for path in modules if path in of_sets}
    named = sorted({path for path in modules if path not in of_sets} | folders)
    branches = _statements(project, lambda own: _is_branch(own, target))
    others = [place for place in branches if place.path not in modules]
    if named or (others and has_own_code(project, target)):
        yield Remark(
            f"Has each of these, which are for other engines, its like for {title_of(target)}?",
            (*(Place(path or ".", START) for path in named), *others),
        )


def _is_branch(statement: SqlStatement, target: Engine) -> bool:
    within = statement.within
    engines = within.engines if within is not None else None
    return engines is not None and target not in engines and within is not None and bool(within.how)


def _released(project: Project, target: Engine, holds: Sequence[Hold]) -> Iterator[Remark]:
    """Ask what becomes of migrations that ran already, where they would have to change."""
    of_sets = project.layout.by_path()
    places = {hold.place.path for hold in holds if hold.place.path in of_sets}
    if places:
        own = f"{title_of(target)} begins with a set of its own, made of the schema of today"
        is_there = has_own_sets(project, target)
        yield Remark(
            "Did these migrations run anywhere? Then they stay as they are (DAL407), and "
            f"{'further ones mend what is wrong' if is_there else own}.",
            tuple(Place(path, START) for path in sorted(places)),
        )


def _toolkits(project: Project, target: Engine) -> Iterator[Remark]:
    """Ask for what toolkits make of models and queries: none of that SQL stands anywhere."""
    drivers = (
        project.driver_of(name, file.path) for file in project.files for name, _ in imported(file)
    )
    names = {
        driver.name
        for driver in drivers
        if driver is not None and driver.kind == "orm" and not engine_spoken(driver)
    }
    if names:
        listed = ", ".join(f"`{name}`" for name in sorted(names))
        yield Remark(
            f"Do tests run what is made of models and queries on {title_of(target)}? No text holds "
            f"that SQL, so it was not judged: {listed}."
        )


def _data(project: Project, target: Engine, today: Sequence[str]) -> Remark:
    tables = _statements(project, lambda own: isinstance(own.structure, CreateTable))
    others = [engine for engine in today if engine != target]
    said = _DATA[target] if set(others) & set(_DATA) else ""
    count = f" of {len(tables)} tables" if len(tables) > 1 else ""
    where = f" out of {titles_of(others)}" if others else ""
    return Remark(
        f"Who moves the rows{count}{where}, and how long may nobody write? {said}".rstrip()
    )
