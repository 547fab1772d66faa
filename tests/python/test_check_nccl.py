"""What check and report say of launches on GPUs: fall-backs, shared and slowed GPUs, requests."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from busbar import fabrics
from busbar.check import CheckResult, Verdict
from busbar.check import check as judge
from busbar.check.findings import SOCKETS
from busbar.check.label import label
from busbar.check.table import print_result
from busbar.check.thresholds import Thresholds
from busbar.check.throttling import throttling
from busbar.errors import ExitCode
from busbar.record.fold import fold
from busbar.record.lines import BlockLine, JournalLine, LaunchLine, RunLine
from busbar.record.models import Block, Gpu, RunRecord, Variant
from busbar.record.point import GpuHealth, GpuState
from busbar.report.headline import headline
from busbar.report.judge import judge as report_judge
from factories import MIB, Example, Row, journal_lines, point_key

STAR = fabrics.emulated(4)
FALLEN = f"{SOCKETS} between hosts, although host1 has ens1 (mlx5_core), which can do RoCE."


def _record(
    *,
    observed: dict[str, Any] | None = None,
    settings: dict[str, str] | None = None,
    gpus: list[int | None] | None = None,
    visible: list[Gpu] | None = None,
    same_host: bool = False,
    block: dict[str, Any] | None = None,
    throttled: list[bool | None] | None = None,
    environment: dict[str, str] | None = None,
) -> RunRecord:
    """A healthy run of send_recv by NCCL with these changes; `throttled` by launch."""
    lines: list[JournalLine] = []
    for line in journal_lines(Example(rows=[Row("send_recv", 4 * MIB, 0.985)])):
        if isinstance(line, RunLine):
            variants = [Variant(name="default", settings=settings or {}, environment={})]
            if environment is not None:
                variants.append(Variant(name="other", settings={}, environment=environment))
            rows = [
                row.model_copy(update={"key": row.key.model_copy(update={"transport": "nccl"})})
                for row in line.run.plan.rows
            ]
            plan = line.run.plan.model_copy(update={"variants": variants, "rows": rows})
            line = line.model_copy(update={"run": line.run.model_copy(update={"plan": plan})})
        if isinstance(line, LaunchLine):
            numbers = gpus or [0, 0, 0, 0]
            processes = [
                p.model_copy(update={"gpu": gpu, **({"host": "host1"} if same_host else {})})
                for p, gpu in zip(line.processes, numbers, strict=True)
            ]
            system = line.system.model_copy(update={"gpus": visible or []})
            update = {"transport": "nccl", "processes": processes, "system": system}
            line = line.model_copy(update=update)
        if isinstance(line, BlockLine):
            seen = line.block.observed.model_copy(update=observed or {})
            slowed = {} if throttled is None else {"throttled": throttled[line.launch]}
            uncounted = {"wire": None} if same_host else {}
            update = {"observed": seen, **uncounted, **(block or {}), **slowed}
            body = line.block.model_copy(update=update)
            group = line.key.group.model_copy(update={"nodes": 1 if same_host else 4})
            key = line.key.model_copy(update={"transport": "nccl", "group": group})
            line = line.model_copy(update={"block": body, "key": key})
        lines.append(line)
    return fold(lines)


def _check(record: RunRecord, **more: Any) -> CheckResult:
    return judge(record, STAR, accept_fake=True, **more)


def _printed(result: CheckResult) -> list[str]:
    out = io.StringIO()
    print_result(Console(file=out, width=200), result)
    return out.getvalue().splitlines()


def test_a_healthy_run_passes_without_findings() -> None:
    result = _check(_record())
    assert [row.verdict for row in result.rows] == [Verdict.PASS]
    assert result.findings == ()


def test_a_fall_back_to_sockets_is_said_before_anything_else() -> None:
    record = _record(observed={"how": [FALLEN, "log: between hosts NET/Socket"]})
    assert _printed(_check(record))[0] == FALLEN
    assert headline(report_judge("r", record, None)).alarms[0].title == FALLEN


def test_ranks_that_share_a_gpu_show_no_performance() -> None:
    record = _record(gpus=[0, 0, 1, 1], same_host=True)
    result = _check(record)
    sentence = "Ranks share a GPU (GPU 0 of host1, ranks 0, 1): a functional test, no performance."
    assert _printed(result)[0] == sentence
    assert [(row.verdict, row.reason) for row in result.rows] == [
        (Verdict.UNJUDGED, "Its ranks shared a GPU: a functional test, no performance.")
    ]
    assert result.exit_code is ExitCode.INCOMPLETE
    assert headline(report_judge("r", record, None)).alarms[0].title == sentence
    assert not _check(_record(gpus=[0, 0, 1, 1])).findings, "the same number on different hosts"
    assert not _check(_record(gpus=[None] * 4, same_host=True)).findings


def test_ranks_that_see_one_gpu_each_share_none() -> None:
    """As under Slurm: every rank's GPU is its number 0."""
    visible = [
        Gpu(host="host1", index=0, name="H100", memory_bytes=None, uuid=f"GPU-{n}")
        for n in range(4)
    ]
    alone: dict[str, Any] = {"gpus": [0, 0, 0, 0], "same_host": True}
    assert not _check(_record(visible=visible, **alone)).findings
    assert _check(_record(visible=visible[:2], **alone)).findings


