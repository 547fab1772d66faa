"""What each operation must move across a cut, whatever algorithm carries it out.

`size_bytes` S follows nccl-tests: the buffer of all_reduce, broadcast, reduce and send_recv, and
the total over all ranks (chunks of S/n) of all_gather, reduce_scatter, all_to_all, gather and
scatter. Bus factors are those of nccl-tests, src/*.cu, getBw. They are stated here on their own,
apart from the engine, so that one can test the other.

A crossing is what must leave and what must enter a set of p of the n ranks. Ranks inside may
combine and copy among themselves for nothing, so each figure is a least one.

Where switches reduce and copy, as in the trees of SHARP, every rank's data goes up the tree and the
result comes down, so a set that holds the root contributes over its link too. Several ranks of a
host could combine before they send: what streams of their own cost more is no part of the least.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass


@dataclass(frozen=True)
class Exchange:
    """One execution of an operation among `ranks` ranks."""

    size_bytes: int
    ranks: int
    root: int = 0
    counts: Sequence[Sequence[float]] | None = None
    """all_to_allv: bytes [from][to]; None: shares as the engine has them (`_share`)."""


@dataclass(frozen=True)
class Crossing:
    """Least payload bytes out of and into a set of ranks."""

    out_bytes: float
    in_bytes: float


Ranks = Set[int] | range
"""Some of the ranks; a range where they follow each other, however many they are."""

Crosses = Callable[[Exchange, Ranks], Crossing]


@dataclass(frozen=True)
class Operation:
    """An operation in the eyes of theory."""

    bus_factor: Callable[[int], float]
    """Of the number of ranks."""
    phases: tuple[Crosses, ...]
    """One after another; the reported time is their mean. None: no network to bound it."""
    together: Callable[[Exchange, int], float] | None = None
    """Least bytes that K parts send in all, where that is more than each part's least added up.

    Must grow by the same with each part, and be 0 for one.
    """
    in_network: Crosses | None = None
    """What crosses where a tree of switches carries it out. None: it has nothing to do there."""
    reduces: bool = False
    """Whether data is combined, rather than passed on; a tree of switches does so too."""
    by_order: bool = False
    """Whether who exchanges with whom follows from the order of ranks; else only from the root."""


def _all_reduce(e: Exchange, inside: Ranks) -> Crossing:
    # Each element of the result depends on both sides: one combined contribution each way.
    return Crossing(e.size_bytes, e.size_bytes)


def _all_reduce_together(e: Exchange, parts: int) -> float:
    # Gossip with one-way messages among K parties needs 2(K-1) of them for each element
    # (Harary & Schwenk 1974, directed telegraph problem), and a ring needs no more.
    return 2.0 * (parts - 1) * e.size_bytes


def _all_gather(e: Exchange, inside: Ranks) -> Crossing:
    chunk, p = e.size_bytes / e.ranks, len(inside)
    return Crossing(p * chunk, (e.ranks - p) * chunk)


def _reduce_scatter(e: Exchange, inside: Ranks) -> Crossing:
    # The mirror of all_gather: combined contributions leave for every chunk outside.
    mirror = _all_gather(e, inside)
    return Crossing(mirror.in_bytes, mirror.out_bytes)


def _all_to_all(e: Exchange, inside: Ranks) -> Crossing:
    p = len(inside)
    crossing = p * (e.ranks - p) * e.size_bytes / e.ranks
    return Crossing(crossing, crossing)


def _share(ranks: int, distance: int) -> float:
    """Of all_to_allv, in chunks of S/n, what a rank sends to the one so many ranks on.

    As collectives/all_to_allv.cpp has it: half a chunk more at odd distances and half a chunk less
    at even ones, one chunk to itself and at a last distance that has no partner. There chunks are
    whole elements, so that of an odd number each share is up to half an element more or less.
    """
    if distance == 0 or (distance == ranks - 1 and distance % 2 == 1):
        return 1.0
    return 1.5 if distance % 2 == 1 else 0.5


def _all_to_allv(e: Exchange, inside: Ranks) -> Crossing:
    if e.counts is None and isinstance(inside, range):
        # Of p ranks in a row the shares at odd and even distances cancel, but for half a chunk
        # where both p and n are even.
        both_even = len(inside) % 2 == 0 and e.ranks % 2 == 0
        even = _all_to_all(e, inside).out_bytes
        crossing = even - (0.5 * e.size_bytes / e.ranks if even and both_even else 0.0)
        return Crossing(crossing, crossing)
    n, chunk = e.ranks, e.size_bytes / e.ranks
    outside = [rank for rank in range(n) if rank not in inside]

    def bytes_to(a: int, b: int) -> float:
        return chunk * _share(n, (b - a) % n) if e.counts is None else e.counts[a][b]

    return Crossing(
        sum(bytes_to(i, o) for i in inside for o in outside),
        sum(bytes_to(o, i) for i in inside for o in outside),
    )


def _broadcast(e: Exchange, inside: Ranks) -> Crossing:
    return Crossing(e.size_bytes, 0.0) if e.root in inside else Crossing(0.0, e.size_bytes)


def _reduce(e: Exchange, inside: Ranks) -> Crossing:
    mirror = _broadcast(e, inside)
    return Crossing(mirror.in_bytes, mirror.out_bytes)


def _scatter(e: Exchange, inside: Ranks) -> Crossing:
    chunk, p = e.size_bytes / e.ranks, len(inside)
    if e.root in inside:
        return Crossing((e.ranks - p) * chunk, 0.0)
    return Crossing(0.0, p * chunk)


def _gather(e: Exchange, inside: Ranks) -> Crossing:
    mirror = _scatter(e, inside)
    return Crossing(mirror.in_bytes, mirror.out_bytes)


def _send_recv(e: Exchange, inside: Ranks) -> Crossing:
    """Every rank sends to the next and receives from the one before."""
    # Of ranks that follow each other only those at the ends have a neighbour outside.
    ends = (inside[:1], inside[-1:]) if isinstance(inside, range) else (inside, inside)
    leaving = sum((rank + 1) % e.ranks not in inside for rank in ends[1])
    entering = sum((rank - 1) % e.ranks not in inside for rank in ends[0])
    return Crossing(leaving * e.size_bytes, entering * e.size_bytes)


def _one_way(e: Exchange, inside: Ranks) -> Crossing:
    """The root sends to the next rank."""
    sender, receiver = e.root in inside, (e.root + 1) % e.ranks in inside
    return Crossing(
        float(e.size_bytes * (sender and not receiver)),
        float(e.size_bytes * (receiver and not sender)),
    )


def _first_to_last(e: Exchange, inside: Ranks) -> Crossing:
    first, last = 0 in inside, e.ranks - 1 in inside
    return Crossing(
        float(e.size_bytes * (first and not last)), float(e.size_bytes * (last and not first))
    )


def _last_to_first(e: Exchange, inside: Ranks) -> Crossing:
    mirror = _first_to_last(e, inside)
    return Crossing(mirror.in_bytes, mirror.out_bytes)


def _both_ends(e: Exchange, inside: Ranks) -> Crossing:
    one = _first_to_last(e, inside)
    both = one.out_bytes + one.in_bytes
    return Crossing(both, both)


def _tree_reduce(e: Exchange, inside: Ranks) -> Crossing:
    return Crossing(e.size_bytes, e.size_bytes if e.root in inside else 0.0)


def _tree_reduce_scatter(e: Exchange, inside: Ranks) -> Crossing:
    # Contributions to every chunk go up, also to the chunks of those inside.
    return Crossing(e.size_bytes, len(inside) * e.size_bytes / e.ranks)


def _no_data(e: Exchange, inside: Ranks) -> Crossing:
    return Crossing(0.0, 0.0)


def _one(ranks: int) -> float:
    return 1.0


def _zero(ranks: int) -> float:
    return 0.0


def _others(ranks: int) -> float:
    return (ranks - 1) / ranks


def _twice_others(ranks: int) -> float:
    return 2 * (ranks - 1) / ranks


SIZELESS = ("barrier", "null")  # operations that carry no data

OPERATIONS: dict[str, Operation] = {
    "all_reduce": Operation(_twice_others, (_all_reduce,), _all_reduce_together, _all_reduce, True),
    "all_gather": Operation(_others, (_all_gather,), in_network=_all_gather),
    "reduce_scatter": Operation(
        _others, (_reduce_scatter,), in_network=_tree_reduce_scatter, reduces=True
    ),
    "all_to_all": Operation(_others, (_all_to_all,)),
    "all_to_allv": Operation(_others, (_all_to_allv,), by_order=True),
    "send_recv": Operation(_one, (_send_recv,), by_order=True),
    "one_way": Operation(_one, (_one_way,), by_order=True),
    "broadcast": Operation(_one, (_broadcast,), in_network=_broadcast),
    "reduce": Operation(_one, (_reduce,), in_network=_tree_reduce, reduces=True),
    "gather": Operation(_others, (_gather,)),
    "scatter": Operation(_others, (_scatter,)),
    "ping_pong": Operation(_one, (_first_to_last, _last_to_first), by_order=True),
    "bidirectional": Operation(_one, (_both_ends,), by_order=True),
    "barrier": Operation(_zero, (), in_network=_no_data),
    "null": Operation(_zero, ()),
    "memory_copy": Operation(_one, ()),
}
