"""URLs of throw-away databases all over a project, which are one matter and not hundreds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Final

from msgspec import Struct

from dal_audit.assemble.memo import FactsInput, file_query, query
from dal_audit.assemble.project import AUDITED, POLICY, URLS, Project
from dal_audit.catalogue.rulebook import find_rule
from dal_audit.facts import ConnectionUrl, Place, Suppression
from dal_audit.policy import Policy, compile_globs, per_file_ignored

SETTINGS_NAMES: Final = frozenset({"settings", "config", "configuration", "conf"})
"""Modules and packages that are there to say where the database is."""

_RULE: Final = "DAL109"
_SUPPRESSIONS: Final = FactsInput("suppressions", Suppression)


class ThrowawayUrls(Struct, frozen=True):
    """The places of the URLs that are told of together: the first of them, and all others."""

    first: Place | None
    others: frozenset[Place]


def may_hold_urls(path: str, project: Project) -> bool:
    """Return whether a file is there to say where the database is."""
    is_settings = not SETTINGS_NAMES.isdisjoint(PurePosixPath(path).with_suffix("").parts)
    return is_settings or project.in_storage(path)


@file_query(of=(URLS, _SUPPRESSIONS))
def _not_accepted(
    path: str, facts: Sequence[ConnectionUrl | Suppression], _project: Project
) -> tuple[Place, ...]:
    """Return the URLs of throw-away databases in a file that no comment accepts."""
    accepted = [fact for fact in facts if isinstance(fact, Suppression) and _accepts(fact)]
    return tuple(
        Place(path, fact.span)
        for fact in facts
        if isinstance(fact, ConnectionUrl) and fact.is_throwaway
        if not any(_covers(suppression, fact) for suppression in accepted)
    )


def _accepts(suppression: Suppression) -> bool:
    rules = (find_rule(rule.name) for rule in suppression.rules)
    return not suppression.flaw and any(rule is not None and rule.id == _RULE for rule in rules)


def _covers(suppression: Suppression, url: ConnectionUrl) -> bool:
    line, statement = suppression.line, url.statement
    return line is None or statement.line <= line <= statement.end_line


@query(depends_on=(POLICY, AUDITED, Project.zones, _not_accepted))
def throwaway_urls(project: Project) -> ThrowawayUrls:
    """Return the URLs that are told of together, in the order of the files.

    What is accepted where it stands, by its path or by a comment, is told of by itself: who accepts
    one accepts no others.
    """
    ignored = per_file_ignored(project.policy)
    waived = compile_globs(_waived(project.policy), anchored=True)
    places = [
        place
        for path, own in sorted(_not_accepted(project).items())
        if not (ignored(path, _RULE) or waived(path) or may_hold_urls(path, project))
        for place in own
    ]
    return ThrowawayUrls(places[0] if places else None, frozenset(places[1:]))


def _waived(policy: Policy) -> tuple[str, ...]:
    """Return the paths in which a waiver lifts the rule, be it in force or not."""
    return tuple(
        path for waiver in policy.waivers if _RULE.startswith(waiver.rules) for path in waiver.paths
    )
