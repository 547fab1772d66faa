"""Records of a simulated study of scaling, by the share of the bound that each point reaches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from networks import two_levels

from busbar.record.fold import fold
from busbar.record.key import Group, PointKey, format_ranks
from busbar.record.lines import BlockLine, EndLine, JournalLine, RunLine
from busbar.record.models import SCHEMA_VERSION, PlannedPoint, Process, RunRecord
from busbar.report.judge import judge
from busbar.report.rows import Judged
from busbar.theory.bound import bound
from factories import FINISHED, IN_NETWORK, Example, Row, block_line, launch_line, point_key, run

HOSTS = 16
RATE_GBS = 1.0
FABRIC = two_levels([(8e9, 8e9)] * HOSTS, [(16e9, 16e9)] * 4)
"""Four hosts with 1 GB/s below each of four leaves, whose uplinks carry half of that."""
REPORTED = "busbar reduced on leaf1-agg: 1 tree(s), levels 1, chunk 32768 bytes, window 8"

At = tuple[str, int, int]
"""A variant, a size and a number of hosts."""


def scaled(shares: Mapping[At, float | None], op: str = "all_to_all", **changes: Any) -> RunRecord:
    """One launch on all hosts; None for what was planned and not measured.

    `changes` replaces fields of the run.
    """
    rows = list(dict.fromkeys(Row(op, size, variant=variant) for variant, size, _ in shares))
    simulated = {
        "simulated": True, "emulated": False, "fake": False, "emulation": None,
        "on": "simulated", "fabric": FABRIC.name, "command": ["busbar", "run"],
    }  # fmt: skip
    header = run(Example(rows=rows, launches=1, overrides=simulated | changes))
    planned = [
        PlannedPoint(key=_key(op, at, nodes=None), need="required", evidence=None) for at in shares
    ]
    plan = header.plan.model_copy(update={"rows": planned})
    lines: list[JournalLine] = [
        RunLine(schema_version=SCHEMA_VERSION, run=header.model_copy(update={"plan": plan})),
        launch_line(0, processes=_processes()),
    ]
    lines += [_block(op, at, share) for at, share in shares.items() if share is not None]
    return fold([*lines, EndLine(finished=FINISHED, status="complete")])


def judged(record: RunRecord) -> Judged:
    """Against the fabric it was made by."""
    return judge("run", record, FABRIC)


def _processes() -> list[Process]:
    first = launch_line(0).processes[0]
    return [
        first.model_copy(update={"rank": n, "host": f"host{n + 1}", "pid": n + 1})
        for n in range(HOSTS)
    ]


def _key(op: str, at: At, nodes: int | None) -> PointKey:
    variant, size, hosts = at
    name = "all" if hosts == HOSTS else f"first {hosts} hosts"
    group = Group(name=name, ranks=format_ranks(range(hosts)), nodes=nodes)
    return point_key(op, size, variant).model_copy(update={"group": group})


def _block(op: str, at: At, share: float) -> BlockLine:
    variant, size, hosts = at
    in_network = variant == IN_NETWORK
    limit = bound(FABRIC, op, size, FABRIC.placement(nodes=hosts), in_network=in_network)
    assert limit is not None
    line = block_line(Row(op, size, variant=variant), 0, [limit.time_us / share])
    observed = line.block.observed.model_copy(
        update={"in_network": in_network, "how": [REPORTED] if in_network else []}
    )
    changes = {
        "ranks": None, "last_rank": [hosts - 1], "wire": None, "observed": observed,
    }  # fmt: skip
    return line.model_copy(
        update={
            "key": _key(op, at, nodes=hosts),
            "bus_factor": limit.busbw_gbs / limit.algbw_gbs,
            "block": line.block.model_copy(update=changes),
        }
    )
