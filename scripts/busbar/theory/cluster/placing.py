"""The bound of a group of which nobody knows on which groups of nodes it lies.

Hosts have no names in a cluster's file, so a record does not tell which of them share an NVLink
domain, or a group of a tier. A time is then impossible only where no placement allows it, and its
bound is the least over all placements.

It is found for each level by itself, others beyond the node left out, and the largest counts: what
holds of every placement for one level, holds of the placement that there was. The n nodes lie in m
parts of the level, and the least is with parts of nearly equal size for some m, or with as many
full ones as there can be. The first keeps the smallest part large, which has least to send its
bytes over; the second keeps what is outside the largest part small. Operations of two ranks may
always stay inside a part, and the part of a root that all send to may always be a full one.

A tier whose uplinks carry all that its nodes can send never binds before they do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from busbar.fabrics.cluster import Cluster
from busbar.theory.cluster.bounds import Slope
from busbar.theory.cluster.layout import Layout, Spread, lay_out
from busbar.theory.cluster.shape import Shape, refuse_misfit

_BETWEEN_ENDS = ("ping_pong", "bidirectional")
_OF_ONE_ROOT = ("gather", "scatter", "one_way")

SlopeOf = Callable[[Layout, str], Slope | None]
"""The bound of an operation in one placement."""


def least_slope(
    cluster: Cluster, shape: Shape, root: int, op: str, slope_of: SlopeOf, times: int = 1
) -> Slope | None:
    """The bound that holds wherever the nodes lie, of as many groups on them as `times` says.

    None where no byte has to cross a cut. Raises UsageError if the cluster has no room for them.
    """
    refuse_misfit(cluster, shape)
    levels = list(_levels_of_nodes(cluster))
    if not levels:
        return slope_of(lay_out(cluster, shape, root, times=times), op)
    if op == "all_to_allv":
        return _of_shares(
            least_slope(cluster, shape, root, "all_to_all", slope_of, times), shape.ranks
        )
    if op in _BETWEEN_ENDS and shape.nodes() > 1:
        # The first node may be a neighbour of the last as well as of the second.
        op, root = "one_way", shape.ranks_per_node - 1
    elif op in _OF_ONE_ROOT:
        root %= shape.ranks_per_node  # on the first node, whose part is full where any is
    each = [
        _least(
            slope_of(lay_out(cluster, shape, root, spread, times), op)
            for spread in _spreads(level, shape)
        )
        for level in levels
    ]
    return max((s for s in each if s is not None), key=lambda s: s.us_per_byte, default=None)


def _of_shares(even: Slope | None, ranks: int) -> Slope | None:
    """Of all_to_allv: half a chunk less than the p(n-p) of all_to_all at most, and that not for
    p = 1 (`theory.operations`)."""
    if even is None or ranks < 4:
        return even
    return replace(even, us_per_byte=even.us_per_byte * (1 - 0.5 / (2 * (ranks - 2))))


def _levels_of_nodes(cluster: Cluster) -> Iterator[tuple[int, int]]:
    """Nodes of a part, and parts, of each level on which it matters where nodes lie.

    Beyond NVLink domains of several nodes the domains alone: of a group of them nothing is known.
    """
    count, in_domain = cluster.node.count, cluster.domain_gpus() // cluster.node.gpus
    if in_domain > 1:
        yield in_domain, count // in_domain
        return
    for tier in cluster.tiers:
        if tier.nodes < count and tier.oversubscription.value > 1:
            yield tier.nodes, -(-count // tier.nodes)


def _spreads(level: tuple[int, int], shape: Shape) -> Iterator[Spread]:
    """Ways to spread the nodes over the parts of a level, the least bound's among them."""
    (capacity, parts), nodes = level, shape.nodes()
    full, rest = divmod(nodes, capacity)
    yield Spread(capacity, ((capacity, full), (rest, 1)))
    for many in range(-(-nodes // capacity), min(parts, nodes) + 1):
        least, larger = divmod(nodes, many)
        # The last node may have fewer ranks: it is in a larger part.
        yield Spread(capacity, ((least, many - larger), (least + 1, larger)))


def _least(slopes: Iterator[Slope | None]) -> Slope | None:
    """Of placements; None where one needs no cut at all."""
    found = list(slopes)
    known = [slope for slope in found if slope is not None]
    return min(known, key=lambda s: s.us_per_byte) if len(known) == len(found) else None
