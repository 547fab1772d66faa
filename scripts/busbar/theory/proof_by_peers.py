"""Whether aggregators reduced, from the bytes that a library counted from process to process.

This tells where totals cannot: at two hosts as much is sent either way, but not to the same
processes. Aggregators are processes of the launch, so what went to them is in the matrix; a switch
is none, and of those a matrix says nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from busbar.theory.proof import CONTROL_BYTES, COUNTED_SHARE, Finding
from busbar.theory.wire import least_by_hosts

_CLEARLY = 3.0
_NEXT_TO_NOTHING = (
    0.01  # of what hosts alone need: an operation is carried out one way or the other
)


def prove_by_peers(
    op: str,
    size_bytes: int,
    placement: Sequence[str],
    ranks: Sequence[int],
    aggregators: Sequence[int],
    matrix: Sequence[Sequence[float]],
    root: int = 0,
) -> Finding | None:
    """What a matrix [from][to] of bytes per execution tells of one point; None: nothing.

    `ranks` are the processes of the group in order, `placement` the host of each.
    """
    needed = least_by_hosts(op, size_bytes, placement, root).sent
    if not aggregators or needed <= 0:
        return None
    among_hosts = sum(
        matrix[a][b]
        for a, host in zip(ranks, placement, strict=True)
        for b, other in zip(ranks, placement, strict=True)
        if host != other
    )
    to_aggregators = sum(matrix[a][b] for a in ranks for b in aggregators)
    error = CONTROL_BYTES * len(set(placement))
    shares = (
        f"of the {needed / size_bytes:.4g} times the size that hosts alone need, they sent each "
        f"other {among_hosts / size_bytes:.2f} and aggregators {to_aggregators / size_bytes:.2f}"
    )
    if among_hosts + _CLEARLY * error < needed and to_aggregators > _CLEARLY * error:
        return Finding(True, shares)
    beside = max(_NEXT_TO_NOTHING * needed, _CLEARLY * error)
    if among_hosts >= COUNTED_SHARE * needed and needed > beside > to_aggregators:
        return Finding(False, shares)
    return None
