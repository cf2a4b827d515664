"""Which packages reach which drivers, and by which way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Literal, TypeAlias

from msgspec import Struct

from dal_audit.facts import Place
from dal_audit.judge.breach import Finding

Standing: TypeAlias = Literal["open", "accepted", "storage"]
"""Whether a reach is a finding that counts, one that was accepted, or storage's own business."""


class Reach(Struct, frozen=True, order=True):
    """One way by which a package reaches a driver.

    `package` is a folder, POSIX and relative to the repository's root; `through` are the packages
    that hand the driver on, from the nearest to the one that imports it, none where the package
    does so itself. `count` says how many findings, or imports of storage, there are of it, and
    `place` is the first of them.
    """

    driver: str
    package: str
    through: tuple[str, ...]
    standing: Standing
    count: int
    place: Place


def package_of(path: str) -> str:
    """Return the folder of a file."""
    return path.rpartition("/")[0] or "."


def reaches_of(findings: Iterable[Finding]) -> list[Reach]:
    """Return the ways on which findings reach drivers, sorted by driver, package and way."""
    return counted(
        Reach(
            finding.breach.driver,
            package_of(finding.place.path),
            _through(finding),
            "open" if finding.standing == "open" else "accepted",
            1,
            finding.place,
        )
        for finding in findings
        if finding.breach.driver
    )


def counted(reaches: Iterable[Reach]) -> list[Reach]:
    """Return ways that are alike as one, with how many there are."""
    found = []
    for _, alike in groupby(sorted(reaches), key=_way):
        first, *others = alike
        total = first.count + sum(other.count for other in others)
        found.append(
            Reach(first.driver, first.package, first.through, first.standing, total, first.place)
        )
    return found


def _way(reach: Reach) -> tuple[object, ...]:
    return reach.driver, reach.package, reach.through, reach.standing


def _through(finding: Finding) -> tuple[str, ...]:
    """Return the packages on the way from a finding to its driver."""
    breach = finding.breach
    handing_on = reversed(breach.related[: breach.flow_length])
    return tuple(_others((package_of(step.place.path) for step in handing_on), finding))


def _others(packages: Iterable[str], finding: Finding) -> Iterator[str]:
    """Yield packages without repetitions; the finding's own at the beginning is no way."""
    before = package_of(finding.place.path)
    for package in packages:
        if package != before:
            yield package
        before = package
