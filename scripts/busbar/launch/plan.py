"""The points that a sweep asks for, and the plan that the record keeps."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from busbar.errors import UsageError
from busbar.launch.binary import Described, OperationInfo
from busbar.launch.options import MeasureOptions, SweepOptions
from busbar.record.key import Timing
from busbar.record.models import Group, Plan, PlannedPoint, PointKey
from busbar.units import sweep

_PLACEMENTS = {"out": [False], "in": [True], "both": [False, True]}
_TIMINGS: dict[str, Timing] = {"isolated": "isolated", "pipelined": "pipelined"}


def make_plan(
    what: SweepOptions, how: MeasureOptions, described: Described, ranks: int, transport: str
) -> Plan:
    """Every point of the sweep under every variant, all of them required.

    Raises UsageError for what is unknown or does not fit so many ranks.
    """
    rows = [
        PlannedPoint(key=key, need="required", evidence=None)
        for key in planned_keys(what, how, described, ranks, transport)
    ]
    if not rows:
        raise UsageError("nothing to measure: no operation was named that fits these options.")
    return Plan(
        rows=rows,
        variants=how.variants,
        launches=how.launches,
        stopping=how.stopping,
        warmup=how.warmup,
        rest_us=how.rest_us,
        deadline_seconds=how.deadline_seconds,
    )


def planned_keys(
    what: SweepOptions, how: MeasureOptions, described: Described, ranks: int, transport: str
) -> Iterator[PointKey]:
    """One key per point and variant, in the order of the sweep."""
    for operator in what.redops:
        described.check_redop(operator)
    if what.in_place not in _PLACEMENTS:
        raise UsageError(f"unknown placement '{what.in_place}'; accepted: out, in, both")
    group = Group(name="all", ranks=f"0-{ranks - 1}" if ranks > 1 else "0", nodes=None)
    for name, datatype, timing in product(what.operations, what.datatypes, what.timings):
        info = described.operation(name)
        if ranks < info.min_ranks:
            raise UsageError(f"{name} needs at least {info.min_ranks} ranks; this run has {ranks}")
        if timing not in _TIMINGS:
            raise UsageError(f"unknown timing '{timing}'; accepted: isolated, pipelined")
        sizes = fitting_sizes(info, what, described.element_bytes(datatype), ranks)
        redops: list[str | None] = list(what.redops) if info.reduces else [None]
        placements = _PLACEMENTS[what.in_place] if info.in_place else [False]
        for redop, in_place, size, variant in product(redops, placements, sizes, how.variants):
            yield PointKey(
                transport=transport,
                op=name,
                size_bytes=size,
                datatype=datatype,
                redop=redop,
                root=what.root if info.rooted else None,
                in_place=in_place,
                memory="host",
                registration="none",
                graph=False,
                threads=1,
                timing=_TIMINGS[timing],
                clock_scope="host",
                variant=variant.name,
                group=group,
            )


def fitting_sizes(info: OperationInfo, what: SweepOptions, element: int, ranks: int) -> list[int]:
    """The sweep's sizes, each raised to the next that the operation can carry, each once.

    A total over all ranks must give every rank the same whole number of elements, as NCCL and
    MPI ask for.
    """
    if not info.has_data:
        return [0]
    unit = element * (ranks if info.chunked else 1)
    raised = [
        -(-size // unit) * unit for size in sweep(what.min_bytes, what.max_bytes, what.factor)
    ]
    return list(dict.fromkeys(raised))
