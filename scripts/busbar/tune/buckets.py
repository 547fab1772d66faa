"""From all the sizes of a workload to the few that are tuned.

Applications use hundreds of sizes, and each one that is tuned costs minutes. Within a factor of two
time is close to a straight line in size (latency + bytes / bandwidth), and for a straight line the
executions of a bucket take together just as long as the same number of executions at their mean
size. So a bucket, from a power of two up to the next, becomes one point: counts are summed, the
size is the mean weighted by count. That keeps the number of executions exactly, and the bytes but
for rounding the mean to a size that the ranks can divide.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from fractions import Fraction

from busbar.datatypes import ELEMENT_BYTES
from busbar.tune.workload import Operation

_TOTALS = frozenset(
    {"all_gather", "reduce_scatter", "all_to_all", "all_to_allv", "gather", "scatter"}
)
"""Operations whose size is a total over ranks, each with as many elements."""


def in_buckets(operations: Iterable[Operation], ranks: int) -> list[Operation]:
    """One operation for each op, datatype, redop and power of two, rising by size.

    Sizes are rounded to the nearest multiple of what the ranks can divide (`unit_bytes`), and one
    such unit at least. A bucket with one size that is a multiple already keeps it.
    """
    buckets: dict[tuple[str, str, str | None, int], list[Operation]] = defaultdict(list)
    for one in operations:
        buckets[one.op, one.datatype, one.redop, one.size_bytes.bit_length()].append(one)
    found: dict[tuple[str, str, str | None, int], float] = defaultdict(float)
    for (op, datatype, redop, _), members in buckets.items():
        size = _mean_size(members, unit_bytes(op, datatype, ranks))
        found[op, datatype, redop, size] += sum(member.count for member in members)
    return [
        Operation(op=op, datatype=datatype, redop=redop, size_bytes=size, count=count)
        for (op, datatype, redop, size), count in sorted(
            found.items(), key=lambda item: (*item[0][:2], item[0][2] or "", item[0][3])
        )
    ]


def unit_bytes(op: str, datatype: str, ranks: int) -> int:
    """The sizes of an operation are multiples of this: an element, or one for each rank."""
    return ELEMENT_BYTES[datatype] * (ranks if op in _TOTALS else 1)


def _mean_size(members: list[Operation], unit: int) -> int:
    """Exact arithmetic: sizes beyond 2^53 bytes are rare, but a sum of many gets there."""
    if members[0].op == "barrier":
        return 0
    counts = [Fraction(member.count) for member in members]
    total = sum(
        (member.size_bytes * n for member, n in zip(members, counts, strict=True)), Fraction()
    )
    return max(1, round(total / sum(counts) / unit)) * unit
