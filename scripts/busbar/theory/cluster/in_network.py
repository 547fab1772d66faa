"""The shortest time in which switches that reduce and copy carry an operation out on a cluster.

NVLink's switches reduce inside a domain (NVLS), those of the network between domains (SHARP). A GPU
of a domain of k then moves over its port, of a size S:

* all_reduce: it takes its S/k of the sum from the switch, to which everyone gives S, and hands that
  on to everyone: S + S/k each way, (k+1)/k S;
* reduce_scatter: it gives S and takes S/k; all_gather: it gives S/k and takes S, its own part too,
  as the switch copies to all; broadcast and reduce: S.

A ring moves 2(k-1)/k S of an all_reduce: NVLS gains 2(k-1)/(k+1), 1.56 with 8 GPUs. Where GPUs
reduce among themselves before the network does (CollNet), they move that over the ports, and S over
a domain's NICs: the larger of both levels counts. What the network's switches ask of a domain or of
a group of a tier is stated in `theory.operations`, with hosts in the place of domains.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from busbar.fabrics.model import Fabric
from busbar.theory.cluster.bounds import Limit, Slope, crossings, longest, mean, together
from busbar.theory.cluster.layout import Kind, Layout, Part
from busbar.theory.cluster.rates import Rates, line_rates
from busbar.theory.operations import OPERATIONS

NETWORK_SWITCH = "reduction in the network's switch"


@dataclass(frozen=True)
class Mechanism:
    """Who reduces inside domains and who between them."""

    nvls: bool
    network: bool

    def name(self, layout: Layout) -> str:
        """For people."""
        inside = "NVLS" if self.nvls else "GPUs"
        if layout.domains() < 2:
            return inside
        return f"{inside} inside, {'switches' if self.network else 'hosts'} between"


def mechanisms(fabric: Fabric, layout: Layout) -> tuple[Mechanism, ...]:
    """Those that the fabric has and this group can use.

    Of a fabric that names no reduction at all the network's switches are supposed to reduce.
    """
    scale_up = layout.cluster.scale_up
    stated = scale_up is not None and scale_up.in_network is not None
    nvls = stated and max(layout.reaches()) > 1
    network = layout.domains() > 1 and (fabric.in_network is not None or not stated)
    pairs = [(a, b) for a in (True, False) for b in (True, False) if (a or b)]
    return tuple(Mechanism(a, b) for a, b in pairs if a <= nvls and b <= network)


def network_bound(
    fabric: Fabric, layout: Layout, op: str, *, nvlink_only: bool = False
) -> Slope | None:
    """The bound of a known operation by the best of its mechanisms.

    With `nvlink_only` the network's switches reduce nothing. None where no mechanism is left, or
    where it has nothing to do.
    """
    able = [each for each in mechanisms(fabric, layout) if not (nvlink_only and each.network)]
    slopes = [by_mechanism(fabric, layout, op, each) for each in able]
    return min((s for s in slopes if s is not None), key=lambda s: s.us_per_byte, default=None)


def by_mechanism(fabric: Fabric, layout: Layout, op: str, mechanism: Mechanism) -> Slope | None:
    """The bound by one mechanism; None where it has nothing to do."""
    what = OPERATIONS[op]
    if what.in_network is None or not what.phases:
        return None
    return mean([longest(_limits(fabric, layout, op, mechanism))])


def nvls_share(op: str, reach: int) -> float:
    """Of the size, what passes the busier direction of a port of a domain of so many GPUs."""
    return (reach + 1) / reach if op == "all_reduce" else 1.0


def among_gpus_share(op: str, reach: int) -> float:
    """The same where they reduce or copy among themselves, and hand 1/k each to the network."""
    return (2 if op == "all_reduce" else 1) * (reach - 1) / reach


def switch_limits(fabric: Fabric, layout: Layout, op: str) -> Iterator[Limit]:
    """The network's switches themselves, where their rate is known."""
    switch = fabric.in_network
    if switch is None or switch.rate is None or not OPERATIONS[op].reduces:
        return
    share = layout.times * most_children(layout) / layout.cluster.trees()
    yield Limit(NETWORK_SWITCH, share, switch.rate.value / 8e9)


def most_children(layout: Layout) -> int:
    """How many vectors the busiest switch of a tree takes in, from domains or from groups."""
    tiers = [t for t in _levels_in_use(layout) if t.kind is Kind.TIER]
    most, below = 1, layout.domain_ranks
    for tier in reversed(tiers):
        most = max(most, -(-len(tier.ranks) // below))
        below = len(tier.ranks)
    return max(most, -(-layout.ranks // below))


def _levels_in_use(layout: Layout) -> list[Part]:
    """The largest part of each level beyond the domain, from the outermost."""
    largest: dict[str, Part] = {}
    for part in layout.parts:
        known = largest.setdefault(part.level.name, part)
        if len(part.ranks) > len(known.ranks):
            largest[part.level.name] = part
    return list(largest.values())


def _limits(fabric: Fabric, layout: Layout, op: str, mechanism: Mechanism) -> Iterator[Limit]:
    rates = line_rates(layout.cluster)
    yield from _between(layout, op, mechanism.network, rates)
    if mechanism.network:
        yield from switch_limits(fabric, layout, op)
    for reach in layout.reaches():
        yield from _inside(layout, op, mechanism.nvls, reach, rates)


def _between(layout: Layout, op: str, network: bool, rates: Rates) -> Iterator[Limit]:
    """Islands, domains and groups of tiers, combined inside."""
    what = OPERATIONS[op]
    if network:
        assert what.in_network is not None  # refused before
        yield from crossings(layout, what.in_network, rates, gpus=False)
        return
    yield from together(layout, op, rates, into=Kind.DOMAIN)
    for crosses in what.phases:
        yield from crossings(layout, crosses, rates, gpus=False)


def _inside(layout: Layout, op: str, nvls: bool, reach: int, rates: Rates) -> Iterator[Limit]:
    """One GPU's port, or its slot where it has no port."""
    scale_up, several = layout.cluster.scale_up, layout.domains() > 1
    if nvls and reach > 1:
        assert scale_up is not None  # which has the switches
        name = f"{scale_up.name} port of a GPU, NVLS"
        yield Limit(name, nvls_share(op, reach), scale_up.port_gbs.value)
    elif scale_up is None:
        share = among_gpus_share(op, reach) + (1 / reach if several else 0)
        yield Limit("PCIe slot of a GPU", share, rates.slot_gbs())
    elif reach > 1:
        name = f"{scale_up.name} port of a GPU"
        yield Limit(name, among_gpus_share(op, reach), rates.port_gbs(reach))
