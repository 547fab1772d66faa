"""The bound: the shortest time physics allows on a fabric, and the cut that sets it.

For each cut, the least bytes the operation must push through it over what it can pass; the
largest of these is the bound. All links together are one more limit: what every host must send
adds up, and no more can arrive than all links take in, nor leave than they give out.

For an all-reduce that the hosts carry out this is the largest bound over all partitions of the
hosts. K parts send at least 2(K-1)S in all, while what they can exchange is the smallest of all
egress E, all ingress I, and, since a part does not send to itself, E + I less one part's own.
Merging hosts lowers K, and lowers E and I only where whole leaves are merged whose uplinks are
narrower than their hosts' links (`partitions`); and the third is a mean of what the other parts'
own cuts say, so one of those is at least as strict. Tests compare with a brute force over all
partitions.

Reduced in the network there are only cuts: a tree of switches that combines and copies (SHARP, or
aggregators in software) takes each host's data once and gives it the result once. So with equal
links, N hosts, and S bytes,

* all_reduce takes S instead of 2(N-1)/N S: at most 2(N-1)/N faster, whatever the hosts do;
* reduce and broadcast take S either way: nothing is gained over the bound, log2 N over a binomial
  tree, which sends S that often;
* reduce_scatter takes S instead of (N-1)/N S, as a host's own chunk goes up too: up to N/(N-1)
  slower; all_gather takes (N-1)/N S either way. Both save message steps only, from some N on.

Where the fabric says at which rate a rank reduces, what the hosts must reduce is one more limit for
them (`reduction`).

That is physics for the mechanism: aggregators to which the r ranks of a host stream one by one
move r times as much over its link.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from busbar.errors import UsageError
from busbar.fabrics.model import Fabric
from busbar.theory.cluster.bounds import BYTES_PER_US, Slope, host_bound
from busbar.theory.cluster.in_network import network_bound
from busbar.theory.cluster.layout import Layout, lay_out
from busbar.theory.cluster.placing import least_slope
from busbar.theory.cluster.shape import shape_for
from busbar.theory.limit import CutLimit, cut_limit
from busbar.theory.operations import OPERATIONS, Crosses, Exchange, Operation
from busbar.theory.partitions import single_hosts, strictest
from busbar.theory.reduction import ON_HOSTS, bytes_per_us, least_share

SWITCH = "reduction in the switch"


@dataclass(frozen=True)
class Bound:
    """The shortest time an execution can take; bandwidths are what that time would report."""

    time_us: float
    algbw_gbs: float
    busbw_gbs: float
    cut: str
    """The cut that sets it, and the direction."""
    cut_bytes: float
    """Payload bytes that must pass it."""
    formula: str


def operation(op: str) -> Operation:
    """The operation of that name. Raises UsageError if there is none."""
    if op not in OPERATIONS:
        raise UsageError(f"operation '{op}' is unknown: accepted are {', '.join(OPERATIONS)}.")
    return OPERATIONS[op]


def bound(
    fabric: Fabric,
    op: str,
    size_bytes: int,
    placement: Sequence[str],
    *,
    root: int = 0,
    counts: Sequence[Sequence[float]] | None = None,
    in_network: bool = False,
    nvlink_only: bool = False,
    placed: bool = True,
    times: int = 1,
) -> Bound | None:
    """The bound of one execution, or None where nothing has to be done at a known rate.

    `placement` is the host of each rank of the group, in order (`Fabric.placement`); `root` counts
    in that order. `counts` is for all_to_allv: bytes [from][to], by default the engine's own
    (`operations`). With `in_network` switches reduce, also those of a fabric that does not
    say they can; None as well for an operation that leaves them nothing to do
    (`Operation.in_network`). Raises UsageError for what does not fit together.

    `nvlink_only`: in the network of a cluster NVLink's switches alone reduce, as they do wherever
    NCCL is left to itself; SHARP it takes only when told to (NCCL_COLLNET_ENABLE).

    Of a cluster the placement's shape counts (`theory.cluster`). None as well where theory cannot
    tell; `unknown_because` then says why. Its nodes fill one NVLink domain, or group of a tier,
    after the other; not `placed`, they may lie anywhere, and the bound is the least over all
    placements. `times`: so many groups are placed alike, on GPUs of their own, and do it at the
    same time.
    """
    what = operation(op)
    exchange = Exchange(size_bytes, len(placement), root, counts)
    _refuse_misfit(fabric, op, exchange, placement)
    if fabric.cluster is not None:
        return _of_cluster(
            fabric, op, exchange, placement,
            in_network=in_network, nvlink_only=nvlink_only, placed=placed, times=times,
        )  # fmt: skip
    if in_network:
        limits = [_longest(_in_network_limits(fabric, what, exchange, placement))]
    else:
        limits = [
            _longest(_host_limits(fabric, what, crosses, exchange, placement))
            for crosses in what.phases
        ]
    known = [limit for limit in limits if limit is not None]
    if not known:
        return None
    time_us = sum(limit.time_us for limit in known) / len(limits)
    if time_us <= 0:
        return None
    binding = max(known, key=lambda limit: limit.time_us)
    algbw = size_bytes / time_us / 1000
    return Bound(
        time_us=time_us,
        algbw_gbs=algbw,
        busbw_gbs=algbw * what.bus_factor(len(placement)),
        cut=binding.cut,
        cut_bytes=binding.payload_bytes,
        formula=binding.formula,
    )


def unknown_because(
    fabric: Fabric, op: str, placement: Sequence[str], *, in_network: bool = False
) -> str:
    """Why theory cannot tell the bound there, in one sentence; empty where it can.

    So it can where it tells that there is none, as of a barrier, or within one host.
    """
    what = operation(op)
    if in_network and what.in_network is None:
        return f"Theory knows nothing that switches do of {op}."
    if fabric.cluster is not None and what.phases and shape_for(what, placement) is None:
        return (
            f"Theory cannot place its ranks: they do not fill hosts one after another, so that the "
            f"bound of {op} on fabric {fabric.name} is unknown."
        )
    return ""


def _of_cluster(
    fabric: Fabric,
    op: str,
    exchange: Exchange,
    placement: Sequence[str],
    *,
    in_network: bool,
    nvlink_only: bool,
    placed: bool,
    times: int,
) -> Bound | None:
    found = shape_for(operation(op), placement, exchange.root)
    if fabric.cluster is None or found is None or exchange.counts is not None:
        return None

    def slope_of(layout: Layout, op: str) -> Slope | None:
        if in_network:
            return network_bound(fabric, layout, op, nvlink_only=nvlink_only)
        return host_bound(layout, op, bytes_per_us(fabric))

    if placed:
        slope = slope_of(lay_out(fabric.cluster, found.shape, found.root, times=times), op)
    else:
        slope = least_slope(fabric.cluster, found.shape, found.root, op, slope_of, times)
    if slope is None or exchange.size_bytes == 0:
        return None
    return _bound_of(slope, op, exchange)


def _bound_of(slope: Slope, op: str, exchange: Exchange) -> Bound:
    """Of one size."""
    limit, time_us = slope.limit, slope.us_per_byte * exchange.size_bytes
    payload, algbw = limit.share * exchange.size_bytes, exchange.size_bytes / time_us / 1000
    return Bound(
        time_us=time_us,
        algbw_gbs=algbw,
        busbw_gbs=algbw * operation(op).bus_factor(exchange.ranks),
        cut=limit.cut,
        cut_bytes=payload,
        formula=f"{payload:.0f} B / {limit.gbs * BYTES_PER_US:.4g} B/us",
    )


def _longest(limits: Iterator[CutLimit]) -> CutLimit | None:
    return max(limits, key=lambda limit: limit.time_us, default=None)


def _host_limits(
    fabric: Fabric,
    what: Operation,
    crosses: Crosses,
    exchange: Exchange,
    placement: Sequence[str],
) -> Iterator[CutLimit]:
    """The cuts, all hosts together, and what they have to reduce."""
    yield from _cut_limits(fabric, crosses, exchange, placement)
    yield from _reduction_limit(fabric, what, exchange)
    cuts, hosts = fabric.cuts(), frozenset(placement)
    if not cuts or len(hosts) < 2:
        return
    for direction in ("egress", "ingress"):
        if what.together is None:
            parted = single_hosts(cuts, hosts, direction)
            total = _added_up(crosses, exchange, placement)
        else:
            per_part = what.together(exchange, 2)
            parted = strictest(cuts, hosts, direction, per_part / fabric.efficiency())
            total = what.together(exchange, parted.parts)
        yield cut_limit(fabric, f"{parted.name}, {direction}", parted.port, total)


def _reduction_limit(fabric: Fabric, what: Operation, exchange: Exchange) -> Iterator[CutLimit]:
    rate, share = bytes_per_us(fabric), least_share(what, exchange.ranks)
    if rate is not None and share:
        each = share * exchange.size_bytes
        yield CutLimit(each / rate, ON_HOSTS, each, f"{each:.0f} B / {rate:.4g} B/us")


def _in_network_limits(
    fabric: Fabric, what: Operation, exchange: Exchange, placement: Sequence[str]
) -> Iterator[CutLimit]:
    """The cuts, and the switch itself where its rate is known."""
    if what.in_network is None:
        return
    yield from _cut_limits(fabric, what.in_network, exchange, placement)
    yield from switch_limit(fabric, what, exchange.size_bytes, placement)


def switch_limit(
    fabric: Fabric, what: Operation, size_bytes: int, placement: Sequence[str]
) -> Iterator[CutLimit]:
    """What the busiest switch of one that reduces must take in; none where its rate is unknown."""
    switch = fabric.in_network
    if switch is None or switch.rate is None or not what.reduces:
        return
    rate = switch.rate.value / 8e6
    taken_in = float(_most_children(fabric, frozenset(placement)) * size_bytes)
    yield CutLimit(taken_in / rate, SWITCH, taken_in, f"{taken_in:.0f} B / {rate:.4g} B/us")


def _most_children(fabric: Fabric, hosts: frozenset[str]) -> int:
    """How many vectors the busiest switch takes in: from its hosts, or the spine from its leaves.

    0 where all ranks are on one host, so that no switch reduces.
    """
    below = [cut.hosts & hosts for cut in fabric.cuts() if cut.level == "leaf"]
    occupied = [leaf for leaf in below if leaf] or [hosts]
    most = max(len(occupied), *(len(leaf) for leaf in occupied))
    return most if most > 1 else 0


def _cut_limits(
    fabric: Fabric, crosses: Crosses, exchange: Exchange, placement: Sequence[str]
) -> Iterator[CutLimit]:
    ranks_of = _ranks_of(placement)
    for cut in fabric.cuts():
        inside = {rank for host in cut.hosts & ranks_of.keys() for rank in ranks_of[host]}
        if not inside or len(inside) == exchange.ranks:
            continue
        crossing = crosses(exchange, inside)
        yield cut_limit(fabric, f"{cut.name}, egress", cut.egress, crossing.out_bytes)
        yield cut_limit(fabric, f"{cut.name}, ingress", cut.ingress, crossing.in_bytes)


def _ranks_of(placement: Sequence[str]) -> dict[str, set[int]]:
    """By host, once for all cuts: there are as many of them as hosts."""
    found: dict[str, set[int]] = {}
    for rank, host in enumerate(placement):
        found.setdefault(host, set()).add(rank)
    return found


def _added_up(crosses: Crosses, exchange: Exchange, placement: Sequence[str]) -> float:
    """What single hosts must send in all, or receive, if that is more."""
    each = [crosses(exchange, ranks) for ranks in _ranks_of(placement).values()]
    return max(sum(c.out_bytes for c in each), sum(c.in_bytes for c in each))


def _refuse_misfit(fabric: Fabric, op: str, exchange: Exchange, placement: Sequence[str]) -> None:
    if not placement:
        raise UsageError("zero ranks: accepted is 1 or more.")
    if exchange.size_bytes < 0:
        raise UsageError(f"size {exchange.size_bytes} is negative: accepted is 0 or more bytes.")
    if not 0 <= exchange.root < exchange.ranks:
        raise UsageError(f"root {exchange.root}: accepted is 0 to {exchange.ranks - 1}.")
    known = fabric.host_names()
    unknown = next((host for host in placement if known and host not in known), None)
    if unknown is not None:
        raise UsageError(
            f"host '{unknown}' is not in fabric '{fabric.name}': accepted are {', '.join(known)}."
        )
    if exchange.counts is not None:
        _refuse_counts(op, exchange)


def _refuse_counts(op: str, exchange: Exchange) -> None:
    if op != "all_to_allv":
        raise UsageError(f"byte counts belong to all_to_allv, operation '{op}' takes none.")
    counts, n = exchange.counts or (), exchange.ranks
    if len(counts) != n or any(len(row) != n or min(row) < 0 for row in counts):
        raise UsageError(f"byte counts of all_to_allv must be {n} rows of {n}, none negative.")
