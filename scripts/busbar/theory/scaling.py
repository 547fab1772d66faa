"""How an algorithm's messages and bytes grow with the ranks, by the name its library gives it.

What was measured with some ranks can then be said of others. `expected` supposes an algorithm and
says what it should take; for what was measured only the growth is supposed.

Counts are those of Thakur, Rabenseifner and Gropp, "Optimization of Collective Communication
Operations in MPICH", 2005 (linear and binomial: 3; ring, Bruck and recursive doubling: 4.1 to 4.5),
for neighbor exchange of Chen, Zhang and Yuan, "Performance Evaluation of Allgather Algorithms on
Terascale Linux Cluster with Fast Ethernet", 2005. Names are those that Open MPI's coll_tuned gives
its algorithms. One that hands its messages on in segments is missing: its growth depends on their
number as well.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, floor, log2


@dataclass(frozen=True)
class Growth:
    """What one execution puts through the busiest rank."""

    messages: float
    """One after another."""
    bytes_share: float
    """Bytes over S that they carry."""


_Model = Callable[[int], Growth | None]


def _pairwise(n: int) -> Growth:
    return Growth(n - 1, (n - 1) / n)


def _halving(n: int) -> Growth:
    return Growth(ceil(log2(n)), (n - 1) / n)


def _tree(n: int) -> Growth:
    return Growth(ceil(log2(n)), ceil(log2(n)))


def _root_alone(n: int) -> Growth:
    return Growth(n - 1, n - 1)


def _twice(model: _Model) -> _Model:
    def both(n: int) -> Growth | None:
        one = model(n)
        return None if one is None else Growth(2 * one.messages, 2 * one.bytes_share)

    return both


def _folded(model: _Model) -> _Model:
    """Beyond a power of two the ranks too many hand all to others first, and are told at last."""

    def with_the_rest(n: int) -> Growth | None:
        most = 1 << floor(log2(n))
        one = model(most)
        if one is None or most == n:
            return one
        return Growth(one.messages + 2, one.bytes_share + 2)

    return with_the_rest


def _powers_of_two(model: _Model) -> _Model:
    return lambda n: model(n) if n.bit_count() == 1 else None


def _bruck(n: int) -> Growth:
    return Growth(ceil(log2(n)), sum(distance.bit_count() for distance in range(n)) / n)


def _doubled_scatter(n: int) -> Growth:
    return Growth(log2(n), log2(n) - (n - 1) / n)


def _neighbours(n: int) -> Growth | None:
    return Growth(n / 2, (n - 1) / n) if n % 2 == 0 else None


def _messages(count: Callable[[int], float]) -> _Model:
    return lambda n: Growth(count(n), 0)


def _direct(n: int) -> Growth:
    return Growth(1, 1)


_MODELS: dict[str, dict[str, _Model]] = {
    "all_reduce": {
        "linear": _twice(_root_alone),
        "recursive doubling": _folded(_tree),
        "ring": _twice(_pairwise),
        "tree": _twice(_tree),
        "rabenseifner": _folded(_twice(_halving)),
    },
    "all_gather": {
        "bruck": _halving,
        "recursive doubling": _powers_of_two(_halving),
        "ring": _pairwise,
        "neighbor exchange": _neighbours,
    },
    "reduce_scatter": {
        "recursive doubling": _powers_of_two(_doubled_scatter),
        "recursive halving": _powers_of_two(_halving),
        "butterfly": _powers_of_two(_halving),
        "ring": _pairwise,
    },
    "all_to_all": {
        "linear": _pairwise,
        "pairwise": _pairwise,
        "modified bruck": _bruck,
        "linear with sync": _pairwise,
    },
    "all_to_allv": {"linear": _pairwise, "pairwise": _pairwise},
    "broadcast": {"linear": _root_alone, "binomial tree": _tree},
    "reduce": {"linear": _root_alone, "binomial tree": _tree},
    "gather": {"linear": _pairwise, "linear with sync": _pairwise, "binomial tree": _halving},
    "scatter": {"linear": _pairwise, "binomial tree": _halving},
    "barrier": {
        "linear": _messages(lambda n: 2 * (n - 1)),
        "double ring": _messages(lambda n: 2 * n),
        "recursive doubling": _folded(_messages(log2)),
        "bruck": _messages(lambda n: ceil(log2(n))),
        "tree": _messages(lambda n: 2 * ceil(log2(n))),
        "dissemination": _messages(lambda n: ceil(log2(n))),
    },
    "send_recv": {"direct": _direct},
    "one_way": {"direct": _direct},
    "ping_pong": {"direct": _direct},
    "bidirectional": {"direct": _direct},
}


def is_known(op: str, algorithm: str) -> bool:
    """Whether `growth` knows it for any number of ranks."""
    return algorithm in _MODELS.get(op, {})


def growth(op: str, algorithm: str, ranks: int) -> Growth | None:
    """What it takes with so many ranks, two or more; None where that is not known."""
    model = _MODELS.get(op, {}).get(algorithm)
    return model(ranks) if model is not None and ranks >= 2 else None
