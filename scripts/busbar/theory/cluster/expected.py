"""The time to expect of each algorithm that can run: latency + bytes/bandwidth.

Latencies follow NCCL's model (`latency`); bandwidths are the fabric's own figures (`rates`, what
kernels and NICs usually reach of their links), through which `loads` says what goes; a protocol
takes its share of them. Of an algorithm's protocols the fastest counts, size by size. In each level
everything overlaps with everything else, so the slowest link sets the pace.

An algorithm is listed where NCCL 2.28.9 can run it: NVLS where the fabric's NVLink switches reduce;
CollNet, and NVLS over several domains, where the network has SHARP, on up to 8 GPUs of a domain,
and for other operations than all_reduce with a NIC for each GPU; CollNet direct with NVLink
switches; PAT with one rank in each domain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from busbar.fabrics.model import Fabric
from busbar.theory.cluster import loads
from busbar.theory.cluster.bounds import BYTES_PER_US, Limit
from busbar.theory.cluster.in_network import switch_limits
from busbar.theory.cluster.latency import joined_by_nvlink, latency_us, pairs_latency_us
from busbar.theory.cluster.layout import Layout
from busbar.theory.cluster.nccl_constants import (
    DIRECT_SINCE_HOPPER,
    EFFICIENCY,
    TREE_LL128_ONE_NODE,
    Algorithm,
    Protocol,
    ll_most_gbs,
)
from busbar.theory.cluster.rates import Rates, usual_rates
from busbar.theory.operations import OPERATIONS

_MOST_COLLNET_GPUS = 8  # of a node, NCCL 2.28.9 src/graph/tuning.cc
_TUNED = ("all_reduce", "all_gather", "reduce_scatter", "broadcast", "reduce")
_SCATTERED = ("all_reduce", "all_gather", "reduce_scatter")
_BEFORE_HOPPER = ("ampere", "ada")
_HALF = 0.5  # LL, of pairs


@dataclass(frozen=True)
class Straight:
    """A time that grows with the size."""

    latency_us: float
    us_per_byte: float

    def time_us(self, size_bytes: float) -> float:
        """Of that size."""
        return self.latency_us + self.us_per_byte * size_bytes


@dataclass(frozen=True)
class Candidate:
    """An algorithm that can carry an operation out."""

    algorithm: str
    in_network: bool
    """Whether switches reduce or copy."""
    sharp: bool
    """Whether those of the network are among them."""
    protocols: tuple[Straight, ...]
    """Of which the fastest counts."""

    def time_us(self, size_bytes: float) -> float:
        """Of that size."""
        return min(each.time_us(size_bytes) for each in self.protocols)


_Loads = Callable[[Layout, str, Rates], Iterator[Limit]]

_LOADS: dict[Algorithm, _Loads] = {
    "ring": loads.ring,
    "tree": loads.tree,
    "PAT": loads.pat,
    "NVLS": loads.nvls,
    "NVLS tree": loads.nvls_tree,
    "CollNet direct": loads.collnet_direct,
    "CollNet chain": loads.collnet_chain,
}
_BY_HOSTS = ("ring", "tree", "PAT")


def candidates(fabric: Fabric, layout: Layout, op: str) -> list[Candidate]:
    """The algorithms of a known operation; none for one rank or where nothing is exchanged."""
    if layout.ranks < 2:
        return []
    if op in loads.PAIRS:
        return [_pairs(layout, op)]
    return [_candidate(fabric, layout, op, name) for name in _able(fabric, layout, op)]


def _able(fabric: Fabric, layout: Layout, op: str) -> Iterator[Algorithm]:
    """Those that can run."""
    if op not in _TUNED:
        return
    several, scattered = layout.domains() > 1, op in _SCATTERED
    yield "ring"
    if op == "all_reduce":
        yield "tree"
    elif scattered and several and layout.most_in_domain() == 1:
        yield "PAT"
    nvls = _has_nvls(layout) and scattered
    sharp = several and scattered and _has_sharp(fabric, layout, op)
    if nvls and (sharp or not several):
        yield "NVLS"
    if nvls and several and op == "all_reduce":
        yield "NVLS tree"
    if sharp and layout.most_in_domain() <= _MOST_COLLNET_GPUS:
        scale_up = layout.cluster.scale_up
        if scale_up is not None and scale_up.wiring == "switch" and joined_by_nvlink(layout):
            yield "CollNet direct"
        if op == "all_reduce":
            yield "CollNet chain"


def _has_nvls(layout: Layout) -> bool:
    scale_up = layout.cluster.scale_up
    reduces = scale_up is not None and scale_up.in_network is not None
    return reduces and joined_by_nvlink(layout) and layout.most_in_domain() > 1


def _has_sharp(fabric: Fabric, layout: Layout, op: str) -> bool:
    if fabric.in_network is None or fabric.in_network.mechanism != "sharp":
        return False
    nic, node = layout.cluster.nic, layout.cluster.node
    assert nic is not None  # or there were no several domains
    nics = nic.per_node * max(1, layout.cluster.domain_gpus() // node.gpus)
    return op == "all_reduce" or nics >= layout.most_in_domain()


def _candidate(fabric: Fabric, layout: Layout, op: str, name: Algorithm) -> Candidate:
    limits = list(_LOADS[name](layout, op, usual_rates(layout.cluster)))
    sharp = name in ("NVLS", "CollNet direct", "CollNet chain") and layout.domains() > 1
    if sharp:
        limits += switch_limits(fabric, layout, op)
    found = tuple(
        Straight(latency_us(layout, op, name, protocol), us_per_byte)
        for protocol in Protocol
        if EFFICIENCY[name][protocol] and _is_safe(layout, protocol)
        for us_per_byte in [_us_per_byte(layout, op, name, protocol, limits)]
    )
    return Candidate(name, name not in _BY_HOSTS, sharp, found)


def _is_safe(layout: Layout, protocol: Protocol) -> bool:
    """LL128 needs NVLink wherever GPUs of a node write to each other."""
    one_each = layout.most_in_domain() == 1
    return protocol is not Protocol.LL128 or one_each or joined_by_nvlink(layout)


def _us_per_byte(
    layout: Layout, op: str, name: Algorithm, protocol: Protocol, limits: Iterable[Limit]
) -> float:
    """Of the slowest link under this protocol."""
    efficiency = EFFICIENCY[name][protocol]
    if name == "tree" and protocol is Protocol.LL128 and layout.domains() == 1:
        efficiency = TREE_LL128_ONE_NODE
    before_hopper = layout.cluster.gpu.architecture in _BEFORE_HOPPER
    if name == "CollNet direct" and not before_hopper:
        efficiency = DIRECT_SINCE_HOPPER
    by_links = loads.slowest_us_per_byte(limits) / efficiency
    if protocol is not Protocol.LL:
        return by_links
    bus_share = 2.0 if name == "tree" else OPERATIONS[op].bus_factor(layout.ranks)
    node = layout.cluster.node
    most = ll_most_gbs(layout.cluster.gpu.architecture, node.cpu, layout.domains())
    return max(by_links, bus_share / (most * BYTES_PER_US))


def _pairs(layout: Layout, op: str) -> Candidate:
    rates, n = usual_rates(layout.cluster), layout.ranks
    phases = OPERATIONS[op].phases
    slopes = [loads.slowest_us_per_byte(loads.pairs(layout, op, each, rates)) for each in phases]
    us_per_byte = sum(slopes) / len(slopes)
    to_everyone = op in ("all_to_all", "all_to_allv", "gather", "scatter")
    messages = n - layout.most_in_domain() if to_everyone else 1
    between = _leaves_domain(layout, op)
    found = tuple(
        Straight(pairs_latency_us(layout, messages, between, protocol), us_per_byte / efficiency)
        for protocol, efficiency in ((Protocol.LL, _HALF), (Protocol.SIMPLE, 1.0))
    )
    return Candidate("pairwise" if to_everyone else "direct", False, False, found)


def _leaves_domain(layout: Layout, op: str) -> bool:
    """Whether the slowest of its messages goes to another domain."""
    if op == "one_way":
        return not layout.same_domain(layout.root, (layout.root + 1) % layout.ranks)
    return layout.domains() > 1
