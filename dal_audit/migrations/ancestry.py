"""What is wrong with a set that is ordered by a graph: each migration says what comes before it.

Several ends, a migration that is named and not there, two of one id, and a circle.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final

from dal_audit.migrations.model import Migration, MigrationSet
from dal_audit.migrations.series import Fault

_JOIN: Final[Mapping[str, str]] = {
    "alembic": "Join the two with `alembic merge heads`.",
    "django": "Join the two with `manage.py makemigrations --merge`.",
}
"""How ends are joined, of the tools that refuse to go on where there are several: yoyo does not."""

_SHOWN: Final = 3

_CONTRIB: Final = frozenset(
    {"admin", "auth", "contenttypes", "flatpages", "redirects", "sessions", "sites"}
)
"""Apps of Django's own: what a project's app of the same name depends on may be theirs."""


def faults_of_graph(found: MigrationSet, elsewhere: Collection[str] = ()) -> Iterator[Fault]:
    """Yield the faults of a set's graph; `elsewhere` are the ids of the other sets of the tool."""
    first: dict[str, Migration] = {}
    for one in found.migrations:
        if one.id in first:
            reason = f"has the id of `{first[one.id].title}`: `{one.id}`"
            yield Fault(
                one.path, reason, "Give one of the two an id of its own.", one, first[one.id]
            )
        else:
            first[one.id] = one
    replaced = {name: one.id for one in first.values() for name in one.replaces}
    known = {*first, *replaced, *elsewhere}
    app = found.root.split("/")[-2:-1]
    if found.tool != "django" or not _CONTRIB.intersection(app):
        for one in first.values():
            lost = [name for name in one.parents if name not in known]
            if lost:
                reason = f"comes after `{lost[0]}`, which is not there"
                yield Fault(
                    one.path, reason, "Bring back what is lost, or name what is there.", one
                )
    graph = _Graph(first, replaced)
    circle = graph.circle()
    if circle:
        one = circle[0]
        named = ", ".join(f"`{other.title}`" for other in circle[1 : _SHOWN + 1])
        rest = f" and {len(circle) - 1 - _SHOWN} more" if len(circle) - 1 > _SHOWN else ""
        reason = f"waits in a circle with {named}{rest}" if named else "comes after itself"
        cure = "Let one of them come after what stood before the circle."
        yield Fault(one.path, reason, cure, one, circle[1] if len(circle) > 1 else None)
    if found.tool in _JOIN:
        for end, other in graph.surplus_ends():
            reason = f"ends the series beside `{other.title}`: no migration joins the two"
            yield Fault(end.path, reason, _JOIN[found.tool], end, other)


class _Graph:
    """The migrations by their ids, without those that a squashed one stands for."""

    def __init__(self, first: Mapping[str, Migration], replaced: Mapping[str, str]) -> None:
        self.nodes = {name: one for name, one in first.items() if name not in replaced}
        self.parents = {
            name: {
                stand
                for parent in one.parents
                if (stand := _standing(parent, replaced)) in self.nodes
                and (stand != name or parent == name)
            }
            for name, one in self.nodes.items()
        }
        self.children: dict[str, set[str]] = {name: set() for name in self.nodes}
        for name, parents in self.parents.items():
            for parent in parents:
                self.children[parent].add(name)

    def circle(self) -> list[Migration]:
        """Return the migrations that wait for each other, in the set's order."""
        left = _peeled(self.parents, self.children)
        left = _peeled(self.children, self.parents, left)
        return [one for name, one in self.nodes.items() if name in left]

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
    before: Mapping[str, set[str]],
    after: Mapping[str, set[str]],
    among: Collection[str] | None = None,
) -> set[str]:
    """Return what is left when all is taken away, time and again, that has nothing before it."""
    left = set(before if among is None else among)
    counts = {name: len(before[name] & left) for name in left}
    free: Sequence[str] = [name for name, count in counts.items() if not count]
    while free:
        following: list[str] = []
        for name in free:
            left.discard(name)
            for other in after[name]:
                if other in counts:
                    counts[other] -= 1
                    if not counts[other] and other in left:
                        following.append(other)
        free = following
    return left
