"""Simulated clusters, whose switches are wired in all ways that a fabric file can say."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from busbar import fabrics
from busbar.cli import run_command_line
from busbar.fabrics.model import Fabric
from busbar.record.models import Point, RunRecord
from busbar.theory.bound import bound
from commands import valid
from conftest import BIN

pytestmark = pytest.mark.skipif(
    shutil.which("smpirun") is None or not (BIN / "busbar-bench-sim.so").is_file(),
    reason="SimGrid (libsimgrid-dev) was not there when the engine was built",
)

SIZE = 64 << 20
MESSAGE_US = 0.001
"""Next to nothing, so that links alone set the pace."""
_FLOOD = ("--variant", "flood:SMPI_ALLTOALL=basic_linear")
"""All messages at once: a schedule in steps leaves uplinks idle in some of them."""


@dataclass(frozen=True)
class Tier:
    """As in a fabric file."""

    nodes: int
    over: float = 1.0
    rails: bool = False
    direct: bool = False

    def text(self, level: int) -> str:
        """As it stands there."""
        joined = "directly" if self.direct else "by switches"
        return (
            f'[[tier]]\nname = "{["leaf", "pod", "core"][level]}"\nnodes = {self.nodes}\n'
            f'oversubscription = {{ value = {self.over}, source = "test" }}\n'
            f'rails = {str(self.rails).lower()}\njoined = "{joined}"\nsource = "test"\n'
        )


@dataclass(frozen=True)
class Shape:
    """A cluster of one NVLink domain for each node, or several, or without."""

    nodes: int
    tiers: Sequence[Tier]
    gpus: int = 1
    nics: int = 1
    domain_nodes: int = 1
    """0 without NVLink."""
    pcie_gbs: float = 10000.0

    def fabric(self, folder: Path) -> Fabric:
        """Of NICs of 400 Gbit/s, as a file in that folder."""
        figure = '{{ value = {}, source = "test" }}'.format
        text = f"""
name = "sim"
description = "made up"
kind = "cluster"
[gpu]
name = "a GPU"
architecture = "hopper"
[node]
gpus = {self.gpus}
count = {self.nodes}
cpu = "amd"
pcie_gbs = {figure(self.pcie_gbs)}
source = "test"
[nic]
per_node = {self.nics}
rate_bps = {figure(400e9)}
protocol = "infiniband"
mtu = 4096
achievable = {figure(0.97)}
source = "test"
[latency]
message_us = {figure(MESSAGE_US)}
[sweep]
min = "1K"
max = "256M"
factor = 4
"""
        if self.gpus * self.domain_nodes > 1:
            text += f"""
