"""The engine on simulated hosts, against what links of known rate and latency make of it."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

import psutil
import pytest

from busbar import fabrics
from busbar.theory.bound import bound
from commands import busbar, command, environment, valid
from simulations import LARGE, MESSAGE_US, PER_US, fabric, needs_simgrid, run, sizes, time_us

pytestmark = needs_simgrid

_DEGRADED = """
[[leaf]]
name = "leaf1"
egress_bps = { value = 400e9, source = "test" }
ingress_bps = { value = 400e9, source = "test" }
"""


@pytest.mark.parametrize("leaves", [1, 2])
def test_without_a_narrow_link_all_is_as_the_closed_form_says(tmp_path: Path, leaves: int) -> None:
    n = 16
    fabric(tmp_path, n, leaves)
    record = run(
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
        exact = steps * MESSAGE_US + share * size / PER_US
        assert time_us(point) == pytest.approx(exact, rel=0.001)
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
    fabric(tmp_path, 16, 2, over, more)
    # All messages at once: a schedule in steps leaves the uplink idle in some of them.
    record = run(
        tmp_path, "all_to_all", *sizes(16 << 20), "--variant", "flood:SMPI_ALLTOALL=basic_linear"
    )
    known = fabrics.load(str(tmp_path / "sim.toml"))
    limit = bound(known, "all_to_all", 16 << 20, known.placement())
    assert limit is not None
    assert "uplink of leaf1" in limit.cut
    assert time_us(record.points[0]) == pytest.approx(limit.time_us, rel=0.05)


@pytest.mark.parametrize(("hosts", "leaves", "nodes"), [(16, 1, "4,8,16"), (64, 8, "64")])
def test_reduction_in_the_network_gains_what_theory_allows(
    tmp_path: Path, hosts: int, leaves: int, nodes: str
) -> None:
    fabric(tmp_path, hosts, leaves)
    record = run(tmp_path, "all_reduce", *sizes(LARGE), "--nodes", nodes, "--in-network", "on")
    known = fabrics.load(str(tmp_path / "sim.toml"))
    assert len(record.points) == len(nodes.split(","))
    for point in record.points:
        n = point.key.group.nodes
        assert n is not None
        ring = bound(known, "all_reduce", LARGE, known.placement(nodes=n))
        assert ring is not None
        gain = ring.time_us / time_us(point)
        assert gain == pytest.approx(2 * (n - 1) / n, rel=0.05)
        assert point.observed.in_network is True


def test_a_study_of_scaling_is_on_the_page(tmp_path: Path) -> None:
    fabric(tmp_path, 16, 4, 2.0)
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
    fabric(tmp_path, 8)
    words = ("send_recv", *sizes(LARGE))
    alone = run(tmp_path, *words).points[0]
    crowded = run(tmp_path, *words, "--background", "0.5", name="crowded.json")
    transfer_us = time_us(alone) - MESSAGE_US
    assert time_us(crowded.points[0]) == pytest.approx(2 * transfer_us + MESSAGE_US, rel=1e-6)
    assert crowded.run.background == "50 % of every network link"


def test_two_runs_give_the_same_figures_byte_for_byte(tmp_path: Path) -> None:
    fabric(tmp_path, 6, 2, 2.0)
    figures = []
    for name in ("a.json", "b.json"):
        run(
            tmp_path, "all_reduce", "broadcast", "all_gather", "-b", "1K", "-e", "64M",
            "-f", "65536", "--in-network", "off,on", "--variant", "host:",
            "--variant", "lr:SMPI_ALLREDUCE=lr",
            name=name,
        )  # fmt: skip
        figures.append(json.dumps(json.loads((tmp_path / name).read_text())["points"]))
    assert figures[0] == figures[1]


def test_figures_do_not_depend_on_how_many_simulations_run_at_once(tmp_path: Path) -> None:
    fabric(tmp_path, 8)
    cores = os.sched_getaffinity(0)
    figures = []
    for name, some in (("one.json", {min(cores)}), ("all.json", cores)):
        words = ["run", "all_reduce", "send_recv", "-b", "1K", "-e", "64M", "-f", "256"]
        words += ["--nodes", "2,4,8", "--on", "simulated", "--fabric", "sim.toml", "--output", name]
        done = busbar(*words, cores=some, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        # A simulation for each operation on each number of hosts.
        assert len(valid(tmp_path / name).launches) == 6
        figures.append(json.dumps(json.loads((tmp_path / name).read_text())["points"]))
    assert figures[0] == figures[1]


def test_a_simulation_ends_with_its_launcher(tmp_path: Path) -> None:
    fabric(tmp_path, 256)
    # More than it can get done before it is killed.
    words = ["run", "all_to_all", *sizes(64 << 20), "--nodes", "256", "--on", "simulated"]
    words += ["--fabric", "sim.toml", "--variant", "flood:SMPI_ALLTOALL=basic_linear"]
    launcher = subprocess.Popen(
        command(*words, "--output", "r.json"), cwd=tmp_path, env=environment(),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    while not (simulations := _simulations(launcher.pid)):
        assert launcher.poll() is None
    launcher.kill()
    launcher.wait()
    gone, left = psutil.wait_procs(simulations, timeout=60)
    assert not left
    assert gone


def _simulations(launcher: int) -> list[psutil.Process]:
    children = psutil.Process(launcher).children(recursive=True)
    return [child for child in children if child.name() == "smpimain"]


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
    fabric(tmp_path, 16)
    done = busbar("run", "all_reduce", *sizes(1024), "--on", "simulated", *words, cwd=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr


def test_every_operation_runs_on_any_number_of_hosts(tmp_path: Path) -> None:
    """SimGrid has algorithms for powers of two only, and picks some of them for other numbers."""
    fabric(tmp_path, 24)
    record = run(
        tmp_path, "all_gather", "all_reduce", "all_to_all", "all_to_allv", "barrier", "broadcast",
        "gather", "reduce", "reduce_scatter", "scatter", "-b", "1K", "-e", "16M", "-f", "128",
        "--nodes", "3,7,24",
    )  # fmt: skip
    assert {point.status for point in record.points} == {"ok"}
    assert len(record.points) == 3 * (9 * 3 + 1)
