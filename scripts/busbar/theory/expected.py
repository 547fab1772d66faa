"""The time to expect: latency + bytes/bandwidth for each well-known algorithm.

The models are those of Thakur, Rabenseifner and Gropp, "Optimization of Collective Communication
Operations in MPICH", 2005, sections 3 and 4: a message of m bytes takes alpha + m * beta, every
rank sends and receives one message at a time, and combining costs nothing. They assume one rank
per host. Beta is the slowest link's line rate less protocol overhead; alpha is a constant.

Through shared memory a byte costs at least one copy by the rank that receives it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, log2

from busbar.fabrics.model import Fabric
from busbar.theory.bound import operation
from busbar.theory.constants import Constants

SHARED_MEMORY = "one copy per byte received"


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
    "ping_pong": {"direct": _direct},
    "bidirectional": {"direct": _direct},
    "barrier": {"dissemination": _dissemination},
}


def expected(
    fabric: Fabric, op: str, size_bytes: int, placement: Sequence[str], constants: Constants
) -> list[Expected]:
    """One entry per algorithm that is modelled, fastest first.

    Empty where a constant is unknown, where `op` gave a constant, where nothing is exchanged, or
    where hosts carry several ranks, which these models leave out. Raises UsageError for an
    unknown operation. For shared memory only the length of `placement` counts.
    """
    what = operation(op)
    ranks = len(placement)
    if ranks < 2 or op in constants.fitted_ops or op not in _MODELS:
        return []
    if fabric.kind == "shared_memory":
        times = _by_copying(op, size_bytes, ranks, constants)
    elif len(set(placement)) == ranks:
        times = _by_messages(fabric, op, size_bytes, placement, constants)
    else:
        times = {}
    found = [
        Expected(name, time_us, algbw, algbw * what.bus_factor(ranks))
        for name, time_us in times.items()
        for algbw in [size_bytes / time_us / 1000]
    ]
    return sorted(found, key=lambda e: e.time_us)


def _by_messages(
    fabric: Fabric, op: str, size_bytes: int, placement: Sequence[str], constants: Constants
) -> dict[str, float]:
    if constants.message_us is None:
        return {}
    ports = [p for c in fabric.cuts() if c.hosts & set(placement) for p in (c.egress, c.ingress)]
    payload_per_us = min(port.rate_bps for port in ports) / 8e6 * fabric.efficiency()
    return {
        name: cost.messages * constants.message_us + cost.bytes_share * size_bytes / payload_per_us
        for name, model in _MODELS[op].items()
        for cost in [model(len(placement))]
    }


def _by_copying(op: str, size_bytes: int, ranks: int, constants: Constants) -> dict[str, float]:
    """The bytes the busiest rank receives under the algorithm that moves fewest of them."""
    share = min(model(ranks).bytes_share for model in _MODELS[op].values())
    time_us = constants.copy_time_us(share * size_bytes)
    return {SHARED_MEMORY: time_us} if time_us else {}