def _slowed(*reasons: str) -> GpuHealth:
    state = GpuState(
        sm_clock_mhz=1000, memory_clock_mhz=None, temperature_c=90, power_w=None,
        throttle_reasons=list(reasons),
    )  # fmt: skip
    return GpuHealth(before=None, after=state)


def test_slowed_gpus_leave_it_unsure_with_the_reasons() -> None:
    health = [None, _slowed("sw_power_cap"), _slowed("hw_thermal_slowdown"), None]
    record = _record(block={"gpu_health": health}, throttled=[True, False, False, False, None])
    (row,) = _check(record).rows
    assert row.verdict is Verdict.UNSURE
    assert row.reason == (
        "1 of 4 blocks ran on GPUs slowed by hw_thermal_slowdown, sw_power_cap, more than the 5% "
        "accepted: find the cause, then measure again."
    )
    assert _check(record, thresholds=Thresholds(throttled=0.25)).rows[0].verdict is Verdict.PASS


def test_one_slowed_block_in_twenty_is_accepted() -> None:
    block = _record(throttled=[False] * 5).points[0].blocks[0]

    def blocks(slowed: int, fine: int) -> list[Block]:
        return [block.model_copy(update={"throttled": n < slowed}) for n in range(slowed + fine)]

    assert throttling(blocks(1, 19)) == ""
    assert throttling(blocks(2, 18)).startswith("2 of 20 blocks ran on GPUs slowed, more")
    assert throttling([]) == ""


@pytest.mark.parametrize(
    ("settings", "observed", "verdict"),
    [
        # NCCL may take NVLink's switches by itself: nobody asked for anything else.
        ({}, {"in_network": True, "algorithm": "NVLS"}, None),
        ({"in_network": "off"}, {"in_network": True, "algorithm": "NVLS"}, Verdict.NOT_USED),
        ({"in_network": "sharp"}, {"in_network": False, "algorithm": "RING"}, Verdict.NOT_USED),
        ({"in_network": "sharp"}, {}, Verdict.UNSURE),
        ({"in_network": "nvls"}, {"in_network": False, "algorithm": "RING"}, Verdict.NOT_USED),
        # Between hosts NVLS_TREE is the hosts' work, as their bytes say; NVLink's switches ran.
        ({"in_network": "nvls"}, {"in_network": False, "algorithm": "NVLS_TREE"}, None),
        # Bytes alone do not tell of NVLink.
        ({"in_network": "nvls"}, {"in_network": False}, Verdict.UNSURE),
    ],
)
def test_requests_are_held_against_what_ran(
    settings: dict[str, str], observed: dict[str, Any], verdict: Verdict | None
) -> None:
    (row,) = _check(_record(settings=settings, observed=observed)).rows
    if verdict is None:
        # That switches have no part in a send_recv is another matter.
        assert row.verdict is not Verdict.NOT_USED
        assert not row.reason.startswith("Not shown")
    else:
        assert row.verdict is verdict


def test_baselines_with_another_network_plugin_are_noted() -> None:
    notes = _check(_record(environment={"NCCL_NET_PLUGIN": "none"})).notes
    assert "Variants differ in NCCL_NET_PLUGIN" in notes[0]
    assert _check(_record(environment={"NCCL_BUFFSIZE": "1"})).notes == ()


def test_rows_name_graphs_and_registered_buffers() -> None:
    key = point_key("send_recv", MIB)
    key = key.model_copy(update={"graph": True, "registration": "symmetric"})
    assert label(key) == "send_recv 1M default graph symmetric buffers"
