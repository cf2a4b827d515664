"""What of a project's code speaks to an engine of today: drivers, parts of toolkits, URLs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet

from dal_audit.assemble.project import Project
from dal_audit.catalogue.backend_names import backends_named
from dal_audit.catalogue.engine_names import Engine
from dal_audit.catalogue.rulebook import Rule, rules
from dal_audit.facts import START, ConnectionUrl, FileFacts, Place, Span
from dal_audit.judge.breach import Breach
from dal_audit.judge.run import judge
from dal_audit.port.engines import engine_spoken, foreign_parts, imported, named_part, spelled
from dal_audit.port.model import Hold, title_of


def driver_holds(project: Project, target: Engine, apart: AbstractSet[str]) -> Iterator[Hold]:
    """Yield what storage, the code around it and its settings owe to other engines than a target.

    A driver of the target itself, and a toolkit that speaks to both, hold nothing. Modules of
    storage that stand `apart` from those of the target are left out.
    """
    for file in project.files:
        is_apart = file.path in apart
        if project.in_storage(file.path) and not is_apart:
            yield from _imports(file, project, target)
        if not is_apart:
            yield from _toolkit_parts(file, project, target)
        yield from _urls(file, target)
    yield from _leaks(project, target)


def _imports(file: FileFacts, project: Project, target: Engine) -> Iterator[Hold]:
    told: set[str] = set()
    for name, span in imported(file):
        driver = project.driver_of(name, file.path)
        engine = engine_spoken(driver)
        if driver is None or engine in {"", target} or driver.name in told:
            continue
        told.add(driver.name)
        yield Hold(
            "drivers",
            Place(file.path, span),
            f"`{driver.name}` speaks to {title_of(engine)} alone",
            f"Write what this module does once more for {title_of(target)}, behind the same "
            "interface, or have a toolkit speak to both.",
        )


def _toolkit_parts(file: FileFacts, project: Project, target: Engine) -> Iterator[Hold]:
    for name, span in imported(file):
        driver = project.driver_of(name, file.path)
        if driver is not None and not engine_spoken(driver):
            yield from _part(spelled(name), named_part(name)[0], Place(file.path, span), target)
    # Of what is in no catalogue, the statements are known, and not where they stand.
    for name, engine in sorted(foreign_parts(file, project).items()):
        yield from _part(name, engine, Place(file.path, START), target)


def _part(name: str, engine: str, place: Place, target: Engine) -> Iterator[Hold]:
    if engine in {"", target}:
        return
    yield Hold(
        "toolkits",
        place,
        f"`{name}` is for {title_of(engine)} alone",
        f"Use the toolkit's own type or form, with a variant for {title_of(engine)} where it "
        "matters.",
    )


def _urls(file: FileFacts, target: Engine) -> Iterator[Hold]:
    for fact in file.facts:
        if not isinstance(fact, ConnectionUrl):
            continue
        named = backends_named(fact.scheme)
        if named and target not in named:
            yield Hold(
                "urls",
                Place(file.path, fact.span),
                f"the URL leads to {fact.store}",
                "Read the URL from the settings, and choose the engine by it.",
            )


def leak_rules() -> list[Rule]:
    """Return the rules that find a driver or SQL outside storage."""
    return [rule for rule in rules() if "CX-DBP-010" in rule.clauses or rule.id == "DAL106"]


def leaks(project: Project) -> Iterable[tuple[Rule, Breach]]:
    """Return what storage does not keep to itself, whatever was accepted."""
    return judge(project, leak_rules())


def _leaks(project: Project, target: Engine) -> Iterator[Hold]:
    by_name = {driver.name: driver for driver in project.catalogue.drivers}
    told: set[tuple[str, Span]] = set()
    for rule, breach in leaks(project):
        engine = engine_spoken(by_name.get(breach.driver))
        key = (breach.place.path, breach.place.span)
        if engine in {"", target} or key in told:
            continue
        told.add(key)
        yield Hold(
            "leaks",
            breach.place,
            breach.message,
            f"Take it behind the storage API first. {breach.remedy or rule.remedy}",
            rule.id,
        )
