"""Records of one operation by NCCL on nodes of GPUs, at a bandwidth of choice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from busbar.check import RowResult
from busbar.check import check as judge
from busbar.fabrics import Fabric
from busbar.record.fold import fold
from busbar.record.key import Group, PointKey
from busbar.record.lines import EndLine, JournalLine, RunLine
from busbar.record.models import (
    SCHEMA_VERSION,
    Host,
    PlannedPoint,
    Process,
    RunRecord,
    System,
    Variant,
)
from busbar.theory.operations import OPERATIONS
from factories import FINISHED, Example, Row, block_line, launch_line, run

SIZE = 16 << 30
_LAUNCHES = 5


def at(
    busbw_gbs: float,
    hosts: Sequence[str],
    op: str = "all_reduce",
    *,
    algorithm: str | None = None,
    in_network: bool | None = None,
    settings: dict[str, str] | None = None,
    group: Group | None = None,
    size: int = SIZE,
    **run_fields: Any,
) -> RunRecord:
    """One rank on each of `hosts`, in order; the bus bandwidth is that of one communicator."""
    ranks = len(hosts)
    group = group or Group(name="all", ranks=f"0-{ranks - 1}", nodes=len(set(hosts)))
    members = len(group.members()[0])
    factor = OPERATIONS[op].bus_factor(members)
    rooted = op in ("broadcast", "reduce", "gather", "scatter", "one_way")
    key = PointKey(
        transport="nccl", op=op, size_bytes=size, datatype="float",
        redop="sum" if op in ("all_reduce", "reduce_scatter", "reduce") else None,
        root=0 if rooted else None, in_place=False, memory="device", registration="none",
        graph=False, threads=1, timing="isolated", clock_scope="host", variant="default",
        group=group,
    )  # fmt: skip
    asked = run(Example(rows=[], overrides=run_fields))
    planned = PlannedPoint(key=key.planned(), need="required", evidence=None)
    variant = Variant(name="default", environment={}, settings=settings or {})
    plan = asked.plan.model_copy(update={"rows": [planned], "variants": [variant]})
    asked = asked.model_copy(update={"plan": plan})
    lines: list[JournalLine] = [RunLine(schema_version=SCHEMA_VERSION, run=asked)]
    for launch in range(_LAUNCHES):
        time_us = size * factor / busbw_gbs / 1000 * (1 + 1e-3 * launch)
        line = block_line(Row("all_reduce", size), launch, [time_us] * 3)
        seen = line.block.observed.model_copy(
            update={"algorithm": algorithm, "in_network": in_network, "how": ["profiler"]}
        )
        body = line.block.model_copy(update={"wire": None, "observed": seen, "ranks": None})
        lines.append(_launch(launch, hosts))
        lines.append(line.model_copy(update={"key": key, "bus_factor": factor, "block": body}))
    return fold([*lines, EndLine(finished=FINISHED, status="complete")])


def judged(record: RunRecord, fabric: Fabric) -> RowResult:
    """The only row."""
    (row,) = judge(record, fabric, accept_fake=True).rows
    return row


def _launch(launch: int, hosts: Sequence[str]) -> JournalLine:
    first = launch_line(launch)
    process, host = first.processes[0], first.system.hosts[0]
    workers: list[Process] = [
        process.model_copy(update={"rank": rank, "host": name, "pid": 1 + rank})
        for rank, name in enumerate(hosts)
    ]
    there: list[Host] = [host.model_copy(update={"name": name}) for name in dict.fromkeys(hosts)]
    system: System = first.system.model_copy(update={"hosts": there})
    return launch_line(launch, transport="nccl", processes=workers, system=system)
