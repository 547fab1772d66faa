"""The time to expect: latency + bytes/bandwidth for each well-known algorithm.

The models are those of Thakur, Rabenseifner and Gropp, "Optimization of Collective Communication
Operations in MPICH", 2005, sections 3 and 4: a message of m bytes takes alpha + m * beta, every
rank sends and receives one message at a time, and combining costs gamma per byte, one message after
the other (nothing where the fabric states no [reduction]). They assume one rank per host, and one
switch: several messages that share an uplink are beyond them. Beta is the slowest link's line rate
less protocol overhead; alpha is a constant.

A tree of switches that reduces takes data in chunks: a message up and one down for each level, the
bytes of the slowest link, or of the busiest switch at the rate at which it reduces, and, as each
switch passes on whole chunks, one chunk for every link after the first.

Through shared memory a byte costs at least one copy by the rank that receives it.

Of a GPU cluster the algorithms are NCCL's, on any number of ranks per node (`theory.cluster`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, log2

from busbar.fabrics.model import Fabric
from busbar.theory.bound import operation, switch_limit
from busbar.theory.cluster.expected import Candidate, candidates
from busbar.theory.cluster.layout import lay_out
from busbar.theory.cluster.shape import shape_for
from busbar.theory.constants import Constants
from busbar.theory.operations import Exchange
from busbar.theory.reduction import bytes_per_us
from busbar.theory.scaling import Growth, growth

SHARED_MEMORY = "one copy per byte received"
IN_NETWORK = "in-network tree"
CHUNK_BYTES = 32 << 10  # what the engine's tree takes unless `in_network_chunk` says otherwise


@dataclass(frozen=True)
class Expected:
    """What an execution should take if it runs this algorithm."""

    algorithm: str
    time_us: float
    algbw_gbs: float
    busbw_gbs: float


_ALGORITHMS: dict[str, tuple[str, ...]] = {
    "all_reduce": ("ring", "recursive doubling", "tree", "rabenseifner"),
    "all_gather": ("ring", "recursive doubling"),
    "reduce_scatter": ("ring", "recursive halving"),
    "all_to_all": ("pairwise",),
    "all_to_allv": ("pairwise",),
    "broadcast": ("binomial tree",),
    "reduce": ("binomial tree",),
    "gather": ("binomial tree",),
    "scatter": ("binomial tree",),
    "send_recv": ("direct",),
    "one_way": ("direct",),
    "ping_pong": ("direct",),
    "bidirectional": ("direct",),
    "barrier": ("dissemination",),
}
"""Those that are expected, by the names of `scaling`, which has their messages and bytes."""

_CALLED = {"rabenseifner": "recursive halving and doubling"}


def _costs(op: str, ranks: int) -> dict[str, Growth]:
    """What each algorithm that so many ranks can run puts through the busiest of them."""
    return {
        _CALLED.get(name, name): cost
        for name in _ALGORITHMS.get(op, ())
        if (cost := growth(op, name, ranks)) is not None
    }


def _halved(ranks: int) -> float:
    """Beyond a power of two the ranks too many hand theirs to others first."""
    most = 1 << (ranks.bit_length() - 1)
    return (most - 1) / most + (most < ranks)


_REDUCED: dict[str, dict[str, Callable[[int], float]]] = {
    "all_reduce": {
        "ring": lambda n: (n - 1) / n,
        "recursive doubling": lambda n: ceil(log2(n)),
        "tree": lambda n: ceil(log2(n)),
        "recursive halving and doubling": _halved,
    },
    "reduce_scatter": {
        "ring": lambda n: (n - 1) / n,
        "recursive halving": lambda n: (n - 1) / n,
    },
    "reduce": {"binomial tree": lambda n: ceil(log2(n))},
}
"""Bytes over S that the busiest rank combines, one message after another."""


def expected(
    fabric: Fabric,
    op: str,
    size_bytes: int,
    placement: Sequence[str],
    constants: Constants,
    *,
    times: int = 1,
) -> list[Expected]:
    """One entry per algorithm that is modelled, fastest first.

    Empty where a constant is unknown, where `op` gave a constant, where nothing is exchanged, or
    where hosts carry several ranks or hang on several leaves, which these models leave out. Raises
    UsageError for an unknown operation. For shared memory only the length of `placement` counts,
    for a cluster its shape, and no constant is needed; there `times` is as for `bound`.
    """
    what = operation(op)
    ranks = len(placement)
    if fabric.cluster is not None:
        by_nccl = _on_cluster(fabric, op, size_bytes, placement, times)
        return [each for candidate, each in by_nccl if not candidate.in_network]
    if ranks < 2 or op in constants.fitted_ops or op not in _ALGORITHMS:
        return []
    if fabric.kind == "shared_memory":
        each_us = _by_copying(op, size_bytes, ranks, constants)
    elif len(set(placement)) == ranks and len(_leaves(fabric, placement)) < 2:
        each_us = _by_messages(fabric, op, size_bytes, placement, constants)
    else:
        each_us = {}
    found = [
        Expected(name, time_us, algbw, algbw * what.bus_factor(ranks))
        for name, time_us in each_us.items()
        for algbw in [size_bytes / time_us / 1000]
    ]
    return sorted(found, key=lambda e: e.time_us)


def _on_cluster(
    fabric: Fabric, op: str, size_bytes: int, placement: Sequence[str], times: int
) -> list[tuple[Candidate, Expected]]:
    """By each of NCCL's algorithms, fastest first; empty for a placement without a shape."""
    what = operation(op)
    where = shape_for(what, placement)
    if fabric.cluster is None or where is None:
        return []
    able = candidates(fabric, lay_out(fabric.cluster, where.shape, where.root, times=times), op)
    factor = what.bus_factor(len(placement))
    found = [
        (each, Expected(each.algorithm, time_us, algbw, algbw * factor))
        for each in able
        for time_us in [each.time_us(size_bytes)]
        for algbw in [size_bytes / time_us / 1000]
    ]
    return sorted(found, key=lambda pair: pair[1].time_us)


