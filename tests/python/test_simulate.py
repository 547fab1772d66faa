"""Platforms made of fabric files, and the command line that simulates them."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import cast

import pytest

from busbar import fabrics, simulate
from busbar.errors import Incomplete, UsageError
from busbar.fabrics.model import Fabric
from busbar.launch.engine import Engine, LaunchHang
from busbar.launch.target import Target
from busbar.launch.where import Where, target_of
from busbar.record.models import Variant
from platforms import NETWORK, links_of, routes_of

_CLUSTER = """
name = "cluster"
description = "two groups of two nodes of two GPUs"
kind = "cluster"
[gpu]
name = "a GPU"
architecture = "hopper"
[node]
gpus = 2
count = 4
cpu = "amd"
pcie_gbs = { value = 50.0, source = "test" }
source = "test"
[scale_up]
name = "NVLink"
gpus = 2
wiring = "switch"
port_gbs = { value = 400.0, source = "test" }
ring_share = { value = 0.8, source = "test" }
[nic]
per_node = 2
rate_bps = { value = 400e9, source = "test" }
protocol = "infiniband"
mtu = 4096
achievable = { value = 0.97, source = "test" }
source = "test"
[[tier]]
name = "leaf group"
nodes = 2
oversubscription = { value = 2.0, source = "test" }
source = "test"
[latency]
message_us = { value = 2.0, source = "test" }
[sweep]
min = "1K"
max = "1M"
factor = 2
"""


def _fabric(folder: Path, text: str) -> Fabric:
    path = folder / "fabric.toml"
    path.write_text(text)
    return fabrics.load(str(path))


def test_links_have_the_fabrics_rates_less_headers(tmp_path: Path) -> None:
    fabric = _fabric(tmp_path, NETWORK)
    platform = simulate.platform_of(fabric, None, None, trees=0)
    links = links_of(platform)
    assert links["h1.tx"] == (5e9, 1.5e-6)
    assert links["h1.rx"] == (2.5e9, 1.5e-6)
    assert links["leaf2.tx"] == (1e9, 0.0)
    assert platform.workers == platform.nodes == ("h1", "h2", "h3", "h4")
    assert platform.aggregators == ()
    half = links_of(simulate.platform_of(fabric, None, None, trees=0, background=0.5))
    assert half["h1.tx"][0] == 2.5e9
    assert half["leaf2.tx"][0] == 5e8


def test_the_first_hosts_bring_only_their_leaves(tmp_path: Path) -> None:
    platform = simulate.platform_of(_fabric(tmp_path, NETWORK), 2, 2, trees=2)
    assert platform.workers == ("h1", "h1", "h2", "h2")
    assert "leaf2.tx" not in links_of(platform)
    assert platform.aggregators == ("leaf1-agg", "leaf1-agg", "spine-agg", "spine-agg")
    assert set(platform.trees) == {"h1=leaf1-agg,h2=leaf1-agg,leaf1-agg=spine-agg"}


def test_gpus_reach_each_other_by_nvlink_and_the_rest_by_their_own_nic(tmp_path: Path) -> None:
    platform = simulate.platform_of(_fabric(tmp_path, _CLUSTER), None, None, trees=1)
    assert platform.workers[:3] == ("node1.gpu0", "node1.gpu1", "node2.gpu0")
    assert platform.nodes[:3] == ("node1", "node1", "node2")
    routes, links = routes_of(platform), links_of(platform)
    inside = routes["node1.gpu0", "node1.gpu1"]
    assert inside == "node1.gpu0.port.tx,node1.gpu1.port.rx"
    assert routes["node1.gpu1", "domain1.switch"] == "node1.gpu1.pcie.tx,node1.nic1.tx"
    assert links["node1.gpu0.port.tx"] == (400e9, 1e-6)
    nic = links["node1.nic0.tx"][0]
    assert 0.98 * 50e9 < nic < 50e9  # less headers
    # Two nodes of two NICs, oversubscribed two to one.
    assert links["leaf-group1.tx"] == (pytest.approx(2 * nic), 0.0)
    assert platform.aggregators == ("leaf-group1-agg", "leaf-group2-agg", "top-agg")


def test_one_rank_of_a_node_is_on_its_first_gpu(tmp_path: Path) -> None:
    platform = simulate.platform_of(_fabric(tmp_path, _CLUSTER), 2, 1, trees=0)
    assert platform.workers == ("node1.gpu0", "node2.gpu0")


_REDUCTION = """
[reduction]
gbs = { value = 12.0, source = "test" }
[in_network]
mechanism = "tree"
source = "test"
rate = { value = 8e12, source = "test" }
"""


def _reduction(platform: simulate.Platform) -> dict[str, set[str]]:
    """What the hosts of each role reduce, in bytes per second."""
    words = [line.split() for line in platform.lines if line.startswith("host ")]
    return {role: {rate for *_, of, rate in words if of == role} for *_, role, _ in words}


@pytest.mark.parametrize("text", [NETWORK, _CLUSTER])
def test_hosts_and_switches_reduce_at_their_rates(tmp_path: Path, text: str) -> None:
    free = simulate.platform_of(_fabric(tmp_path, text), None, None, trees=1)
    assert _reduction(free) == {"worker": {"-"}, "aggregator": {"-"}}
    costly = simulate.platform_of(_fabric(tmp_path, text + _REDUCTION), None, None, trees=2)
    assert _reduction(costly) == {"worker": {"12000000000.0"}, "aggregator": {"1000000000000.0"}}


def test_one_aggregator_stands_for_the_switches_of_all_rails(tmp_path: Path) -> None:
    railed = _CLUSTER.replace("nodes = 2\noversub", "nodes = 2\nrails = true\noversub")
    platform = simulate.platform_of(_fabric(tmp_path, railed + _REDUCTION), None, None, trees=1)
    assert _reduction(platform)["aggregator"] == {"2000000000000.0"}


@pytest.mark.parametrize(
    ("text", "nodes", "ranks", "said"),
    [
        (NETWORK, 5, 1, "5 nodes: fabric 'net' has 4"),
        (_CLUSTER, 5, 1, "5 nodes: accepted is 1 to 4"),
        (_CLUSTER, 4, 3, "3 ranks per node: accepted is 1 to 2"),
        (NETWORK.replace("[latency]", "[sweep2]"), 1, 1, "sweep2"),
        (NETWORK.replace('prefix = "h"', 'prefix = "a host"'), 1, 1, "accepted are no spaces"),
    ],
)
def test_what_does_not_fit_is_refused(
    tmp_path: Path, text: str, nodes: int, ranks: int, said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        simulate.platform_of(_fabric(tmp_path, text), nodes, ranks, trees=0)


def test_shared_memory_and_missing_latencies_cannot_be_simulated(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no link to simulate"):
        simulate.platform_of(fabrics.load("local"), None, None, trees=0)
    with pytest.raises(UsageError, match=r"no table \[latency\]"):
        simulate.platform_of(fabrics.load("emulated-4x400m"), None, None, trees=0)


def test_variables_of_variants_choose_simgrids_algorithms(tmp_path: Path) -> None:
    platform = simulate.platform_of(_fabric(tmp_path, NETWORK), None, None, trees=1)
    files = simulate.write_files(platform)
    assert files.hosts.read_text().split() == [
        *platform.workers,
        "leaf1-agg",
        "leaf2-agg",
        "spine-agg",
    ]
    engine = tmp_path / "busbar-bench"
    (tmp_path / "busbar-bench-sim.so").touch()
    variables = {"SMPI_ALLREDUCE": "lr", "SMPI_REDUCE_SCATTER": "ompi"}
    try:
        words = simulate.command(platform, files, [str(engine), "--serve"], variables, 7)
    except Incomplete as error:
        pytest.skip(str(error))
    assert {"--cfg=smpi/allreduce:lr", "--cfg=smpi/reduce-scatter:ompi"} < set(words)
    assert words[-3:-1] == ["--serve", "--tree"]
    assert "BUSBAR_LIFELINE=7" in words
    with pytest.raises(UsageError, match="UCX_TLS has no effect"):
        simulate.refuse_unknown({"UCX_TLS": "tcp"})


class _StandsStill:
    """A target whose simulation begins, and ends as SimGrid ends one in which nobody can go on."""

    on = "simulated"
    threads = 1

    def command(self, programs: object, environment: object, lifeline: int) -> list[str]:
        """SimGrid's exit code is 0 then."""
        script = (
            'import sys; print(\'{"type": "launch", "processes": []}\', flush=True); input(); '
            "print('[0.1] Oops! Deadlock detected.', file=sys.stderr)"
        )
        return [sys.executable, "-c", script]

    def placement(self) -> list[str]:
        """One host."""
        return ["h1"]

    def aggregator_hosts(self) -> list[str]:
        """None."""
        return []


