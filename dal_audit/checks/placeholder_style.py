"""DAL301 placeholder-style."""

from __future__ import annotations

from collections.abc import Iterator

from dal_audit.assemble.engine_modules import backends_for
from dal_audit.assemble.project import Project
from dal_audit.catalogue.engine_names import ENGINE_TITLES
from dal_audit.catalogue.placeholder_forms import (
    FORMS_BY_DRIVER,
    FORMS_BY_ENGINE,
    PASSING_ON,
)
from dal_audit.facts import FileFacts, Place
from dal_audit.facts.sql import Embedding, PlaceholderForm, SqlPlaceholder, SqlStatement
from dal_audit.fix.model import Fix
from dal_audit.fix.placeholders import in_style
from dal_audit.fix.sql import PROVEN
from dal_audit.judge.breach import Breach, Related
from dal_audit.judge.check import check
from dal_audit.judge.sql_portability import extent_of

STYLES: dict[PlaceholderForm, str] = {
    "dollar": "dollar",
    "dollar-name": "",
    "question": "question",
    "numbered-question": "numbered-question",
    "colon": "colon",
    "at": "",
    "percent": "percent",
}
"""The style of the configuration that each form is of; empty where it is of none."""

SHAPES = {
    "dollar": "$1",
    "question": "?",
    "numbered-question": "?1",
    "colon": ":name",
    "percent": "%s",
}
"""What each style looks like."""

TAKEN = {
    "dollar": ("sqlite", "postgresql"),
    "dollar-name": ("sqlite",),
    "question": ("sqlite",),
    "numbered-question": ("sqlite",),
    "colon": ("sqlite",),
    "at": ("sqlite",),
}
"""The engines that read each form themselves (sqlite.org/lang_expr.html#varparam; PostgreSQL's
manual, 4.1.2 and 4.2.2); the others are read by drivers alone."""


@check("DAL301")
def placeholder_style(fact: SqlStatement, file: FileFacts, project: Project) -> Iterator[Breach]:
    """Flag parameters that are written in another style than the project's, once a style.

    In code that style is what the driver reads, unless one is configured.
    """
    if fact.within is not None and project.policy.placeholder_style is None:
        yield from _unread(fact, fact.within, file, project)
        return
    style = project.policy.placeholder_style or "dollar"
    shape = SHAPES.get(style, "")
    if style == "any":
        return
    by_form: dict[PlaceholderForm, list[SqlPlaceholder]] = {}
    for placeholder in fact.placeholders:
        if STYLES[placeholder.form] != style:
            by_form.setdefault(placeholder.form, []).append(placeholder)
    backends = backends_for(fact, file.path, project)
    for form, (first, *further) in by_form.items():
        yield Breach(
            Place(file.path, first.span),
            f"`{first.text}` is a placeholder of another style than the project's, `{shape}`",
            related=tuple(
                Related(Place(file.path, placeholder.span), f"`{placeholder.text}` is one, too")
                for placeholder in further
            ),
            fails_on=tuple(backend for backend in backends if backend not in TAKEN.get(form, ())),
            remedy=f"Write `{shape}`, or the value itself.",
            extent=extent_of(fact, first.span),
            fix=_in_style(fact, style) if PROVEN.issuperset(backends) else None,
        )


def _in_style(fact: SqlStatement, style: str) -> Fix | None:
    """Return the edits that write placeholders anew; code would have to hand other values, too."""
    return in_style(fact.placeholders, style) if fact.within is None else None


def _unread(
    fact: SqlStatement, within: Embedding, file: FileFacts, project: Project
) -> Iterator[Breach]:
    """Flag a placeholder that the driver which executes a statement does not read, once a form."""
    drivers = {project.driver_of(name, file.path) for name in within.receivers}
    names = {driver.name for driver in drivers if driver is not None}
    backends = backends_for(fact, file.path, project)
    if len(names) != 1 or within.how.endswith("exec_driver_sql") or not backends:
        return
    driver = names.pop()
    read = {backend: _read_by(driver, backend) for backend in backends}
    seen: set[PlaceholderForm] = set()
    has_dollars = any(placeholder.form == "dollar" for placeholder in fact.placeholders)
    for placeholder in fact.placeholders:
        form = placeholder.form
        if form == "question" and has_dollars:
            continue  # Beside `$1` it is an operator of PostgreSQL's JSON.
        failing = tuple(name for name, forms in read.items() if forms and form not in forms)
        if not failing or form in seen or form not in SHAPES:
            continue
        seen.add(form)
        shape = next(shape for name, shape in SHAPES.items() if name in read[failing[0]])
        reader = f"`{driver}`" if driver not in PASSING_ON else ENGINE_TITLES[failing[0]]
        yield Breach(
            Place(file.path, placeholder.span),
            f"`{placeholder.text}` is no placeholder to {reader}, which reads `{shape}`",
            extent=extent_of(fact, placeholder.span),
            fails_on=failing,
            remedy=f"Write `{shape}`, or the value itself.",
        )


def _read_by(driver: str, backend: str) -> frozenset[str]:
    """Return the forms that a driver reads, or the engine that it hands a text to as it is."""
    if driver in PASSING_ON:
        return FORMS_BY_ENGINE.get(backend, frozenset())
    return FORMS_BY_DRIVER.get(driver, frozenset())
