"""The most that reduction in the network can gain, over baselines that have names.

A ratio of bounds: what a baseline takes at best over what switches take at best. A measured
baseline that stays below its bound can be beaten by more.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from busbar.fabrics.model import Fabric
from busbar.theory.bound import bound
from busbar.theory.cluster.gain import baselines
from busbar.theory.cluster.layout import lay_out
from busbar.theory.cluster.shape import shape_for
from busbar.theory.expected import byte_shares, reducing_us_by_algorithm
from busbar.theory.operations import OPERATIONS
from busbar.theory.partitions import host_cuts
from busbar.theory.reduction import bytes_per_us

RING_AT_BOUND = "ring at its bound"
HOSTS_AT_BOUND = "hosts at their bound"


@dataclass(frozen=True)
class Most:
    """The most that can be gained over one baseline; below 1 it can only be lost."""

    baseline: str
    baseline_us: float
    gain: float


def most(
    fabric: Fabric, op: str, size_bytes: int, placement: Sequence[str], root: int = 0
) -> list[Most]:
    """Over any algorithm of the hosts at its bound, then over each that is modelled.

    The first is named a ring's where a ring reaches it, as with equal links. An algorithm counts
    with its bytes through the slowest link, or what its busiest rank reduces if that takes longer,
    and no message costs, with one rank per host; below a spine only the ring, which passes each
    uplink once; on a cluster the ring of all ranks and the hierarchical all_reduce
    (`theory.cluster.gain`). Empty where either side has no bound. `placement` and `root` as for
    `bound`; raises UsageError as that does.
    """
    hosts = bound(fabric, op, size_bytes, placement, root=root)
    network = bound(fabric, op, size_bytes, placement, root=root, in_network=True)
    if hosts is None or network is None:
        return []
    times = _algorithms_us(fabric, op, size_bytes, placement, root)
    ring_reaches = math.isclose(times.get("ring", 0.0), hosts.time_us, rel_tol=1e-9)
    name = RING_AT_BOUND if ring_reaches else HOSTS_AT_BOUND
    if ring_reaches or fabric.cluster is None:
        times.pop("ring", None)
    return [
        Most(baseline, time_us, time_us / network.time_us)
        for baseline, time_us in {name: hosts.time_us, **times}.items()
    ]


def _algorithms_us(
    fabric: Fabric, op: str, size_bytes: int, placement: Sequence[str], root: int
) -> dict[str, float]:
    """The least each modelled algorithm takes: a burst passes at once, as for the bound."""
    if fabric.cluster is not None:
        where = shape_for(OPERATIONS[op], placement, root)
        assert where is not None  # or it had no bound
        layout = lay_out(fabric.cluster, where.shape, where.root)
        return {
            name: us * size_bytes
            for name, us in baselines(layout, op, bytes_per_us(fabric)).items()
        }
    hosts = frozenset(placement)
    if len(hosts) < len(placement):
        return {}
    uplinks = [cut for cut in fabric.cuts() if cut.level == "leaf" and cut.hosts & hosts]
    links = host_cuts(fabric.cuts(), hosts) + (uplinks if len(uplinks) > 1 else [])
    slowest = min((p for cut in links for p in (cut.egress, cut.ingress)), key=lambda p: p.rate_bps)
    reducing_us = reducing_us_by_algorithm(fabric, op, size_bytes, len(placement))
    return {
        name: max(
            slowest.least_us(share * size_bytes / fabric.efficiency()), reducing_us.get(name, 0.0)
        )
        for name, share in byte_shares(op, len(placement)).items()
        if len(uplinks) < 2 or name == "ring"
    }