def _by_messages(
    fabric: Fabric, op: str, size_bytes: int, placement: Sequence[str], constants: Constants
) -> dict[str, float]:
    if constants.message_us is None:
        return {}
    payload_per_us = _slowest_payload_per_us(fabric, placement)
    reducing_us = reducing_us_by_algorithm(fabric, op, size_bytes, len(placement))
    return {
        name: cost.messages * constants.message_us
        + cost.bytes_share * size_bytes / payload_per_us
        + reducing_us.get(name, 0.0)
        for name, cost in _costs(op, len(placement)).items()
    }


def expected_in_network(
    fabric: Fabric,
    op: str,
    size_bytes: int,
    placement: Sequence[str],
    constants: Constants,
    *,
    chunk_bytes: int = CHUNK_BYTES,
) -> Expected | None:
    """What an execution should take if a tree of switches carries it out.

    None where a constant is unknown, where such a tree has nothing to do, or where hosts carry
    several ranks. Raises UsageError for an unknown operation. On a cluster, the fastest of NCCL's
    algorithms by which switches reduce; None where none can run.
    """
    what = operation(op)
    if fabric.cluster is not None:
        return next(iter(expected_by_switches(fabric, op, size_bytes, placement)), None)
    hosts = frozenset(placement)
    if what.in_network is None or constants.message_us is None or len(hosts) < 2:
        return None
    if len(hosts) < len(placement) or not fabric.cuts():
        return None
    levels = 2 if len(_leaves(fabric, placement)) > 1 else 1
    streamed_us = max(
        payload_bytes / (port.rate_bps / 8e6 * fabric.efficiency())
        for cut in fabric.cuts()
        for inside in [{rank for rank, host in enumerate(placement) if host in cut.hosts}]
        if inside and len(inside) < len(placement)
        for crossing in [what.in_network(Exchange(size_bytes, len(placement)), inside)]
        for port, payload_bytes in (
            (cut.egress, crossing.out_bytes),
            (cut.ingress, crossing.in_bytes),
        )
    )
    at_switch = switch_limit(fabric, what, size_bytes, placement)
    streamed_us = max([streamed_us, *(limit.time_us for limit in at_switch)])
    chunk_us = min(chunk_bytes, size_bytes) / _slowest_payload_per_us(fabric, placement)
    time_us = 2 * levels * constants.message_us + streamed_us + (2 * levels - 1) * chunk_us
    algbw = size_bytes / time_us / 1000
    return Expected(IN_NETWORK, time_us, algbw, algbw * what.bus_factor(len(placement)))


def expected_by_switches(
    fabric: Fabric,
    op: str,
    size_bytes: int,
    placement: Sequence[str],
    *,
    nvlink_only: bool = False,
    times: int = 1,
) -> list[Expected]:
    """On a cluster, each of NCCL's algorithms by which switches reduce, fastest first.

    With `nvlink_only` those that need none but NVLink's. `times` as for `bound`.
    """
    found = _on_cluster(fabric, op, size_bytes, placement, times)
    return [e for c, e in found if c.in_network and not (nvlink_only and c.sharp)]


def byte_shares(op: str, ranks: int) -> dict[str, float]:
    """Bytes over S that each modelled algorithm passes through one port, one after another."""
    if ranks < 2:
        return {}
    return {name: cost.bytes_share for name, cost in _costs(op, ranks).items()}


def reducing_us_by_algorithm(
    fabric: Fabric, op: str, size_bytes: int, ranks: int
) -> dict[str, float]:
    """What the busiest rank combines under each modelled algorithm, at the fabric's rate.

    Empty where that costs nothing.
    """
    rate = bytes_per_us(fabric)
    if rate is None or ranks < 2:
        return {}
    return {name: share(ranks) * size_bytes / rate for name, share in _REDUCED.get(op, {}).items()}


def _leaves(fabric: Fabric, placement: Sequence[str]) -> list[str]:
    """The uplinks that lead to these hosts; none with one switch."""
    hosts = set(placement)
    return [cut.name for cut in fabric.cuts() if cut.level == "leaf" and cut.hosts & hosts]


def _slowest_payload_per_us(fabric: Fabric, placement: Sequence[str]) -> float:
    """Payload rate of the slowest link that leads to these hosts, in bytes per microsecond."""
    hosts = set(placement)
    uplinks = len(_leaves(fabric, placement)) > 1
    ports = [
        port
        for cut in fabric.cuts()
        if cut.hosts & hosts and (cut.level == "host" or uplinks)
        for port in (cut.egress, cut.ingress)
    ]
    return min(port.rate_bps for port in ports) / 8e6 * fabric.efficiency()


def _by_copying(op: str, size_bytes: int, ranks: int, constants: Constants) -> dict[str, float]:
    """The bytes the busiest rank receives under the algorithm that moves fewest of them."""
    share = min(byte_shares(op, ranks).values())
    time_us = constants.copy_time_us(share * size_bytes)
    return {SHARED_MEMORY: time_us} if time_us else {}
