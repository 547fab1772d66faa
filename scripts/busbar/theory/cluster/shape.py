"""How many ranks a group has, and how many of them are on a node.

Hosts of a cluster have no names in its fabric file, so a placement tells no more than this. Where
its nodes lie is either known to be in order (`layout`), or anywhere (`placing`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from busbar.errors import UsageError
from busbar.fabrics.cluster import Cluster
from busbar.theory.operations import Operation


@dataclass(frozen=True)
class Shape:
    """Ranks that fill nodes one after another; the last node may have fewer."""

    ranks: int
    ranks_per_node: int

    def nodes(self) -> int:
        """Nodes that they are on."""
        return -(-self.ranks // self.ranks_per_node)


def shape_of(placement: Sequence[str]) -> Shape | None:
    """The shape of a placement (host of each rank, in order); None if it has none.

    It has none where hosts differ in their ranks, other than the last one with fewer, or where
    ranks of a host do not follow each other.
    """
    hosts, counts = [], []
    for host, ranks in groupby(placement):
        hosts.append(host)
        counts.append(sum(1 for _ in ranks))
    alike = len(set(hosts)) == len(hosts) and len(set(counts[:-1])) < 2
    if not counts or not alike or counts[-1] > counts[0]:
        return None
    return Shape(len(placement), counts[0])


@dataclass(frozen=True)
class Placed:
    """A shape, and where in it an operation's root is."""

    shape: Shape
    root: int


def shape_for(what: Operation, placement: Sequence[str], root: int = 0) -> Placed | None:
    """The shape in the eyes of an operation, and its root there; None where it has none.

    Which number a rank has says nothing of what must cross a cut, unless that is how the operation
    finds its partners. So ranks dealt out to hosts in turn, or a host with fewer than the others
    before the last, are renumbered: host by host, those with most ranks first.
    """
    shape = shape_of(placement)
    if shape is not None:
        return Placed(shape, root)
    if what.by_order:
        return None
    ranks_on = Counter(placement)  # in the order of each host's first rank
    place = {host: n for n, host in enumerate(ranks_on)}
    order = sorted(
        range(len(placement)),
        key=lambda rank: (-ranks_on[placement[rank]], place[placement[rank]]),
    )
    shape = shape_of([placement[rank] for rank in order])
    return None if shape is None else Placed(shape, order.index(root))


def refuse_misfit(cluster: Cluster, shape: Shape) -> None:
    """Raises UsageError if the cluster has no room for it."""
    node = cluster.node
    if not 1 <= shape.ranks_per_node <= node.gpus:
        raise UsageError(
            f"{shape.ranks_per_node} ranks per node: accepted is 1 to the {node.gpus} GPUs of one."
        )
    if not 1 <= shape.nodes() <= node.count:
        raise UsageError(f"{shape.nodes()} nodes: accepted is 1 to the {node.count} of the fabric.")