def test_a_simulation_that_stands_still_is_a_hang() -> None:
    target = cast(Target, _StandsStill())
    request = {
        "point": {"op": "all_reduce", "group": {"ranks": "0"}},
        "variants": [{"name": "default", "settings": {}}],
    }
    with (
        pytest.raises(LaunchHang, match="the simulation stood still while measuring all_reduce"),
        Engine(target, ["x"], {}, base_environment=dict(os.environ), init_deadline=30) as engine,
    ):
        list(engine.visit(request, 30))


def test_who_chooses_an_algorithm_pays_for_its_first_call_before() -> None:
    def variant(settings: dict[str, str], environment: dict[str, str]) -> Variant:
        return Variant(name="x", settings=settings, environment=environment)

    assert simulate.warmup([variant({"schedule": "portable"}, {})]) == simulate.NO_WARMUP
    for chosen in (variant({"smpi/allreduce": "mpich"}, {}), variant({}, {"SMPI_BCAST": "mpich"})):
        assert simulate.warmup([variant({}, {}), chosen]) == simulate.FIRST_CALL


def _where(on: str, **more: object) -> Where:
    empty: dict[str, object] = {
        "transport": "mpi", "ranks": None, "threads": 1, "hosts": None, "rates": [],
        "leaves": None, "uplinks": [], "hostfile": None, "aggregators": None, "extra": [],
    }  # fmt: skip
    return Where(on=on, **{**empty, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("where", "environment", "said"),
    [
        (_where("local", ranks=2), {"SMPI_ALLREDUCE": "lr"}, "belongs to --on simulated"),
        (_where("local", background=0.5), {}, "--background belongs to --on simulated"),
        (_where("simulated"), {}, "needs --fabric"),
        (_where("simulated", fabric="x", transport="ucx"), {}, "not ucx"),
        (_where("simulated", fabric="local", background=1.0), {}, "--background 1"),
    ],
)
def test_options_of_other_targets_are_refused(
    where: Where, environment: dict[str, str], said: str
) -> None:
    variant = Variant(name="x", settings={}, environment=environment)
    with pytest.raises(UsageError, match=said):
        target_of(where, [variant])