[scale_up]
name = "NVLink"
gpus = {self.gpus * self.domain_nodes}
wiring = "switch"
port_gbs = {figure(10000)}
ring_share = {figure(0.8)}
"""
        text += "".join(tier.text(level) for level, tier in enumerate(self.tiers))
        path = folder / "sim.toml"
        path.write_text(text)
        return fabrics.load(str(path))


NIC_PER_US = 50e3 * 4096 / 4122
"""Payload bytes of one NIC, whose packets of 4096 bytes have 26 more."""


def _run(folder: Path, *words: str) -> RunRecord:
    """In this process, which spares half of the time that a small simulation takes."""
    record = folder / f"r{len(list(folder.glob('r*.json')))}.json"
    arguments = ["run", *words, "--on", "simulated", "--fabric", str(folder / "sim.toml")]
    assert run_command_line([*arguments, "--output", str(record)]) == 0
    return valid(record)


@pytest.fixture(autouse=True)
def _engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUSBAR_BENCH", str(BIN / "busbar-bench"))


def _sizes(size: int = SIZE) -> Sequence[str]:
    return ("-b", str(size), "-e", str(size))


def _time_us(point: Point) -> float:
    assert point.time_us is not None
    return point.time_us.median


def _bound_us(fabric: Fabric, op: str, nodes: int | None = None) -> tuple[float, str]:
    limit = bound(fabric, op, SIZE, fabric.placement(nodes=nodes))
    assert limit is not None
    return limit.time_us, limit.cut


def _by_group(record: RunRecord) -> dict[str, float]:
    return {point.key.group.name: _time_us(point) for point in record.points}


DRAGONFLY = Shape(16, [Tier(4, 2.0, direct=True)])


def test_an_all_to_all_fills_every_link_of_a_dragonfly(tmp_path: Path) -> None:
    fabric = DRAGONFLY.fabric(tmp_path)
    record = _run(tmp_path, "all_to_all", *_sizes(), *_FLOOD)
    limit_us, cut = _bound_us(fabric, "all_to_all")
    assert "uplinks of a leaf" in cut
    assert limit_us == pytest.approx(4 * 12 * SIZE / 16 / (4 * NIC_PER_US / 2))
    assert _time_us(record.points[0]) == pytest.approx(limit_us, rel=0.02)
    assert _time_us(record.points[0]) >= limit_us


def test_neighbours_in_a_dragonfly_have_one_link_of_it(tmp_path: Path) -> None:
    fabric = DRAGONFLY.fabric(tmp_path)
    shifted = _by_group(_run(tmp_path, "--pattern", "shifts", *_sizes()))
    pair_per_us = 4 * NIC_PER_US / 2 / 3
    # By a group or two all of a group's flows go to the same other one.
    for distance, flows in ((1, 1), (2, 2), (4, 4), (8, 4)):
        exact = max(SIZE / NIC_PER_US, flows * SIZE / pair_per_us)
        assert shifted[f"shift by {distance}"] == pytest.approx(exact, rel=0.02)
    # Theory lets them go by way of other groups, as adaptive routing does.
    assert _bound_us(fabric, "send_recv")[0] == pytest.approx(SIZE / NIC_PER_US)


def test_few_groups_of_a_dragonfly_have_the_links_of_the_whole(tmp_path: Path) -> None:
    fabric = DRAGONFLY.fabric(tmp_path)
    record = _run(tmp_path, "all_to_all", *_sizes(), *_FLOOD, "--nodes", "4,8")
    alone, two = sorted(record.points, key=lambda point: point.key.group.nodes or 0)
    assert _time_us(alone) == pytest.approx(_bound_us(fabric, "all_to_all", 4)[0], rel=0.02)
    pair_per_us = 4 * NIC_PER_US / 2 / 3
    assert _time_us(two) == pytest.approx(4 * 4 * SIZE / 8 / pair_per_us, rel=0.02)
    assert _time_us(two) > _bound_us(fabric, "all_to_all", 8)[0]


@pytest.mark.parametrize(
    ("over", "binds"), [((4, 2, 2), "leaf"), ((2, 4, 2), "pod"), ((2, 3, 6), "core")]
)
def test_a_fat_tree_of_three_levels_is_as_fast_as_its_narrowest_cut(
    tmp_path: Path, over: tuple[int, int, int], binds: str
) -> None:
    tiers = [Tier(nodes, each) for nodes, each in zip((2, 4, 8), over, strict=True)]
    fabric = Shape(16, tiers).fabric(tmp_path)
    record = _run(tmp_path, "all_to_all", *_sizes(), *_FLOOD)
    limit_us, cut = _bound_us(fabric, "all_to_all")
    assert f"uplinks of a {binds}" in cut
    assert _time_us(record.points[0]) == pytest.approx(limit_us, rel=0.05)
    assert _time_us(record.points[0]) >= limit_us


RAILS = Shape(6, [Tier(6, 8.0, rails=True)], gpus=2, nics=2)


def test_who_stays_on_a_rail_never_sees_an_uplink(tmp_path: Path) -> None:
    """GPUs of a node are two apart: a shift by 2 stays on rails, one by 3 or 1 changes them."""
    RAILS.fabric(tmp_path)
    shifted = _by_group(_run(tmp_path, "--pattern", "shifts", *_sizes()))
    assert shifted["shift by 2"] == pytest.approx(SIZE / NIC_PER_US, rel=0.02)
    assert shifted["shift by 6"] == pytest.approx(SIZE / NIC_PER_US, rel=0.02)
    # All six NICs of a rail send to the other rail; of neighbours every second one has to.
    rail_per_us = 6 * NIC_PER_US / 8
    for distance in (1, 3):
        found = shifted[f"shift by {distance}"]
        assert found == pytest.approx(6 * SIZE / rail_per_us, rel=0.02)


def test_a_ring_of_each_rail_is_as_fast_as_its_nics(tmp_path: Path) -> None:
    RAILS.fabric(tmp_path)
    record = _run(tmp_path, "all_reduce", *_sizes(), "--split", "index", "--variant",
                  "lr:SMPI_ALLREDUCE=lr")  # fmt: skip
    (point,) = record.points
    assert _time_us(point) == pytest.approx(2 * 5 / 6 * SIZE / NIC_PER_US, rel=0.02)


def test_rails_of_several_groups_have_a_rails_share_of_the_uplinks(tmp_path: Path) -> None:
    """4 nodes with 2 rails in groups of 2: a shift by 4 ranks stays on rails, between groups."""
    Shape(4, [Tier(2, 3.0, rails=True)], gpus=2, nics=2).fabric(tmp_path)
    shifted = _by_group(_run(tmp_path, "--pattern", "shifts", *_sizes()))
    assert shifted["shift by 4"] == pytest.approx(2 * SIZE / (2 * NIC_PER_US / 3), rel=0.02)
    # By one node: half of them leave their group, one flow for each rail.
    assert shifted["shift by 2"] == pytest.approx(1.5 * SIZE / NIC_PER_US, rel=0.02)


def test_two_tiers_of_rails_meet_above_the_outer_one(tmp_path: Path) -> None:
    """Within an inner group, too, the way to the other rail leads through both tiers' uplinks."""
    tiers = [Tier(2, 1.0, rails=True), Tier(4, 4.0, rails=True)]
    Shape(4, tiers, gpus=2, nics=2).fabric(tmp_path)
    shifted = _by_group(_run(tmp_path, "--pattern", "shifts", *_sizes()))
    assert shifted["shift by 4"] == pytest.approx(SIZE / NIC_PER_US, rel=0.02)
    assert shifted["shift by 1"] == pytest.approx(4 * SIZE / (4 * NIC_PER_US / 4), rel=0.02)


