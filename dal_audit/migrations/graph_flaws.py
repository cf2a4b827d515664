"""What is wrong with a set that is ordered by a graph: each migration says what comes before it.

Several ends, a migration that is named and not there, two of one id, and a circle.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final

from dal_audit.migrations.model import Migration, MigrationSet
from dal_audit.migrations.numbering_flaws import Fault
from dal_audit.migrations.tools import TOOLS

_OWN_ID: Final = "Give one of the two an id of its own."
_BRING_BACK: Final = "Bring back what is lost, or name what is there."
_BREAK: Final = "Let one of them come after what stood before the circle."

_SHOWN: Final = 3


def faults_of_graph(found: MigrationSet, elsewhere: Collection[str] = ()) -> Iterator[Fault]:
    """Yield the faults of a set's graph; `elsewhere` are the ids of the other sets of the tool."""
    tool = TOOLS[found.tool]
    first: dict[str, Migration] = {}
    for migration in found.migrations:
        other = first.setdefault(migration.id, migration)
        if other is not migration:
            reason = f"has the id of `{other.title}`: `{migration.id}`"
            yield Fault(migration.path, reason, _OWN_ID, migration, other)
    replaced = {name: migration.id for migration in first.values() for name in migration.replaces}
    if not tool.own_apps.intersection(found.root.split("/")[-2:-1]):
        yield from _lost_parents(first.values(), {*first, *replaced, *elsewhere})
    graph = _Graph(first, replaced)
    circle = graph.circle()
    if circle:
        yield _fault_of_circle(*circle)
    for end, other in graph.surplus_ends() if tool.join_ends else ():
        reason = f"ends the series beside `{other.title}`: no migration joins the two"
        yield Fault(end.path, reason, tool.join_ends, end, other)


def _lost_parents(migrations: Iterable[Migration], known: Collection[str]) -> Iterator[Fault]:
    """Yield each migration that names one which is not there."""
    for migration in migrations:
        lost = next((name for name in migration.parents if name not in known), None)
        if lost is not None:
            reason = f"comes after `{lost}`, which is not there"
            yield Fault(migration.path, reason, _BRING_BACK, migration)


def _fault_of_circle(migration: Migration, *others: Migration) -> Fault:
    """Return the fault of migrations that wait for each other, or of one that does for itself."""
    reason = "comes after itself"
    if others:
        named = ", ".join(f"`{other.title}`" for other in others[:_SHOWN])
        more = len(others) - _SHOWN
        reason = f"waits in a circle with {named}{f' and {more} more' if more > 0 else ''}"
    return Fault(migration.path, reason, _BREAK, migration, others[0] if others else None)


class _Graph:
    """The migrations by their ids, without those that a squashed one stands for."""

    def __init__(self, first: Mapping[str, Migration], replaced: Mapping[str, str]) -> None:
        self.nodes = {name: migration for name, migration in first.items() if name not in replaced}
        self.parents = {name: set(self._parents(name, replaced)) for name in self.nodes}
        self.children: dict[str, set[str]] = {name: set() for name in self.nodes}
        for name, parents in self.parents.items():
            for parent in parents:
                self.children[parent].add(name)

    def _parents(self, name: str, replaced: Mapping[str, str]) -> Iterator[str]:
        """Yield what a migration names, or what stands for that."""
        for parent in self.nodes[name].parents:
            stand = _standing(parent, replaced)
            if stand in self.nodes and (stand != name or parent == name):
                yield stand

    def circle(self) -> list[Migration]:
        """Return the migrations that wait for each other, in the set's order."""
        left = _peeled(self.parents, self.children, set(self.nodes))
        left = _peeled(self.children, self.parents, left)
        return [migration for name, migration in self.nodes.items() if name in left]

    def surplus_ends(self) -> Iterator[tuple[Migration, Migration]]:
        """Yield each end but the first of those that nothing tells apart, with that first one.

        Branches that have labels of their own are meant to end apart, and so are histories that
        have no migration in common and lie in different folders.
        """
        ends = [name for name, children in self.children.items() if not children]
        if len(ends) < 2:  # noqa: PLR2004  # one end is what there should be
            return
        kinds: dict[object, Migration] = {}
        for name in ends:
            kind = self._kind(name)
            other = kinds.setdefault(kind, self.nodes[name])
            if other is not self.nodes[name]:
                yield self.nodes[name], other

    def _kind(self, end: str) -> object:
        """Return what tells an end from others: the labels on its way, its folder, its roots."""
        seen = {end}
        left = [end]
        while left:
            for parent in self.parents[left.pop()] - seen:
                seen.add(parent)
                left.append(parent)
        labels = frozenset(label for name in seen for label in self.nodes[name].labels)
        roots = sorted(name for name in seen if not self.parents[name])
        return labels, self.nodes[roots[0]].path.rpartition("/")[0] if roots else ""


def _standing(name: str, replaced: Mapping[str, str]) -> str:
    """Return the id of the migration that stands for another, however often it was squashed."""
    seen = {name}
    while name in replaced and replaced[name] not in seen:
        name = replaced[name]
        seen.add(name)
    return name


def _peeled(
    before: Mapping[str, set[str]], after: Mapping[str, set[str]], among: Collection[str]
) -> set[str]:
    """Return what is left when all is taken away, time and again, that has nothing before it."""
    left = set(among)
    counts = {name: len(before[name] & left) for name in left}
    free = {name for name in left if not counts[name]}
    while free:
        left -= free
        followers = [other for name in free for other in after[name] & left]
        for other in followers:
            counts[other] -= 1
        free = {other for other in followers if not counts[other]}
    return left
