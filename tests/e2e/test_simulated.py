"""The engine on simulated hosts, against what links of known rate and latency make of it."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from busbar import fabrics
from busbar.record.models import Point, RunRecord
from busbar.theory.bound import bound
from commands import busbar, valid
from conftest import BIN

pytestmark = pytest.mark.skipif(
    shutil.which("smpirun") is None or not (BIN / "busbar-bench-sim.so").is_file(),
    reason="SimGrid (libsimgrid-dev) was not there when the engine was built",
)

RATE_BPS, MESSAGE_US = 400e9, 1.0
LARGE = 256 << 20
_FABRIC = """
name = "sim"
description = "hosts with 400 Gbit/s each"
kind = "network"
[protocol]
name = "payload only"
payload_bytes = {{ value = 1, source = "test" }}
wire_bytes = {{ value = 1, source = "test" }}
[latency]
message_us = {{ value = {message_us}, source = "test" }}
[in_network]
mechanism = "tree"
source = "test"
[sweep]
min = "1K"
max = "256M"
factor = 4
[hosts]
prefix = "host"
count = {hosts}
egress_bps = {{ value = {rate}, source = "test" }}
ingress_bps = {{ value = {rate}, source = "test" }}
"""
_LEAVES = """
[leaves]
prefix = "leaf"
count = {leaves}
egress_bps = {{ value = {uplink}, source = "test" }}
ingress_bps = {{ value = {uplink}, source = "test" }}
"""
_DEGRADED = """
[[leaf]]
name = "leaf1"
egress_bps = { value = 400e9, source = "test" }
ingress_bps = { value = 400e9, source = "test" }
"""


def _fabric(folder: Path, hosts: int, leaves: int = 1, over: float = 1.0, more: str = "") -> None:
    text = _FABRIC.format(hosts=hosts, rate=RATE_BPS, message_us=MESSAGE_US)
    if leaves > 1:
        text += _LEAVES.format(leaves=leaves, uplink=hosts / leaves * RATE_BPS / over)
    (folder / "sim.toml").write_text(text + more)


def _run(folder: Path, *words: str, name: str = "r.json") -> RunRecord:
    done = busbar(
        "run", *words, "--on", "simulated", "--fabric", "sim.toml", "--output", name, cwd=folder
    )
    assert done.returncode == 0, done.stderr
    return valid(folder / name)


def _sizes(size: int) -> Sequence[str]:
    return ("-b", str(size), "-e", str(size))


def _by_variant(record: RunRecord) -> dict[tuple[str, str], Point]:
    return {(p.key.op, p.key.variant): p for p in record.points}


def _time_us(point: Point) -> float:
    assert point.time_us is not None
    return point.time_us.median


@pytest.mark.parametrize("leaves", [1, 2])
def test_without_a_narrow_link_all_is_as_the_closed_form_says(tmp_path: Path, leaves: int) -> None:
    n, per_us = 16, RATE_BPS / 8e6
    _fabric(tmp_path, n, leaves)
    record = _run(
        tmp_path, "send_recv", "all_reduce", "all_to_all", "-b", "64K", "-e", "256M", "-f", "4096",
        "--variant", "portable:schedule=portable",
    )  # fmt: skip
    for point in record.points:
        size = point.key.size_bytes
        steps, share = {
            "send_recv": (1, 1.0),
            "all_reduce": (2 * (n - 1), 2 * (n - 1) / n),
            "all_to_all": (n - 1, (n - 1) / n),
        }[point.key.op]
        exact = steps * MESSAGE_US + share * size / per_us
        assert _time_us(point) == pytest.approx(exact, rel=0.001)
        # Small ones carry data and are verified, large ones carry none, and say so.
        assert point.verified == ("waived" if size == LARGE else "every_block")
        assert (point.checked_elements is None) == (size == LARGE)
    assert {p.key.op for p in record.points if p.key.size_bytes == LARGE} == {
        "send_recv", "all_reduce", "all_to_all"
    }  # fmt: skip
    assert record.run.simulated
    assert record.run.on == "simulated"


@pytest.mark.parametrize(("over", "more"), [(2.0, ""), (1.0, _DEGRADED)])
def test_a_narrow_uplink_sets_the_time(tmp_path: Path, over: float, more: str) -> None:
    _fabric(tmp_path, 16, 2, over, more)
    # All messages at once: a schedule in steps leaves the uplink idle in some of them.
    record = _run(
        tmp_path, "all_to_all", *_sizes(16 << 20), "--variant", "flood:SMPI_ALLTOALL=basic_linear"
    )
    fabric = fabrics.load(str(tmp_path / "sim.toml"))
    limit = bound(fabric, "all_to_all", 16 << 20, fabric.placement())
    assert limit is not None
    assert "uplink of leaf1" in limit.cut
    assert _time_us(record.points[0]) == pytest.approx(limit.time_us, rel=0.05)


@pytest.mark.parametrize(("hosts", "leaves", "nodes"), [(16, 1, "4,8,16"), (64, 8, "64")])
def test_reduction_in_the_network_gains_what_theory_allows(
    tmp_path: Path, hosts: int, leaves: int, nodes: str
) -> None:
    _fabric(tmp_path, hosts, leaves)
    record = _run(tmp_path, "all_reduce", *_sizes(LARGE), "--nodes", nodes, "--in-network", "on")
    fabric = fabrics.load(str(tmp_path / "sim.toml"))
    assert len(record.points) == len(nodes.split(","))
    for point in record.points:
        n = point.key.group.nodes
        assert n is not None
        ring = bound(fabric, "all_reduce", LARGE, fabric.placement(nodes=n))
        assert ring is not None
        gain = ring.time_us / _time_us(point)
        assert gain == pytest.approx(2 * (n - 1) / n, rel=0.05)
        assert point.observed.in_network is True


def test_a_study_of_scaling_is_on_the_page(tmp_path: Path) -> None:
    _fabric(tmp_path, 16, 4, 2.0)
    words = ("-b", "64K", "-e", "4M", "-f", "8", "--nodes", "2,4,...,16", "--in-network", "off,on")
    done = busbar(
        "run", "all_reduce", *words, "--on", "simulated", "--fabric", "sim.toml", "--output",
        "r.json", cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode in (0, 3), done.stderr  # no limit of this fabric judges it
    live = done.stdout[: done.stdout.index("operation")]
    assert "SIMULATED: Simulated network in virtual time" in live
    assert "page: busbar report r.json --fabric sim.toml" in done.stdout
    record = valid(tmp_path / "r.json")
    assert {point.key.group.nodes for point in record.points} == {2, 4, 8, 16}

    made = busbar("report", "r.json", "--fabric", "sim.toml", "--figures", "figures", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    page = (tmp_path / "report.html").read_text()
    section = page[page.index('id="scaling"') : page.index('id="in-network"')]
    assert "on the first 2, 4, 8, 16 hosts" in section
    kept = r"all_reduce \(default\) keeps \d+\.\d % of the bound or more from 2 to 16 hosts at 4M"
    assert re.search(kept, section)
    assert re.search(r"all_reduce \(in_network\) is .* as fast as default, at 4M; theory", section)
    assert (tmp_path / "figures" / "scaling-r-s0-v0.png").is_file()


def test_other_traffic_takes_its_share_of_every_link(tmp_path: Path) -> None:
    _fabric(tmp_path, 8)
    words = ("send_recv", *_sizes(LARGE))
    alone = _run(tmp_path, *words).points[0]
    crowded = _run(tmp_path, *words, "--background", "0.5", name="crowded.json")
    transfer_us = _time_us(alone) - MESSAGE_US
    assert _time_us(crowded.points[0]) == pytest.approx(2 * transfer_us + MESSAGE_US, rel=1e-6)
    assert crowded.run.background == "50 % of every network link"


def test_two_runs_give_the_same_figures_byte_for_byte(tmp_path: Path) -> None:
    _fabric(tmp_path, 6, 2, 2.0)
    figures = []
    for name in ("a.json", "b.json"):
        _run(
            tmp_path, "all_reduce", "broadcast", "all_gather", "-b", "1K", "-e", "64M",
            "-f", "65536", "--in-network", "off,on", "--variant", "host:",
            "--variant", "lr:SMPI_ALLREDUCE=lr",
            name=name,
        )  # fmt: skip
        figures.append(json.dumps(json.loads((tmp_path / name).read_text())["points"]))
    assert figures[0] == figures[1]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--fabric", "sim.toml", "--nodes", "17"), "17 nodes: fabric 'sim' has 16"),
        (("--fabric", "emulated-4x400m"), "no table [latency]"),
        ((), "--on simulated needs --fabric"),
        (("--fabric", "sim.toml", "--background", "1"), "--background 1"),
        (("--fabric", "sim.toml", "--variant", "x:OMPI_MCA_pml=ob1"), "OMPI_MCA_pml has no effect"),
        (("--fabric", "sim.toml", "--variant", "x:coll_tuned_x=1"), "unknown variant key"),
    ],
)
def test_what_cannot_be_simulated_is_refused(
    tmp_path: Path, words: Sequence[str], said: str
) -> None:
    _fabric(tmp_path, 16)
    done = busbar("run", "all_reduce", *_sizes(1024), "--on", "simulated", *words, cwd=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr
