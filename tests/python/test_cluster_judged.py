"""What judges and pages make of records of a GPU cluster in the catalogue, here imported ones."""

from __future__ import annotations

import pytest

from busbar import fabrics
from busbar.check import CheckResult, Verdict
from busbar.check import check as judge
from busbar.errors import ExitCode
from busbar.report.fabric import fabric_view
from printouts import record_of

SIZE = 8 << 30
_LAUNCHES = 5


def printed(gpus: int, busbw_gbs: float) -> str:
    """What nccl-tests 2.19 prints of one all_reduce of 8 GiB on one node of H100."""
    algbw = busbw_gbs * gpus / (2 * (gpus - 1))
    time_us = SIZE / algbw / 1000
    ranks = "\n".join(
        f"#  Rank  {n} Group  0 Pid   400{n} on      node1 device  {n} [0000:{n}b:00] "
        "NVIDIA H100 80GB HBM3"
        for n in range(gpus)
    )
    return f"""# nccl-tests version 2.19.6 nccl-headers=22809 nccl-library=22809
# Collective test starting: all_reduce_perf
# nThread 1 nGpus 1 minBytes {SIZE} maxBytes {SIZE} step: 2(factor) warmup iters: 1 iters: 20 agg iters: 1 validation: 1 graph: 0 unalign: 0
#
# Using devices
{ranks}
#
#                                                              out-of-place                       in-place
#       size         count      type   redop    root     time   algbw   busbw  #wrong     time   algbw   busbw  #wrong
#        (B)    (elements)                               (us)  (GB/s)  (GB/s)             (us)  (GB/s)  (GB/s)
  {SIZE}    {SIZE // 4}     float     sum      -1   {time_us:.1f}   {algbw:.2f}  {busbw_gbs:.2f}       0   {time_us + 1:.1f}   {algbw:.2f}  {busbw_gbs:.2f}       0
# Out of bounds values : 0 OK
# Avg bus bandwidth    : {busbw_gbs:.3f}
#
# Collective test concluded: all_reduce_perf
"""  # noqa: E501


def judged(busbw_gbs: float) -> CheckResult:
    """Five launches of eight H100 that are all but alike."""
    record = record_of(*(printed(8, busbw_gbs + 0.1 * n) for n in range(_LAUNCHES)))
    return judge(record, fabrics.load("hgx-h100"))


def test_nvls_is_held_against_what_nvlink_switches_allow() -> None:
    """480 GB/s is more than hosts could reach over NVLink ports (450), and sound."""
    result = judged(480.0)
    assert {row.verdict for row in result.rows} == {Verdict.PASS}, result.rows[0].reason
    bound = result.rows[0].bound
    assert bound is not None and bound.busbw_gbs == pytest.approx(700)
    assert result.exit_code is ExitCode.HOLDS


def test_a_slow_node_fails() -> None:
    result = judged(300.0)
    assert {row.verdict for row in result.rows} == {Verdict.FAIL}
    assert "NVLink 4 port of a GPU" in result.rows[0].reason


def test_what_no_switch_could_do_is_impossible() -> None:
    assert {row.verdict for row in judged(720.0).rows} == {Verdict.IMPOSSIBLE}


@pytest.mark.parametrize("name", fabrics.names())
def test_every_fabric_has_its_place_on_pages(name: str) -> None:
    fabric = fabrics.load(name)
    view = fabric_view(fabric)
    sources = [source for _, _, source in view.figures[1]]
    assert fabric.kind == "shared_memory" or any(len(source) > 1 for source in sources)
