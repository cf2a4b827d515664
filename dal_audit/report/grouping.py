"""Fold findings that one cause makes many of, so that a reader meets the cause once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, TypeAlias

from dal_audit.judge.breach import Finding

FOLDED_FROM: Final = 3
"""Findings alike from which they are told as one; two are told before one has seen that."""

Key: TypeAlias = tuple[object, ...]


def folded(findings: Iterable[Finding]) -> list[list[Finding]]:
    """Return findings in groups, in the order of the first of each.

    Alike are open findings of one rule in one file that came by the same way, belong to the same
    places in other files, reach the same driver, fail on the same backends and have the same cure.
    """
    groups: dict[Key, list[Finding]] = {}
    for index, finding in enumerate(findings):
        groups.setdefault(_key(finding) or (index,), []).append(finding)
    told: list[list[Finding]] = []
    for group in groups.values():
        told += [group] if len(group) >= FOLDED_FROM else [[finding] for finding in group]
    return sorted(told, key=lambda group: _order(group[0]))


def _key(finding: Finding) -> Key | None:
    breach, path = finding.breach, finding.place.path
    if finding.standing != "open":
        return None
    way = breach.related[: breach.flow_length]
    elsewhere = tuple(
        relation for relation in breach.related[breach.flow_length :] if relation.place.path != path
    )
    shared = (breach.driver, breach.fails_on, breach.fails_later_on, finding.remedy, way, elsewhere)
    return path, finding.rule.id, finding.severity, *shared


def _order(finding: Finding) -> Key:
    place = finding.place
    return place.path, place.span, finding.rule.id, finding.breach.message
