"""DAL903 unused-suppression."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dal_audit.assemble.project import Project
from dal_audit.catalogue.rulebook import did_you_mean, nearest_rule, rules
from dal_audit.facts import FileFacts, Place
from dal_audit.fix.suppressions import renamed, without
from dal_audit.judge.breach import Breach, EntryUse, SuppressionUse, WaiverUse
from dal_audit.judge.check import check

PREFIXED_SHOWN: Final = 3
"""Rules that are told where a comment names a prefix."""


@check("DAL903")
def unused_suppression(
    use: SuppressionUse | WaiverUse | EntryUse | Project, file: FileFacts | None, project: Project
) -> Iterator[Breach]:
    """Flag a suppression, a waiver or a baseline entry that hides nothing, or cannot hide anything.

    So does an entry of the configuration that leaves files out and matches none. A rule that does
    not run in this audit is not judged: whether it would have found something is not known.
    """
    if isinstance(use, SuppressionUse):
        if file is not None:
            yield from _comment(use, file)
    elif isinstance(use, WaiverUse):
        if use.idle:
            place = project.place_of(("waivers", use.index, "id"))
            yield Breach(place, f"the waiver `{use.waiver.id}` lifts no finding")
    elif isinstance(use, EntryUse):
        yield _entry(use)
    else:
        yield from _unmatched(use)


def _unmatched(project: Project) -> Iterator[Breach]:
    """Yield the entries of the configuration that match no file, and would hide the next one."""
    policy = project.policy
    entries: list[tuple[str, str | int, str]] = [
        ("per-file-ignores", glob, glob) for glob, _ in policy.per_file_ignores
    ]
    entries += [
        ("exclude", index, glob)
        for index, glob in enumerate(policy.exclude)
        if not _may_be_ignored(glob, project)
    ]
    for key, where, glob in entries:
        if not project.matches_file(glob, anchored=False):
            place = project.place_of((key, where))
            yield Breach(place, f"`{glob}` of `{key}` matches no file", label="matches no file")


def _may_be_ignored(glob: str, project: Project) -> bool:
    """Return whether a glob may match what git ignores, and so does not list.

    It does where what it begins with is there; of one that begins with a wildcard nothing is known.
    """
    plain = glob.partition("*")[0].partition("?")[0].partition("[")[0].rstrip("/")
    return not plain or (project.policy.root / plain).exists()


def _entry(use: EntryUse) -> Breach:
    """Return what is wrong with an entry of the baseline."""
    of = f"the baseline's entry for `{use.rule_id}` in `{use.path}`"
    cure = "Run `dal-audit baseline`, which takes out what is gone"
    if use.found:
        return Breach(
            use.place, f"{of} counts {use.count} findings, and {use.found} are left", remedy=cure
        )
    return Breach(use.place, f"{of} matches no finding", remedy=cure)


def _meant(name: str) -> str:
    """Return what a name of no rule may have been meant for."""
    begun = [rule.id for rule in rules() if rule.id.startswith(name)] if name else []
    if not begun:
        return did_you_mean(name)
    shown = ", ".join(begun[:PREFIXED_SHOWN]) + (", ..." if len(begun) > PREFIXED_SHOWN else "")
    return f"; a comment names whole rules, such as {shown}"


def _comment(use: SuppressionUse, file: FileFacts) -> Iterator[Breach]:
    """Yield what is wrong with a comment that suppresses."""
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
            hint = _meant(rule.name)
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
