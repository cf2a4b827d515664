"""DAL903 unused-suppression."""

from __future__ import annotations

from collections.abc import Iterator

from dal_audit.facts import FileFacts, Place
from dal_audit.fixers.suppressions import renamed, without
from dal_audit.project import Project
from dal_audit.rule import Breach, SuppressionUse, check
from dal_audit.rulebook import did_you_mean, nearest_rule


@check("DAL903")
def unused_suppression(use: SuppressionUse, file: FileFacts, _project: Project) -> Iterator[Breach]:
    """Flag a suppression that hides nothing, or cannot hide anything.

    A rule that does not run in this audit is not judged: whether it would have found something is
    not known.
    """
    suppression = use.suppression
    if suppression.flaw:
        yield Breach(
            Place(file.path, suppression.span),
            f"the suppression has no effect: {suppression.flaw}",
        )
        return
    known = dict(use.known)
    for rule in suppression.rules:
        place = Place(file.path, rule.span)
        if rule.name not in known:
            hint = did_you_mean(rule.name)
            near = nearest_rule(rule.name)
            yield Breach(
                place,
                f"the suppression has no effect: there is no rule `{rule.name}`{hint}",
                # It may be a rule of a later version: only a person can tell.
                fix=renamed(rule, near) if near else without(suppression, rule, "unsafe"),
            )
        elif known[rule.name] in use.in_force and known[rule.name] not in use.hid:
            yield Breach(
                place,
                f"the suppression of `{rule.name}` hides no finding",
                fix=without(suppression, rule),
            )
