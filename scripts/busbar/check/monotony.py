"""A dip between sizes: a row whose neighbour says that it could be faster.

Two rules that any sound library keeps, as a user could by hand (Träff, Gropp and Thakur,
"Self-consistent MPI Performance Guidelines", IEEE TPDS 21, 2010, 698):

* k times the data takes at most k times as long, for it could go in k pieces: bus bandwidth does
  not fall as sizes grow. Where the bound's own does (a token bucket lets the first bytes through at
  once), so much is allowed.
* Less data takes no longer, for it could be padded: time does not fall as sizes grow.

Launches are compared with themselves, so what slows a launch as a whole blames no size.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from busbar.check.claims import Claim, Kind, ratios
from busbar.check.measured import Measured
from busbar.units import format_size, percent

MOST_DIP = 0.10
"""Of bus bandwidth, or of time. Libraries change algorithm and protocol by size, at sizes that
somebody chose: where they chose a little early or late, a few per cent are lost. A tenth is what
the limits of a fabric leave too, and half of what a port at 80 % takes."""


def dips(rows: Sequence[Measured], most: float = MOST_DIP) -> Iterator[Claim]:
    """A claim for each row with a limit and each neighbour it has.

    What a plan requires without a limit must take no longer than more data does: latency decides
    there, and a library may well change its algorithm where bus bandwidth then falls.
    """
    curves: dict[object, list[Measured]] = {}
    for row in rows:
        curves.setdefault(row.key.model_copy(update={"size_bytes": 0}), []).append(row)
    for curve in curves.values():
        curve.sort(key=lambda row: row.key.size_bytes)
        following = {small.at: large for small, large in pairwise(curve)}
        for small, large in pairwise(curve):
            if not small.key.size_bytes:
                continue
            if large.judged and most < 1:  # a fall by all of it is no limit
                yield from _slower_per_byte(small, large, following.get(large.at), most)
            if small.judged or small.of_plan:
                yield from _slower_than_more(small, large, most)


def _slower_per_byte(
    small: Measured, large: Measured, next_one: Measured | None, most: float
) -> Iterator[Claim]:
    if (small.bound_us is None) != (large.bound_us is None):
        return  # what theory allows to change between them is not known
    grows = large.key.size_bytes / small.key.size_bytes
    found = ratios({launch: grows * us for launch, us in small.by_launch.items()}, large.by_launch)
    if found is None:
        return
    allowed = 1.0
    if small.bound_us is not None and large.bound_us is not None:
        allowed = min(1.0, grows * small.bound_us / large.bound_us)
    name = format_size(small.key.size_bytes)
    fall = 1 - _middle(found) / allowed
    again = ""
    if next_one is not None and _per_byte(next_one) < _per_byte(large):
        again = f", and {format_size(next_one.key.size_bytes)} has more again"
    beyond = " beyond what its bound explains" if allowed < 1 else ""
    sentence = (
        f"Its bus bandwidth dips: {fall:.0%} below that at {name}{beyond}{again}, where at most "
        f"{percent(most)} is accepted."
    )
    yield Claim(Kind.DIP, large.at, found, allowed * (1 - most), sentence)


def _slower_than_more(small: Measured, large: Measured, most: float) -> Iterator[Claim]:
    found = ratios(large.by_launch, small.by_launch)
    if found is None:
        return
    name = format_size(large.key.size_bytes)
    sentence = (
        f"It takes {1 / _middle(found) - 1:.0%} longer than {name}, which is more, where at most "
        f"{percent(most)} is accepted."
    )
    yield Claim(Kind.DIP, small.at, found, 1 / (1 + most), sentence)


def _per_byte(row: Measured) -> float:
    return _middle(tuple(row.by_launch.values())) / row.key.size_bytes


def _middle(values: Sequence[float]) -> float:
    return sorted(values)[len(values) // 2]
