"""Least payload bytes that must leave and enter each host, whatever algorithm carries it out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from busbar.theory.bound import operation
from busbar.theory.operations import Exchange


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

    Not for reductions inside the network, where a host may receive less. Raises UsageError for an
    unknown operation.
    """
    what = operation(op)
    exchange = Exchange(size_bytes, len(placement), root)
    found = []
    for host in dict.fromkeys(placement):
        inside = {rank for rank, where in enumerate(placement) if where == host}
        crossings = [] if len(inside) == len(placement) else what.phases
        each = [crosses(exchange, inside) for crosses in crossings]
        found.append(
            LeastBytes(host, sum(c.out_bytes for c in each), sum(c.in_bytes for c in each))
        )
    return found
