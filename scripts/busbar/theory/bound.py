"""The bound: the shortest time physics allows on a fabric, and the cut that sets it.

For each cut, the least bytes the operation must push through it over what it can pass; the
largest of these is the bound. All links together are one more limit: what every host must send
adds up, and no more can arrive than all links take in, nor leave than they give out.

For an all-reduce that the hosts carry out this is the largest bound over all partitions of the
hosts. K parts send at least 2(K-1)S in all, while what they can exchange is the smallest of all
egress E, all ingress I, and, since a part does not send to itself, E + I less one part's own.
Merging hosts leaves E and I alone and lowers K, so single hosts are the strictest; and the third
is a mean of what the other parts' own cuts say, so one of those is at least as strict. Tests
compare with a brute force over all partitions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add

from busbar.errors import UsageError
from busbar.fabrics.model import Cut, Fabric, Port
from busbar.theory.operations import OPERATIONS, Crosses, Exchange, Operation

ALL_LINKS = "all links together"


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
) -> Bound | None:
    """The bound of one execution, or None where no byte has to cross a link of known rate.

    `placement` is the host of each rank of the group, in order (`Fabric.placement`); `root` counts
    in that order. `counts` is for all_to_allv: bytes [from][to], by default the same to everyone,
    as all_to_all sends. Raises UsageError for what does not fit together.
    """
    what = operation(op)
    exchange = Exchange(size_bytes, len(placement), root, counts)
    _refuse_misfit(fabric, op, exchange, placement)
    limits = [_slowest(fabric, what, crosses, exchange, placement) for crosses in what.phases]
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


@dataclass(frozen=True)
class _CutLimit:
    """What one cut, in one direction, allows."""

    time_us: float
    cut: str
    payload_bytes: float
    formula: str


def _slowest(
    fabric: Fabric,
    what: Operation,
    crosses: Crosses,
    exchange: Exchange,
    placement: Sequence[str],
) -> _CutLimit | None:
    limits = _limits(fabric, what, crosses, exchange, placement)
    return max(limits, key=lambda limit: limit.time_us, default=None)


def _limits(
    fabric: Fabric,
    what: Operation,
    crosses: Crosses,
    exchange: Exchange,
    placement: Sequence[str],
) -> Iterator[_CutLimit]:
    links: list[Cut] = []
    all_out = all_in = 0.0
    for cut in fabric.cuts():
        inside = {rank for rank, host in enumerate(placement) if host in cut.hosts}
        if not inside or len(inside) == exchange.ranks:
            continue
        crossing = crosses(exchange, inside)
        yield _limit(fabric, f"{cut.name}, egress", cut.egress, crossing.out_bytes)
        yield _limit(fabric, f"{cut.name}, ingress", cut.ingress, crossing.in_bytes)
        links.append(cut)
        all_out += crossing.out_bytes
        all_in += crossing.in_bytes
    if not links:
        return
    total = max(all_out, all_in)
    if what.together is not None:
        total = max(total, what.together(exchange, len(links)))
    egress = reduce(add, (cut.egress for cut in links))
    ingress = reduce(add, (cut.ingress for cut in links))
    yield _limit(fabric, f"{ALL_LINKS}, egress", egress, total)
    yield _limit(fabric, f"{ALL_LINKS}, ingress", ingress, total)


def _limit(fabric: Fabric, name: str, port: Port, payload_bytes: float) -> _CutLimit:
    efficiency = fabric.efficiency()
    burst = f" - {port.burst_bytes:.0f} B burst" if port.burst_bytes else ""
    return _CutLimit(
        time_us=port.least_us(payload_bytes / efficiency),
        cut=name,
        payload_bytes=float(payload_bytes),
        formula=(
            f"({payload_bytes:.0f} B / {efficiency:.4f} payload share{burst})"
            f" / {port.rate_bps / 8e6:.4g} B/us"
        ),
    )


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
