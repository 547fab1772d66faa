"""Bytes that hosts must send and receive: each on its own, all together, and by hypothesis.

Each figure is of payload. Counters see headers, acknowledgements and whatever else a host says.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, log2

from busbar.theory.bound import operation
from busbar.theory.operations import Exchange

IN_NETWORK = "in the network"
IN_NETWORK_PER_RANK = "in the network, each rank on its own"
HOSTS_AT_LEAST = "any host algorithm, at least"


@dataclass(frozen=True)
class LeastBytes:
    """Of one execution, on one host."""

    host: str
    sent: float
    received: float


def least_bytes(
    op: str, size_bytes: int, placement: Sequence[str], root: int = 0
) -> list[LeastBytes]:
    """One entry per host, in the order of their first ranks; `placement` as for `bound`.

    They hold for hosts and switches alike: what one side of a link lacks must pass it, and
    combining on the far side saves none of that. Raises UsageError for an unknown operation.
    """
    what = operation(op)
    exchange = Exchange(size_bytes, len(placement), root)
    found = []
    for host, inside in _ranks_of(placement).items():
        crossings = [] if len(inside) == len(placement) else what.phases
        each = [crosses(exchange, inside) for crosses in crossings]
        found.append(
            LeastBytes(host, sum(c.out_bytes for c in each), sum(c.in_bytes for c in each))
        )
    return found


@dataclass(frozen=True)
class Totals:
    """Bytes of one execution, added up over all hosts."""

    sent: float
    received: float


def least_by_hosts(op: str, size_bytes: int, placement: Sequence[str], root: int = 0) -> Totals:
    """The least that N hosts send in all, and receive, if no switch reduces or copies.

    Every byte sent is then received by one host, so both are the same. all_reduce: 2(N-1)S, see
    `bound`. All others (N-1)S: in a reduce every host but the root's sends S, in a broadcast it
    receives S; in a reduce_scatter each host but the owner's sends a combined chunk, for chunks
    that add up to S, and in an all_gather it receives one.
    """
    what = operation(op)
    hosts = len(set(placement))
    each = least_bytes(op, size_bytes, placement, root)
    total = max(sum(host.sent for host in each), sum(host.received for host in each))
    if what.together is not None:
        total = max(total, what.together(Exchange(size_bytes, len(placement), root), hosts))
    return Totals(total, total)


def most_in_network(op: str, size_bytes: int, placement: Sequence[str], root: int = 0) -> Totals:
    """The most that hosts send and receive in all where a tree of switches carries it out.

    Each of the n ranks streams on its own, as to aggregators in software: all_reduce nS and nS,
    reduce nS and S, broadcast S and (n-1)S, reduce_scatter nS and S, all_gather S and (n-1)S.
    A mechanism that first combines on each host takes less. Zero where a tree has nothing to do.
    """
    what = operation(op)
    exchange = Exchange(size_bytes, len(placement), root)
    if what.in_network is None or len(set(placement)) < 2:
        return Totals(0.0, 0.0)
    each = [what.in_network(exchange, {rank}) for rank in range(len(placement))]
    return Totals(sum(c.out_bytes for c in each), sum(c.in_bytes for c in each))


def combined_in_network(
    op: str, size_bytes: int, placement: Sequence[str], root: int = 0
) -> Totals:
    """As `most_in_network`, where each host first combines what its ranks have, as CollNet does."""
    what = operation(op)
    exchange = Exchange(size_bytes, len(placement), root)
    if what.in_network is None or len(set(placement)) < 2:
        return Totals(0.0, 0.0)
    each = [what.in_network(exchange, inside) for inside in _ranks_of(placement).values()]
    return Totals(sum(c.out_bytes for c in each), sum(c.in_bytes for c in each))


def hypotheses(
    op: str, size_bytes: int, placement: Sequence[str], root: int = 0
) -> dict[str, float]:
    """What the busiest host sends or receives, whichever is more, under each hypothesis.

    Algorithms of hosts are for one rank on each; empty where nothing leaves a host.
    """
    what = operation(op)
    hosts = len(set(placement))
    if hosts < 2 or not what.phases:
        return {}
    exchange = Exchange(size_bytes, len(placement), root)
    found = {}
    if what.in_network is not None:
        each = [what.in_network(exchange, inside) for inside in _ranks_of(placement).values()]
        found[IN_NETWORK] = max(max(c.out_bytes, c.in_bytes) for c in each)
        if hosts < len(placement):
            found[IN_NETWORK_PER_RANK] = _busiest_by_rank(op, exchange, placement)
    least = least_bytes(op, size_bytes, placement, root)
    share = least_by_hosts(op, size_bytes, placement, root).sent / hosts
    found[HOSTS_AT_LEAST] = max(share, *(max(host.sent, host.received) for host in least))
    if hosts == len(placement):
        found |= {name: of(hosts) * size_bytes for name, of in _BUSIEST.get(op, {}).items()}
    return found


def _busiest_by_rank(op: str, exchange: Exchange, placement: Sequence[str]) -> float:
    """As `hypotheses`, where the ranks of a host do not combine before they send."""
    in_network = operation(op).in_network
    assert in_network is not None
    each = [
        [in_network(exchange, {rank}) for rank in inside]
        for inside in _ranks_of(placement).values()
    ]
    return max(max(sum(c.out_bytes for c in host), sum(c.in_bytes for c in host)) for host in each)


def _ranks_of(placement: Sequence[str]) -> dict[str, set[int]]:
    """The ranks on each host, hosts in the order of their first ranks."""
    found: dict[str, set[int]] = {}
    for rank, host in enumerate(placement):
        found.setdefault(host, set()).add(rank)
    return found


def _others(hosts: int) -> float:
    return (hosts - 1) / hosts


def _twice_others(hosts: int) -> float:
    return 2 * (hosts - 1) / hosts


def _steps(hosts: int) -> float:
    return float(ceil(log2(hosts)))


# Of S, by the busiest host. A tree's is its root, which sends, or receives, S in each step.
_BUSIEST: dict[str, dict[str, Callable[[int], float]]] = {
    "all_reduce": {"ring": _twice_others, "recursive doubling": _steps, "binomial tree": _steps},
    "all_gather": {"ring": _others},
    "reduce_scatter": {"ring": _others},
    "broadcast": {"binomial tree": _steps},
    "reduce": {"binomial tree": _steps},
}