@pytest.mark.parametrize("ranks", ["4", "8"])
def test_rails_change_nothing_where_uplinks_carry_all_or_all_ranks_are_on_one(
    tmp_path: Path, ranks: str
) -> None:
    """One rank for each of four nodes, or one for each GPU and as many uplinks as NICs."""
    times = []
    over = 8.0 if ranks == "4" else 1.0
    for rails in (False, True):
        Shape(4, [Tier(4, over, rails=rails)], gpus=2, nics=2).fabric(tmp_path)
        record = _run(tmp_path, "all_to_all", *_sizes(), "--ranks", ranks)
        times.append([_time_us(point) for point in record.points])
    assert times[0] == pytest.approx(times[1], rel=1e-6)


WIDE = 256 << 20
"""Long enough for a tree to be full most of the time."""


@pytest.mark.parametrize(
    ("shape", "narrowest"),
    [
        # The tree's top is one group's switch: the link of each other group to it carries S once.
        (Shape(8, [Tier(2, 0.25, direct=True)]), 1.0),
        (Shape(8, [Tier(2, 4.0, direct=True)]), 2 / 4 / 3),
        # A GPU has a NIC, and each rail sends up over its uplinks what its leaf has reduced.
        (Shape(4, [Tier(2, 2.0, rails=True)], gpus=2, nics=2), 1.0),
        (Shape(4, [Tier(2, 8.0, rails=True)], gpus=2, nics=2), 2 / 8),
        (Shape(4, [Tier(4, 8.0, rails=True)], gpus=2, nics=2), 1.0),
    ],
)
def test_switches_of_every_wiring_reduce_at_the_rate_of_their_narrowest_link(
    tmp_path: Path, shape: Shape, narrowest: float
) -> None:
    shape.fabric(tmp_path)
    record = _run(tmp_path, "all_reduce", *_sizes(WIDE), "--in-network", "on")
    (point,) = record.points
    assert point.observed.in_network is True
    assert _time_us(point) == pytest.approx(WIDE / (narrowest * NIC_PER_US), rel=0.05)


@pytest.mark.parametrize(
    "shape",
    [
        Shape(4, [Tier(2, rails=True), Tier(4, rails=True)], gpus=2, nics=2),
        Shape(4, [Tier(1, rails=True), Tier(2, direct=True)], gpus=2, nics=2),
        Shape(8, [Tier(2, rails=True), Tier(4), Tier(6, direct=True)], 1, 1),
        Shape(4, [Tier(2, rails=True)], gpus=2, nics=4, domain_nodes=2),
    ],
)
def test_switches_of_every_wiring_reduce_rightly(tmp_path: Path, shape: Shape) -> None:
    shape.fabric(tmp_path)
    record = _run(tmp_path, "all_reduce", "broadcast", *_sizes(1 << 20), "--in-network", "on")
    assert [(point.verified, point.wrong_elements) for point in record.points] == [
        ("every_block", 0), ("every_block", 0)
    ]  # fmt: skip


@st.composite
def _shapes(draw: st.DrawFn) -> Shape:
    """Small clusters of any wiring that a fabric file accepts."""
    gpus = draw(st.integers(1, 4))
    domain_nodes = draw(st.sampled_from([0, 1, 2]))
    whole = max(1, domain_nodes)
    nodes = whole * draw(st.integers(1, 12 // gpus // whole))
    rail_tiers, size, tiers = draw(st.integers(0, 2)), 1, []
    for level in range(draw(st.integers(0, 3))):
        size = draw(st.integers(size, 3 * size))
        over = draw(st.floats(0.5, 8.0))
        tiers.append(Tier(size * whole, over, rails=level < rail_tiers))
    if tiers and tiers[-1].nodes < nodes and not tiers[-1].rails and draw(st.booleans()):
        tiers[-1] = Tier(tiers[-1].nodes, tiers[-1].over, direct=True)
    nics, pcie_gbs = draw(st.integers(1, 6)), draw(st.floats(20, 200))
    return Shape(nodes, tiers, gpus, nics, domain_nodes, pcie_gbs)


@settings(
    max_examples=12, deadline=None, derandomize=True, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(shape=_shapes())
def test_no_wiring_is_faster_than_its_bound(
    tmp_path_factory: pytest.TempPathFactory, shape: Shape
) -> None:
    folder = tmp_path_factory.mktemp("cluster")
    fabric = shape.fabric(folder)
    placement = fabric.placement(shape.gpus)
    if len(placement) < 2:
        return
    record = _run(folder, "all_reduce", "all_to_all", "send_recv", *_sizes(), *_FLOOD)
    assert len(record.points) == 3
    for point in record.points:
        limit = bound(fabric, point.key.op, SIZE, placement)
        assert limit is not None
        assert _time_us(point) >= limit.time_us * (1 - 1e-6), limit.cut
