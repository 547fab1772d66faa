"""Valid example records and journals: what the tests of judges and reports are fed with.

The figures imitate four emulated hosts with 400 Mbit/s each. Nothing measured them, so `run.fake`
is true; they depend on nothing but their arguments.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from busbar.record.fold import fold
from busbar.record.journal import JournalWriter
from busbar.record.key import Group, PointKey
from busbar.record.lines import BlockLine, EndLine, JournalLine, LaunchLine, ProblemLine, RunLine
from busbar.record.models import (
    SCHEMA_VERSION,
    BlockBody,
    Clock,
    Estimators,
    Host,
    Nic,
    Observed,
    Plan,
    PlannedPoint,
    Process,
    RankTimes,
    Run,
    RunRecord,
    Stopping,
    System,
    Variant,
    Warmup,
    Wire,
)

HOSTS = 4
RATE_BYTES_PER_US = 400e6 / 8 / 1e6
WIRE_PER_PAYLOAD = 9014 / 8948  # TCP over Ethernet with MTU 9000
BURST_BYTES = 65536
SMALL_US = 50.0  # what the smallest messages take
STARTED = "2026-01-01T00:00:00.000Z"
FINISHED = "2026-01-01T00:03:00.000Z"
KIB, MIB = 1 << 10, 1 << 20

# Bus factor at 4 ranks, payload bytes each node sends over S, and whether the operation reduces.
_OPS: dict[str, tuple[float, float, bool]] = {
    "all_reduce": (1.5, 1.5, True),
    "all_to_all": (0.75, 0.75, False),
    "all_to_allv": (0.75, 0.75, False),
    "all_gather": (0.75, 0.75, False),
    "reduce_scatter": (0.75, 0.75, True),
    "broadcast": (1.0, 1.0, False),
    "reduce": (1.0, 1.0, True),
    "gather": (0.75, 0.75, False),
    "scatter": (0.75, 0.75, False),
    "send_recv": (1.0, 1.0, False),
    "one_way": (1.0, 1.0, False),
    "ping_pong": (1.0, 1.0, False),
    "bidirectional": (1.0, 1.0, False),
    "barrier": (0.0, 0.0, False),
    "null": (0.0, 0.0, False),
    "memory_copy": (1.0, 0.0, False),
}
_ROOTED = ("one_way", "broadcast", "reduce", "gather", "scatter")


@dataclass(frozen=True)
class Row:
    """One point of an example and how it fares."""

    op: str
    size_bytes: int
    efficiency: float = 0.97
    """Of the shortest time its bytes can take: about the share of the bound a judge finds."""
    variant: str = "default"
    need: str = "required"
    evidence: str | None = None
    launches: int | None = None
    """How many launches measured it; None: as many as the plan has."""
    wrong_elements: int = 0
    spoiled: int = 0
    """Spoiled samples in each block."""
    hang: bool = False
    spread: float = 0.003
    """Relative standard deviation between launches."""
    wire_share: float | None = None
    """Payload bytes each node sends, and receives, over S; None: as the variant does at best."""
    in_network: bool | None = None
    """What the engine or the library says of itself."""


IN_NETWORK = "in_network"
"""The variant that asks for reduction in the network."""


def default_rows() -> list[Row]:
    """Every kind of operation, small and large, all_reduce under two variants."""
    sizes = (KIB, 64 * KIB, MIB, 4 * MIB)
    rows = [Row(op, size, _efficiency(size)) for op in _OPS if op not in ("barrier", "null")
            for size in sizes]  # fmt: skip
    rows += [Row("all_reduce", size, 0.9 * _efficiency(size), "ring") for size in sizes]
    return [*rows, Row("barrier", 0), Row("null", 0)]


def mixed_rows() -> list[Row]:
    """A row of each verdict when judged against emulated-4x400m."""
    return [
        Row("send_recv", 2 * MIB, 0.985),
        Row("send_recv", 4 * MIB, 0.5),
        Row("all_reduce", 4 * MIB, hang=True),
        Row("all_reduce", 2 * MIB, launches=0),
        Row("send_recv", MIB, launches=1),
        Row("barrier", 0, need="waived", evidence="not <asked> for"),
        Row("gather", 4 * MIB, 0.9),
    ]


@dataclass(frozen=True)
class Example:
    """What an example record contains; the default is a healthy run."""

    rows: Sequence[Row] = field(default_factory=default_rows)
    launches: int = 5
    samples: int = 20
    seed: int = 1
    overrides: dict[str, Any] = field(default_factory=dict)
    """Fields of `Run` to replace, such as `{"fake": False}`."""


def point_key(op: str, size_bytes: int, variant: str = "default", nodes: int | None = HOSTS,
              ranks: int = HOSTS) -> PointKey:  # fmt: skip
    """The key of a point as transport `mpi` reports it; `nodes` None as a plan has it."""
    reduces = _OPS[op][2]
    return PointKey(
        transport="mpi", op=op, size_bytes=size_bytes, datatype="float",
        redop="sum" if reduces else None, root=0 if op in _ROOTED else None, in_place=False,
        memory="host", registration="none", graph=False, threads=1, timing="isolated",
        clock_scope="host", variant=variant,
        group=Group(name="all", ranks=f"0-{ranks - 1}", nodes=nodes),
    )  # fmt: skip


def journal_lines(example: Example | None = None) -> list[JournalLine]:
    """The journal of a whole run."""
    example = example or Example()
    rng = random.Random(example.seed)
    lines: list[JournalLine] = [RunLine(schema_version=SCHEMA_VERSION, run=run(example))]
    for launch in range(example.launches):
        lines.append(launch_line(launch))
        for row in example.rows:
            if launch < (example.launches if row.launches is None else row.launches):
                lines.append(_visit(row, launch, example.samples, rng))
    return [*lines, EndLine(finished=FINISHED, status="complete")]


def record(example: Example | None = None) -> RunRecord:
    """The record of a whole run."""
    return fold(journal_lines(example))


def record_of(rows: Iterable[Row], **fields: Any) -> RunRecord:
    """The record of a run with these rows; `fields` as `Example` has them."""
    return record(Example(rows=list(rows), **fields))


def write_journal(path: Path, example: Example | None = None, *, end: bool = False) -> Path:
    """Write the journal of a run, killed before its end unless `end`."""
    first, *rest = journal_lines(example)
    assert isinstance(first, RunLine)
    with JournalWriter.create(path, first.run) as writer:
        for line in rest if end else rest[:-1]:
            writer.append(line)
    return path


def run(example: Example) -> Run:
    """The run of an example."""
    names = list(dict.fromkeys(["default", *(row.variant for row in example.rows)]))
    plan = Plan(
        rows=[
            PlannedPoint.model_validate({
                "key": point_key(row.op, row.size_bytes, row.variant, nodes=None),
                "need": row.need, "evidence": row.evidence,
            })
            for row in example.rows
        ],
        variants=[Variant(name=name, environment={}, settings=_settings(name)) for name in names],
        launches=example.launches,
        stopping=Stopping(relative_ci=0.02, min_samples=10, max_samples=1000, max_seconds=1.0),
        warmup=Warmup(min_samples=2, min_seconds=0.02),
        rest_us=0.0,
        deadline_seconds=60.0,
    )  # fmt: skip
    fields: dict[str, Any] = {
        "id": "example", "started": STARTED, "finished": None, "status": "running",
        "command": ["busbar", "run", "--on", "emulated"], "plan": plan, "seed": example.seed,
        "on": "emulated", "fabric": "emulated-4x400m", "emulated": True, "simulated": False,
        "fake": True,
        "emulation": {"hosts": HOSTS, "rate_bps": 400e6, "burst_bytes": 65536,
                      "overrides": []},
        "scenario": None, "background": None,
        "segments": [{"started": STARTED, "fingerprint": "0f1e2d"}],
    }  # fmt: skip
    return Run.model_validate({**fields, **example.overrides})


def launch_line(launch: int, **changes: Any) -> LaunchLine:
    """The line of launch number `launch`; `changes` replaces fields."""
    hosts = [f"host{n}" for n in range(1, HOSTS + 1)]
    nic = Nic(name="eth0", speed_mbps=None, mtu=9000, driver="veth")
    line = LaunchLine(
        launch=launch, slot=launch, purpose="measure", variant_environment={}, protocol=1,
        transport="mpi", started=STARTED, init_us=81234.0,
        processes=[
            Process(rank=rank, host=host, role="worker", pid=4711 + rank, cpus="0-1", gpu=None,
                    nics=["eth0"], clock_domain=0)
            for rank, host in enumerate(hosts)
        ],
        settings={"OMPI_MCA_btl": "self,tcp"}, nccl_conf=None,
        system=System(
            hosts=[Host(name=host, cpu="Example CPU", cores=2, memory_bytes=25_000_000_000,
                        kernel="6.1", os="Debian 12", nics=[nic]) for host in hosts],
            gpus=[], versions={"busbar": "0.1.0", "mpi": "Open MPI v4.1.4"},
        ),
        clock=Clock(source="monotonic", domains=1, error_us=0.0), environment={"load_1m": 0.4},
    )  # fmt: skip
    return line.model_copy(update=changes)


def block_line(row: Row, launch: int, samples_us: Sequence[float]) -> BlockLine:
    """A block with exactly these samples."""
    bus_factor = _OPS[row.op][0]
    count = len(samples_us)
    sent = float(round(_wire_share(row) * row.size_bytes * 1.009))
    body = BlockBody(
        round=launch, t0_s=1.0 + launch, samples_us=list(samples_us), stop_reason="relative_ci",
        late_rank=[None] * count, last_rank=[HOSTS - 1] * count,
        ranks=RankTimes(arrival_us=[0.03, 0.04, 0.03, 0.05],
                        finish_us=[samples_us[0] - 3.0 + rank for rank in range(HOSTS)]),
        clock_error_us=0.0, first_call_us=1.3 * samples_us[0], prepare_us=310.0,
        estimators=Estimators(osu_mean=0.98 * samples_us[0], nccltests_pipelined=None),
        checked_elements=row.size_bytes // 4, wrong_elements=row.wrong_elements,
        verified="every_block", executions=count + 2,
        errors={"drops": row.spoiled, "errors": 0, "retransmits": 0},
        spoiled_samples=list(range(row.spoiled)), throttled=None,
        wire=Wire(tx_bytes_per_node=[sent] * HOSTS, rx_bytes_per_node=[sent] * HOSTS),
        observed=Observed(algorithm=None, protocol=None, channels=None,
                          in_network=row.in_network,
                          how=["NIC byte counters"], bytes_per_peer=None),
    )  # fmt: skip
    return BlockLine(
        launch=launch, key=point_key(row.op, row.size_bytes, row.variant),
        algorithm_bytes=row.size_bytes, bus_factor=bus_factor, block=body,
    )  # fmt: skip


def _visit(row: Row, launch: int, samples: int, rng: random.Random) -> JournalLine:
    if row.hang:
        return ProblemLine(launch=launch, key=point_key(row.op, row.size_bytes, row.variant),
                           status="hang", reason="Rank 2 on host3 never arrived.")  # fmt: skip
    wire_bytes = _wire_share(row) * row.size_bytes * WIRE_PER_PAYLOAD
    least_us = (wire_bytes - BURST_BYTES) / RATE_BYTES_PER_US
    centre = max(least_us / row.efficiency, SMALL_US) * max(0.5, rng.gauss(1.0, row.spread))
    return block_line(row, launch, [centre * (1 + abs(rng.gauss(0, 0.001)))
                                    for _ in range(samples)])  # fmt: skip


def _settings(variant: str) -> dict[str, str]:
    known = {"default": {}, IN_NETWORK: {"in_network": "tree"}}
    return known.get(variant, {"coll_tuned_allreduce_algorithm": "4"})


def _wire_share(row: Row) -> float:
    if row.wire_share is not None:
        return row.wire_share
    return 1.0 if row.variant == IN_NETWORK else _OPS[row.op][1]


def _efficiency(size_bytes: int) -> float:
    """Rises with size, as start-up time weighs less: 0.97 at 4 MiB."""
    return 0.985 * size_bytes / (size_bytes + 16 * KIB)
