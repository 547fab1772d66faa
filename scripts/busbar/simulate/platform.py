"""The platform of a fabric file, whatever its kind."""

from __future__ import annotations

from busbar.errors import UsageError
from busbar.fabrics.model import Fabric
from busbar.simulate.cluster import cluster_platform
from busbar.simulate.description import Platform, Reduction
from busbar.simulate.network import network_platform


def platform_of(
    fabric: Fabric,
    nodes: int | None,
    ranks_per_node: int | None,
    trees: int,
    background: float = 0.0,
) -> Platform:
    """The first `nodes` nodes of a fabric, all by default, with `trees` aggregators at each switch.

    Of every network link other traffic takes the share `background`, and yields to none. By default
    a network's hosts have one rank, a cluster's nodes one for each GPU. Raises
    UsageError for a fabric that cannot be simulated, and for what does not fit it.
    """
    if fabric.kind == "shared_memory":
        raise UsageError(f"fabric '{fabric.name}' is shared memory: there is no link to simulate.")
    if fabric.latency is None:
        raise UsageError(
            f"fabric '{fabric.name}' has no table [latency] with message_us, which a simulation "
            "needs: without it short messages take no time."
        )
    message_us = fabric.latency.message_us.value
    reduction = _reduction(fabric)
    if fabric.cluster is not None:
        count = fabric.cluster.node.count if nodes is None else nodes
        ranks = ranks_per_node or fabric.cluster.node.gpus
        return cluster_platform(
            fabric.cluster, count, ranks, message_us, trees, background, reduction
        )
    count = len(fabric.host_names()) if nodes is None else nodes
    ranks = ranks_per_node or 1
    return network_platform(fabric, count, ranks, message_us, trees, background, reduction)


def _reduction(fabric: Fabric) -> Reduction:
    """One aggregator stands for the switches of all rails at its place."""
    hosts, switch = fabric.reduction, fabric.in_network
    together = 1 if fabric.cluster is None else fabric.cluster.trees()
    return Reduction(
        None if hosts is None else hosts.gbs.value * 1e9,
        None if switch is None or switch.rate is None else switch.rate.value / 8 * together,
    )
