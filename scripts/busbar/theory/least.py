"""The least time of a named algorithm: what it must push through one host's link.

Unlike `expected`, which says what an algorithm should take, this is a limit that it cannot beat, so
that a search may leave it out unseen. Only bytes are counted, not messages; only one after another
where the algorithm cannot but do them so; only where each host has one rank; and every link is as
fast as the fastest, as nobody knows which host the algorithm burdens.

Bytes over S, n ranks:

* linear: one rank takes in, or gives out, everybody's. An all_reduce first reduces to it, and then
  broadcasts from it, (n-1) each; an all_gather gathers, then broadcasts in some way; a
  reduce_scatter reduces in some way, then scatters.
* tree (all_reduce as a reduce and then a broadcast): the root takes S in before it gives S out.
* recursive doubling: log2 n exchanges of S, each of which needs the one before (Thakur et al.,
  "Optimization of Collective Communication Operations in MPICH", 2005, 4.5); as a reduce_scatter
  the ends of the exchanges are cut, log2 n - (n-1)/n (4.2).
* ring and pairwise: what no algorithm of hosts can do without, (n-1)/n, twice for an all_reduce.
* bruck (all_to_all): in step k every block whose distance has bit k (3.2).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil, log2

from busbar.fabrics.model import Fabric

_Share = Callable[[int], float]


def _pairwise(n: int) -> float:
    return (n - 1) / n


def _doubling(n: int) -> float:
    # Numbers that are no power of two need more; the whole steps below them are certain.
    return float(int(log2(n)))


def _bruck(n: int) -> float:
    return sum(distance.bit_count() for distance in range(n)) / n


_SHARES: dict[str, dict[str, _Share]] = {
    "all_reduce": {
        "linear": lambda n: 2.0 * (n - 1),
        "tree": lambda _: 2.0,
        "recursive doubling": _doubling,
        "ring": lambda n: 2 * _pairwise(n),
    },
    "all_gather": {"linear": lambda n: _pairwise(n) + 1, "ring": _pairwise},
    "reduce_scatter": {
        "linear": lambda n: 1 + _pairwise(n),
        "recursive doubling": lambda n: max(_pairwise(n), _doubling(n) - _pairwise(n)),
        "ring": _pairwise,
    },
    "all_to_all": {"pairwise": _pairwise, "bruck": _bruck},
    "reduce": {"linear": lambda n: float(n - 1)},
    "broadcast": {
        "linear": lambda n: float(n - 1),
        "binomial tree": lambda n: float(ceil(log2(n))),
    },
}


def models(op: str) -> tuple[str, ...]:
    """The algorithms that are known for an operation."""
    return tuple(_SHARES.get(op, ()))


def least_us(
    fabric: Fabric, op: str, model: str, size_bytes: int, placement: Sequence[str]
) -> float | None:
    """Microseconds below which no execution can end; None where this says nothing.

    Raises KeyError for an unknown model.
    """
    share = _SHARES[op][model]
    ranks = len(placement)
    if fabric.kind != "network" or ranks < 2 or len(set(placement)) < ranks:
        return None
    payload = share(ranks) * size_bytes
    on_wire = payload / fabric.efficiency()
    links = [cut for cut in fabric.cuts() if cut.level == "host"]
    return min(port.least_us(on_wire) for cut in links for port in (cut.egress, cut.ingress))
