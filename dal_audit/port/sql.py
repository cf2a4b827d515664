"""What of a project's SQL the target does not take, or takes otherwise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Final

from dal_audit.assemble.engine_modules import backends_for
from dal_audit.assemble.project import Project
from dal_audit.catalogue.engine_names import Engine
from dal_audit.catalogue.placeholder_forms import FORMS_BY_DRIVER
from dal_audit.catalogue.rulebook import Rule, rules
from dal_audit.facts import FileFacts, Place
from dal_audit.facts.sql import SqlPlaceholder, SqlStatement
from dal_audit.judge.breach import Breach
from dal_audit.judge.run import judge
from dal_audit.port.engines import engine_spoken
from dal_audit.port.model import Hold, Kind, Remark, title_of

_KINDS: Final[Mapping[str, Kind]] = {
    "DAL301": "placeholders",
    "DAL302": "functions",
    "DAL303": "triggers",
    "DAL304": "types",
    "DAL305": "ddl",
    "DAL306": "dml",
    "DAL307": "administration",
    "DAL308": "quoting",
    "DAL309": "divergence",
}
_UNPARSED: Final = "DAL311"
_STYLE: Final = "DAL301"
_IN_USE: Final = "fails on "
"""How the label begins of what an engine takes where it stands, and fails at when it is used."""


def sql_rules() -> list[Rule]:
    """Return the rules that judge SQL by what engines take."""
    return [rule for rule in rules() if rule.id in _KINDS or rule.id == _UNPARSED]


def judged_sql(
    project: Project, target: Engine, today: Sequence[str]
) -> tuple[list[Hold], list[Remark]]:
    """Return what of a projected project holds it, and which statements nobody understood.

    What means one thing on the target and another on the other engine is in the way only of a
    project that may have run on that one: on another one `today`, or on who knows which.
    """
    is_here = today == (target,)
    holds: list[Hold] = []
    gaps: list[Remark] = []
    for rule, breach in judge(project, sql_rules()):
        if not _is_about(rule, breach, target) or (is_here and _diverges(rule, breach)):
            continue
        if rule.id == _UNPARSED:  # Also what only a template knows: `fails_on` is empty then.
            gaps.append(Remark(breach.message, (breach.place,)))
        else:
            holds.append(_hold(rule, breach))
    return holds, gaps


def _is_about(rule: Rule, breach: Breach, target: Engine) -> bool:
    """Return whether a breach speaks of an engine: it fails there, at once or when it is used.

    What runs on all engines and differs in what it means speaks of each; a style of placeholders
    that they all read is the project's own.
    """
    if breach.fails_on:
        return target in breach.fails_on
    if breach.label.startswith(_IN_USE):
        return title_of(target) in breach.label
    return rule.id != _STYLE


def _diverges(rule: Rule, breach: Breach) -> bool:
    """Return whether all engines run it, and differ in what it means."""
    return rule.id != _UNPARSED and not breach.fails_on and not breach.label.startswith(_IN_USE)


def _hold(rule: Rule, breach: Breach) -> Hold:
    mending = breach.fix.applicability if breach.fix is not None else ""
    remedy = breach.remedy or rule.remedy
    return Hold(_KINDS[rule.id], breach.place, breach.message, remedy, rule.id, mending)


def unread_placeholders(
    project: Project, target: Engine, apart: AbstractSet[str]
) -> Iterator[Hold]:
    """Yield the placeholders in code that no driver of the target reads, once a statement and form.

    `project` is the one that runs on its engines of today. What a toolkit executes is translated by
    it, and what the engine itself reads is no driver's. Modules that stand `apart` are left out.
    """
    read = _forms_read(project, target)
    for file in (file for file in project.files if file.path not in apart):
        for fact in file.facts:
            if isinstance(fact, SqlStatement) and _is_drivers(fact, file, project, target):
                yield from _of_statement(fact, file.path, read, target)


def _forms_read(project: Project, target: Engine) -> frozenset[str]:
    """Return the forms that the known drivers of an engine read."""
    known = (driver for driver in project.catalogue.drivers if engine_spoken(driver) == target)
    return frozenset().union(*(FORMS_BY_DRIVER.get(driver.name, frozenset()) for driver in known))


def _is_drivers(statement: SqlStatement, file: FileFacts, project: Project, target: Engine) -> bool:
    """Return whether drivers of other engines execute a statement."""
    within = statement.within
    if within is None:
        return False
    drivers = [project.driver_of(name, file.path) for name in within.receivers]
    engines = {engine_spoken(driver) for driver in drivers if driver is not None}
    # Who the receiver is may not be told; then it is a driver's where the module is for an engine.
    engines = engines or set(backends_for(statement, file.path, project))
    return len(engines) == 1 and "" not in engines and target not in engines


def _of_statement(
    statement: SqlStatement, path: str, read: frozenset[str], target: Engine
) -> Iterator[Hold]:
    told: dict[str, SqlPlaceholder] = {}
    for placeholder in statement.placeholders:
        if placeholder.form not in read:
            told.setdefault(placeholder.form, placeholder)
    for first in told.values():
        yield Hold(
            "placeholders",
            Place(path, first.span),
            f"`{first.text}` is no placeholder to a driver of {title_of(target)}",
            "Have one place write placeholders for each driver, or hand statements to a toolkit "
            "that does.",
        )
