"""What each algorithm pushes through each kind of link, over the size, and what that link takes.

k ranks are in a domain, n in all, in N domains:

* A ring passes every part once: the bus factor leaves it. Of a GPU's share k-1 of k steps go to the
  next GPU, over the port, and one to the NICs, as the rings start at different GPUs.
* A tree is two binary trees over the domains, each with half the data, and a chain inside (Sanders,
  Speck and Traeff, "Two-tree algorithms for full bandwidth broadcast, reduction and scan", 2009): a
  domain sends S up and S down, with N = 2 the half of either; a GPU inside the chain S each way as
  well, one of two only once.
* CollNet direct: GPUs reduce_scatter and all_gather among themselves, switches reduce between;
  CollNet chain: the same with a chain inside. NVLS and NVLS tree: NVLink's switches inside, between
  domains the network's switches, or a tree.
* PAT (parallel aggregated trees): every rank sends what a ring would.
* Pairs (all_to_all, gather, send_recv and their kin): what must cross a part does, each GPU over
  its own NICs, and to one peer of a mesh over the links between the two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from busbar.theory.cluster.bounds import Limit, unit
from busbar.theory.cluster.in_network import among_gpus_share, nvls_share
from busbar.theory.cluster.layout import Kind, Layout, Part
from busbar.theory.cluster.rates import Passage, Rates, is_cut
from busbar.theory.operations import OPERATIONS, Crosses

PORT = "port of a GPU"
SLOT = "PCIe slot of a GPU"
OWN_NICS = "NICs of a GPU"


def ring(layout: Layout, op: str, rates: Rates) -> Iterator[Limit]:
    """Of all_reduce, all_gather, reduce_scatter, broadcast and reduce."""
    share = OPERATIONS[op].bus_factor(layout.ranks)

    def inside(reach: int) -> float:
        return share if reach == layout.ranks else share * (reach - 1) / reach

    yield from _gpus(layout, rates, inside, share)
    yield from _beyond(layout, rates, lambda _: share)


def tree(layout: Layout, op: str, rates: Rates) -> Iterator[Limit]:
    """Of all_reduce."""
    between = _tree_share(layout.domains())
    yield from _gpus(layout, rates, _chain_share, between)
    islands = -(-layout.ranks // layout.island_ranks)
    yield from _beyond(
        layout, rates, lambda part: _tree_share(islands) if part.kind is Kind.ISLAND else between
    )


def pat(layout: Layout, op: str, rates: Rates) -> Iterator[Limit]:
    """Of all_gather and reduce_scatter, with one rank in each domain."""
    for crosses in OPERATIONS[op].phases:
        yield from _beyond(layout, rates, _crossing(layout, crosses))


def nvls(layout: Layout, op: str, rates: Rates) -> Iterator[Limit]:
    """Of all_reduce, all_gather and reduce_scatter; between domains the network's switches."""
    yield from _nvls_ports(layout, op)
    yield from _by_switches(layout, op, rates)


def nvls_tree(layout: Layout, op: str, rates: Rates) -> Iterator[Limit]:
    """Of all_reduce."""
    yield from _nvls_ports(layout, op)
    between = _tree_share(layout.domains())
    yield from _beyond(layout, rates, lambda _: between)


def collnet_direct(layout: Layout, op: str, rates: Rates) -> Iterator[Limit]:
    """Of all_reduce, all_gather and reduce_scatter."""
    yield from _gpus(layout, rates, lambda reach: among_gpus_share(op, reach), 1.0)
    yield from _by_switches(layout, op, rates)


def collnet_chain(layout: Layout, op: str, rates: Rates) -> Iterator[Limit]:
    """Of all_reduce."""
    yield from _gpus(layout, rates, _chain_share, 1.0)
    yield from _by_switches(layout, op, rates)


def pairs(layout: Layout, op: str, crosses: Crosses, rates: Rates) -> Iterator[Limit]:
    """Of one phase of the operations in which ranks send to others what is theirs alone."""
    share = _crossing(layout, crosses)
    yield from _beyond(layout, rates, share, rates.pairs_passage)
    for name, weight, gbs in _PAIRS_OF_GPU[op](layout, rates):
        if weight:
            yield Limit(name, weight, gbs)


def slowest_us_per_byte(limits: Iterable[Limit]) -> float:
    """Of what goes on at the same time; 0 for nothing."""
    return max((limit.us_per_byte() for limit in limits), default=0.0)


def _tree_share(parts: int) -> float:
    return 1.0 if parts == 2 else 2.0


def _chain_share(reach: int) -> float:
    return float(min(reach - 1, 2))


