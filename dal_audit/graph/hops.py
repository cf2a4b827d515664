"""A graph as its nodes and hops: what a drawing is made of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import Literal, TypeAlias

from msgspec import Struct

from dal_audit.graph.survey import Graph
from dal_audit.report.reach import Reach, Standing

Sort: TypeAlias = Literal["package", "driver"]


class Node(Struct, frozen=True, order=True):
    """A package or a driver; one may be called like the other."""

    sort: Sort
    name: str


class Hop(Struct, frozen=True, order=True):
    """A step from one node to the next, with how many findings or imports take it."""

    source: Node
    target: Node
    standing: Standing
    count: int


def hops_of(graph: Graph) -> list[Hop]:
    """Return all steps of all ways, each once for each standing."""
    counts: Counter[tuple[Node, Node, Standing]] = Counter()
    for reach in graph.reaches:
        for source, target in _steps(reach):
            counts[source, target, reach.standing] += reach.count
    return sorted(Hop(*step, count) for step, count in counts.items())


def nodes_of(hops: list[Hop]) -> list[Node]:
    """Return the nodes of some hops, packages first."""
    found = {node for hop in hops for node in (hop.source, hop.target)}
    return sorted(found, key=lambda node: (node.sort == "driver", node.name))


def _steps(reach: Reach) -> Iterator[tuple[Node, Node]]:
    packages = (Node("package", name) for name in (reach.package, *reach.through))
    return pairwise([*packages, Node("driver", reach.driver)])
