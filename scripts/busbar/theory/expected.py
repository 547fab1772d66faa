"""The time to expect: latency + bytes/bandwidth for each well-known algorithm.

The models are those of Thakur, Rabenseifner and Gropp, "Optimization of Collective Communication
Operations in MPICH", 2005, sections 3 and 4: a message of m bytes takes alpha + m * beta, every
rank sends and receives one message at a time, and combining costs nothing. They assume one rank
per host, and one switch: several messages that share an uplink are beyond them. Beta is the slowest
link's line rate less protocol overhead; alpha is a constant.

A tree of switches that reduces takes data in chunks: a message up and one down for each level, the
bytes of the slowest link, and, as each switch passes on whole chunks, one chunk for every link
after the first.

Through shared memory a byte costs at least one copy by the rank that receives it.

Of a GPU cluster the algorithms are NCCL's, on any number of ranks per node (`theory.cluster`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, log2

from busbar.fabrics.model import Fabric
from busbar.theory.bound import operation
from busbar.theory.cluster.expected import candidates
from busbar.theory.cluster.layout import lay_out
from busbar.theory.cluster.shape import placed
from busbar.theory.constants import Constants
from busbar.theory.operations import Exchange

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


@dataclass(frozen=True)
class _Cost:
    """Messages one after another, and bytes over S that they carry."""

    messages: float
    bytes_share: float


_Model = Callable[[int], _Cost]


def _pairwise(n: int) -> _Cost:
    return _Cost(n - 1, (n - 1) / n)


def _tree(n: int) -> _Cost:
    return _Cost(ceil(log2(n)), ceil(log2(n)))


def _halving(n: int) -> _Cost:
    """A tree whose messages halve (or double) in size, as the chunks they carry part (or join)."""
    return _Cost(ceil(log2(n)), (n - 1) / n)


def _twice(model: _Model) -> _Model:
    def both(n: int) -> _Cost:
        one = model(n)
        return _Cost(2 * one.messages, 2 * one.bytes_share)

    return both


def _direct(n: int) -> _Cost:
    return _Cost(1, 1)


def _dissemination(n: int) -> _Cost:
    return _Cost(ceil(log2(n)), 0)


_MODELS: dict[str, dict[str, _Model]] = {
    "all_reduce": {
        "ring": _twice(_pairwise),
        "recursive doubling": _tree,
        "tree": _twice(_tree),
        "recursive halving and doubling": _twice(_halving),
    },
    "all_gather": {"ring": _pairwise, "recursive doubling": _halving},
    "reduce_scatter": {"ring": _pairwise, "recursive halving": _halving},
    "all_to_all": {"pairwise": _pairwise},
    "all_to_allv": {"pairwise": _pairwise},
    "broadcast": {"binomial tree": _tree},
    "reduce": {"binomial tree": _tree},
    "gather": {"binomial tree": _halving},
    "scatter": {"binomial tree": _halving},
    "send_recv": {"direct": _direct},
    "one_way": {"direct": _direct},
    "ping_pong": {"direct": _direct},
    "bidirectional": {"direct": _direct},
    "barrier": {"dissemination": _dissemination},
}


def expected(
    fabric: Fabric, op: str, size_bytes: int, placement: Sequence[str], constants: Constants
) -> list[Expected]:
    """One entry per algorithm that is modelled, fastest first.

    Empty where a constant is unknown, where `op` gave a constant, where nothing is exchanged, or
    where hosts carry several ranks or hang on several leaves, which these models leave out. Raises
    UsageError for an unknown operation. For shared memory only the length of `placement` counts,
    for a cluster its shape, and no constant is needed.
    """
    what = operation(op)
    ranks = len(placement)
    if fabric.cluster is not None:
        return _on_cluster(fabric, op, size_bytes, placement, in_network=False)
    if ranks < 2 or op in constants.fitted_ops or op not in _MODELS:
        return []
    if fabric.kind == "shared_memory":
        times = _by_copying(op, size_bytes, ranks, constants)
    elif len(set(placement)) == ranks and len(_leaves(fabric, placement)) < 2:
        times = _by_messages(fabric, op, size_bytes, placement, constants)
    else:
        times = {}
    found = [
        Expected(name, time_us, algbw, algbw * what.bus_factor(ranks))
        for name, time_us in times.items()
        for algbw in [size_bytes / time_us / 1000]
    ]
    return sorted(found, key=lambda e: e.time_us)


def _on_cluster(
    fabric: Fabric, op: str, size_bytes: int, placement: Sequence[str], *, in_network: bool
) -> list[Expected]:
    """By NCCL's algorithms, fastest first; empty for a placement without a shape."""
    what = operation(op)
    where = placed(what, placement)
    if fabric.cluster is None or where is None:
        return []
    able = candidates(fabric, lay_out(fabric.cluster, where.shape, where.root), op)
    factor = what.bus_factor(len(placement))
    found = [
        Expected(each.algorithm, time_us, algbw, algbw * factor)
        for each in able
        if each.in_network is in_network
        for time_us in [each.time_us(size_bytes)]
        for algbw in [size_bytes / time_us / 1000]
    ]
    return sorted(found, key=lambda e: e.time_us)


def _by_messages(
    fabric: Fabric, op: str, size_bytes: int, placement: Sequence[str], constants: Constants
) -> dict[str, float]:
    if constants.message_us is None:
        return {}
    payload_per_us = _slowest_payload_per_us(fabric, placement)
    return {
        name: cost.messages * constants.message_us + cost.bytes_share * size_bytes / payload_per_us
        for name, model in _MODELS[op].items()
        for cost in [model(len(placement))]
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
        found = _on_cluster(fabric, op, size_bytes, placement, in_network=True)
        return next(iter(found), None)
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
    chunk_us = min(chunk_bytes, size_bytes) / _slowest_payload_per_us(fabric, placement)
    time_us = 2 * levels * constants.message_us + streamed_us + (2 * levels - 1) * chunk_us
    algbw = size_bytes / time_us / 1000
    return Expected(IN_NETWORK, time_us, algbw, algbw * what.bus_factor(len(placement)))


def byte_shares(op: str, ranks: int) -> dict[str, float]:
    """Bytes over S that each modelled algorithm passes through one port, one after another."""
    if ranks < 2:
        return {}
    return {name: model(ranks).bytes_share for name, model in _MODELS.get(op, {}).items()}


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
    share = min(model(ranks).bytes_share for model in _MODELS[op].values())
    time_us = constants.copy_time_us(share * size_bytes)
    return {SHARED_MEMORY: time_us} if time_us else {}
