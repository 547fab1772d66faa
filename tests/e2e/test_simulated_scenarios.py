"""What is wrong with a simulated network, against what the links that are left make of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from busbar import fabrics
from busbar.check.check import check
from busbar.check.result import Verdict
from busbar.errors import ExitCode
from busbar.theory.bound import bound
from commands import busbar
from simulations import MESSAGE_US, PER_US, fabric, needs_simgrid, run, time_us

pytestmark = needs_simgrid

_LIMIT = """
[[limits]]
op = "one_way"
from = "1M"
at_least = 0.9
reason = "test"
"""
_OVERRIDE = """
[[leaf]]
name = "leaf1"
egress_bps = { value = 800e9, source = "test" }
ingress_bps = { value = 800e9, source = "test" }
"""
_TWO_NODES = """
name = "two-nodes"
description = "two of its nodes"
extends = "dgx-h100-superpod-1su"
[node]
count = 2
source = "test"
"""
# All messages at once: a schedule in steps leaves the uplink idle in some of them.
_FLOOD = ("all_to_all", "-b", "16M", "-e", "16M", "--variant", "flood:SMPI_ALLTOALL=basic_linear")
_TRANSFER = ("send_recv", "-b", "4G", "-e", "4G", "--nodes", "2", "--min-samples", "2")
_PAIRS = ("--pattern", "pairs", "--isolated", "4", "-b", "64M", "-e", "64M")


def test_a_degraded_uplink_is_the_one_a_fabric_file_may_state(tmp_path: Path) -> None:
    fabric(tmp_path, 8, 2)
    asked = run(tmp_path, *_FLOOD, "--link", "leaf1=0.5")
    fabric(tmp_path, 8, 2, more=_OVERRIDE)
    stated = run(tmp_path, *_FLOOD, name="stated.json")
    assert time_us(asked.points[0]) == time_us(stated.points[0])
    assert (asked.run.scenario, stated.run.scenario) == ("leaf1 at 50 %", None)
    stating = fabrics.load(str(tmp_path / "sim.toml"))
    limit = bound(stating, "all_to_all", 16 << 20, stating.placement())
    assert limit is not None
    assert "uplink of leaf1" in limit.cut
    assert time_us(asked.points[0]) == pytest.approx(limit.time_us, rel=0.05)


def test_one_dead_cable_of_four_takes_a_quarter_of_what_an_uplink_carries(tmp_path: Path) -> None:
    fabric(tmp_path, 8, 2, over=2.0)
    healthy = run(tmp_path, *_FLOOD).points[0]
    degraded = run(tmp_path, *_FLOOD, "--link", "leaf1=0.75", name="degraded.json").points[0]
    assert time_us(degraded) / time_us(healthy) == pytest.approx(4 / 3, rel=0.01)


@pytest.mark.parametrize(
    ("link", "mean"),
    [
        ("host2=0:200us/2ms", 0.9),
        ("host1.tx=0.25:800us/2ms", 1 - 0.4 * 0.75),
        ("host1.rx=0:1ms/2ms", 0.5),
    ],
)
def test_a_long_transfer_on_a_link_that_flaps_sees_the_mean_rate(
    tmp_path: Path, link: str, mean: float
) -> None:
    fabric(tmp_path, 2)
    record = run(tmp_path, *_TRANSFER, "--link", link)
    exact_us = (4 << 30) / PER_US / mean
    samples = record.points[0].blocks[0].samples_us
    assert samples == pytest.approx([exact_us] * 2, rel=0.02)


def test_short_points_hit_or_miss_a_stall_as_often_as_there_is_one(tmp_path: Path) -> None:
    words = ("send_recv", "-b", "1K", "-e", "1K", "--link", "host1=0:3ms/10ms")
    fabric(tmp_path, 4)
    block = run(tmp_path, *words).points[0].blocks[0]
    healthy = MESSAGE_US + 1024 / PER_US
    assert sum(us > 1000 for us in block.samples_us) == 3
    assert min(block.samples_us) == pytest.approx(healthy, rel=0.001)
    assert len(block.samples_us) == 10
    assert set(block.late_rank) == {None}  # news of the start was there in time


def test_what_is_left_of_a_link_is_left_beside_other_traffic(tmp_path: Path) -> None:
    words = (*_TRANSFER, "--background", "0.5", "--link", "host1.tx=0.8")
    fabric(tmp_path, 2)
    record = run(tmp_path, *words)
    transfer_us = (4 << 30) / PER_US / (0.5 * 0.8)
    assert time_us(record.points[0]) == pytest.approx(transfer_us + MESSAGE_US, rel=1e-6)
    assert record.run.background == "50 % of every network link"
    assert record.run.scenario == "host1.tx at 80 %"


def test_pairs_name_the_host_and_the_direction_that_is_degraded(tmp_path: Path) -> None:
    fabric(tmp_path, 16, more=_LIMIT)
    run(tmp_path, *_PAIRS, "--link", "host3.tx=0.8")
    words = ["check", "r.json", "--fabric", "sim.toml"]
    words += ["--json", "v.json", "--certificate", "c.html"]
    assert busbar(*words, cwd=tmp_path).returncode == 1
    verdicts: dict[str, Any] = json.loads((tmp_path / "v.json").read_text())
    assert verdicts["verdict"] == "DOES NOT HOLD"
    (finding,) = verdicts["findings"]
    assert finding.startswith("host3 sends at 80.0% of the healthy rate; 4 pairs measured alone")
    failed = [row["label"] for row in verdicts["pairs"] if row["verdict"] != "PASS"]
    assert failed == ["pairs one_way 64M default: host3"]
    assert any(row["verdict"] == "FAIL" for row in verdicts["rows"])
    assert verdicts["record"]["scenario"] == "host3.tx at 80 %"
    assert "What was wrong with the network: host3.tx at 80 %." in (tmp_path / "c.html").read_text()


def test_pairs_blame_nobody_on_a_healthy_network(tmp_path: Path) -> None:
    fabric(tmp_path, 16, more=_LIMIT)
    result = check(run(tmp_path, *_PAIRS), fabrics.load(str(tmp_path / "sim.toml")))
    assert result.exit_code is ExitCode.HOLDS
    assert {row.verdict for row in result.pairs} == {Verdict.PASS}
    assert result.findings == result.notes == ()


def test_a_degraded_nic_of_a_cluster_slows_the_gpus_at_both_ends(tmp_path: Path) -> None:
    (tmp_path / "sim.toml").write_text(_TWO_NODES)
    # Each GPU sends to the next one: 7 to 8 and 15 to 0 over their nodes' NICs.
    words = ("send_recv", "-b", "64M", "-e", "64M", "--link", "node2.nic0.rx=0.5")
    finish = run(tmp_path, *words).points[0].blocks[0].ranks.finish_us
    nic_us = finish[0]
    assert finish[15] == pytest.approx(nic_us, rel=0.01)
    assert finish[7:9] == pytest.approx([2 * nic_us] * 2, rel=0.01)
    assert max(finish[1:7] + finish[9:15]) < nic_us / 2
