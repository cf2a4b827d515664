"""DAL301 placeholder-style."""

from __future__ import annotations

from collections.abc import Iterator

from dal_audit.assemble.project import Project
from dal_audit.facts import FileFacts, Place
from dal_audit.facts.sql import PlaceholderForm, SqlPlaceholder, SqlStatement
from dal_audit.fix.placeholders import in_style
from dal_audit.fix.sql import PROVEN
from dal_audit.judge.breach import Breach, Related
from dal_audit.judge.check import check

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
    """Flag parameters that are written in another style than the project's, once a style."""
    style = project.policy.placeholder_style or "dollar"
    shape = SHAPES.get(style, "")
    if style == "any":
        return
    by_form: dict[PlaceholderForm, list[SqlPlaceholder]] = {}
    for placeholder in fact.placeholders:
        if STYLES[placeholder.form] != style:
            by_form.setdefault(placeholder.form, []).append(placeholder)
    backends = project.sql_files.backends_of(file.path)
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
            fix=in_style(fact.placeholders, style) if PROVEN.issuperset(backends) else None,
        )