def _gpus(
    layout: Layout, rates: Rates, inside: Callable[[int], float], between: float
) -> Iterator[Limit]:
    """What passes a GPU's port; or its slot, and with that its part of what leaves the node."""
    several = layout.domains() > 1
    for reach in layout.reaches():
        if layout.cluster.scale_up is None:
            share = inside(reach) + (between / reach if several else 0)
            yield Limit(SLOT, share, rates.slot_gbs())
        elif reach > 1:
            yield Limit(PORT, inside(reach), rates.port_gbs(reach))


def _beyond(
    layout: Layout,
    rates: Rates,
    share: Callable[[Part], float],
    passage: Callable[[Part, int, int], Passage] | None = None,
) -> Iterator[Limit]:
    """What passes islands, domains and groups of tiers."""
    for part in layout.parts:
        if part.kind is not Kind.GPU and is_cut(layout, part):
            found = (passage or rates.passage)(part, layout.ranks, layout.times)
            yield Limit(found.name, layout.times * share(part), found.gbs)


def _crossing(layout: Layout, crosses: Crosses) -> Callable[[Part], float]:
    """The busier direction of what must cross a part."""
    exchange = unit(layout)

    def share(part: Part) -> float:
        crossing = crosses(exchange, part.ranks)
        return max(crossing.out_bytes, crossing.in_bytes)

    return share


def _by_switches(layout: Layout, op: str, rates: Rates) -> Iterator[Limit]:
    crosses = OPERATIONS[op].in_network
    assert crosses is not None  # of an operation that switches have no part in
    yield from _beyond(layout, rates, _crossing(layout, crosses))


def _nvls_ports(layout: Layout, op: str) -> Iterator[Limit]:
    scale_up = layout.cluster.scale_up
    assert scale_up is not None
    assert scale_up.in_network is not None  # or NVLS could not run
    gbs = scale_up.port_gbs.value * scale_up.in_network.share.value
    for reach in layout.reaches():
        if reach > 1:
            yield Limit(PORT, nvls_share(op, reach), gbs)


_OfGpu = Iterator[tuple[str, float, float]]


def _among_all(layout: Layout, rates: Rates) -> _OfGpu:
    """Each of n sends 1/n of the size to each other."""
    n = layout.ranks
    for reach in layout.reaches():
        yield from _spread(layout, rates, reach, layout.most_in_domain(), 1 / n)


def _at_root(layout: Layout, rates: Rates) -> _OfGpu:
    """The root sends 1/n to each other, or gets that of each."""
    part = next(p for p in layout.parts if p.kind is Kind.GPU and layout.root in p.ranks)
    first = layout.root // layout.domain_ranks * layout.domain_ranks
    in_domain = min(layout.ranks - first, layout.domain_ranks)
    yield from _spread(layout, rates, part.reach, in_domain, 1 / layout.ranks)


def _spread(layout: Layout, rates: Rates, reach: int, in_domain: int, chunk: float) -> _OfGpu:
    n = layout.ranks
    if layout.cluster.scale_up is not None and reach > 1:
        yield PORT, (reach - 1) * chunk, rates.port_gbs(reach)
        yield SLOT, (n - reach) * chunk, rates.slot_gbs()
    else:
        yield SLOT, (n - 1) * chunk, rates.slot_gbs()
    yield OWN_NICS, (n - in_domain) * chunk, rates.own_nics_gbs()


def _to_next(layout: Layout, rates: Rates) -> _OfGpu:
    """Everyone at the same time."""
    n = layout.ranks
    # Parts of every level end somewhere, so these are all kinds of neighbours.
    for last in sorted({part.ranks.stop - 1 for part in layout.parts}):
        yield _one(layout, rates, last, (last + 1) % n)


def _root_to_next(layout: Layout, rates: Rates) -> _OfGpu:
    yield _one(layout, rates, layout.root, (layout.root + 1) % layout.ranks)


def _first_and_last(layout: Layout, rates: Rates) -> _OfGpu:
    yield _one(layout, rates, 0, layout.ranks - 1)


def _one(layout: Layout, rates: Rates, a: int, b: int) -> tuple[str, float, float]:
    """All of the size from one to another."""
    if not layout.same_domain(a, b):
        return OWN_NICS, 1.0, rates.own_nics_gbs()
    if layout.cluster.scale_up is not None and layout.same_reach(a, b):
        return PORT, 1.0, rates.peer_gbs()
    return SLOT, 1.0, rates.slot_gbs()


_PAIRS_OF_GPU: dict[str, Callable[[Layout, Rates], _OfGpu]] = {
    "all_to_all": _among_all,
    "all_to_allv": _among_all,
    "gather": _at_root,
    "scatter": _at_root,
    "send_recv": _to_next,
    "one_way": _root_to_next,
    "ping_pong": _first_and_last,
    "bidirectional": _first_and_last,
}
PAIRS = tuple(_PAIRS_OF_GPU)
"""Operations that are carried out in pairs."""
