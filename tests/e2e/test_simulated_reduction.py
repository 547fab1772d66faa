"""What reducing costs simulated hosts and switches, against what their rates make of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from busbar import fabrics
from busbar.record.models import Point
from busbar.theory.bound import SWITCH, bound
from busbar.theory.constants import from_fabric
from busbar.theory.expected import expected, expected_in_network
from busbar.theory.reduction import ON_HOSTS
from simulations import LARGE, MESSAGE_US, PER_US, RATE_BPS, fabric, needs_simgrid, run, time_us

pytestmark = needs_simgrid

HOSTS = 8
GBS = 12.0
REDUCED_PER_US = GBS * 1e3
_CHUNK = 1 << 20
REDUCING = ("all_reduce", "reduce_scatter", "reduce")
BY_HOSTS = ("--variant", "native:", "--variant", "portable:schedule=portable")
REDOPS = ("sum", "prod", "max", "avg")
TYPES = (
    "int8", "uint8", "int32", "uint32", "int64", "uint64", "float8_e4m3", "float8_e5m2",
    "half", "bfloat16", "float", "double",
)  # fmt: skip


def _reduction(gbs: float) -> str:
    return f'[reduction]\ngbs = {{ value = {gbs}, source = "test" }}\n'


def _switch(rate_bps: float) -> str:
    return f'rate = {{ value = {rate_bps}, source = "test" }}\n'


def _times(points: list[Point]) -> dict[tuple[str, int, str], float]:
    return {(p.key.op, p.key.size_bytes, p.key.variant): time_us(p) for p in points}


def test_a_rings_reductions_follow_each_other_whoever_wrote_the_ring(tmp_path: Path) -> None:
    fabric(tmp_path, HOSTS, more=_reduction(GBS))
    record = run(
        tmp_path, *REDUCING, "-b", "256K", "-e", "16M", "-f", "64",
        "--variant", "portable:schedule=portable", "--variant", "lr:SMPI_ALLREDUCE=lr",
    )  # fmt: skip
    found = _times(record.points)
    for size in (256 << 10, 16 << 20):
        step_us = MESSAGE_US + size / HOSTS / PER_US
        reducing_us = (HOSTS - 1) * size / HOSTS / REDUCED_PER_US
        ring_us = 2 * (HOSTS - 1) * step_us + reducing_us
        assert found["all_reduce", size, "portable"] == pytest.approx(ring_us, rel=0.001)
        assert found["all_reduce", size, "lr"] == pytest.approx(ring_us, rel=0.001)
        half_us = (HOSTS - 1) * step_us + reducing_us
        assert found["reduce_scatter", size, "portable"] == pytest.approx(half_us, rel=0.001)
    known = fabrics.load(str(tmp_path / "sim.toml"))
    for (op, size, _), took_us in found.items():
        limit = bound(known, op, size, known.placement())
        assert limit is not None
        assert limit.cut == ON_HOSTS
        assert took_us >= limit.time_us


def test_next_to_no_cost_changes_nothing_but_that(tmp_path: Path) -> None:
    """Messages are the same, and so are the algorithms that SimGrid's MPI picks."""
    words = (*REDUCING, "-b", "1K", "-e", "16M", "-f", "128", *BY_HOSTS)
    times = []
    for name, more in (("free", ""), ("tiny", _reduction(1e9))):
        fabric(tmp_path, HOSTS, more=more)
        times.append(_times(run(tmp_path, *words, name=f"{name}.json").points))
    # Virtual time goes in nanoseconds, of which a reduction takes one at least.
    assert times[1] == pytest.approx(times[0], rel=1e-4, abs=0.1)
    assert times[1] != times[0]


def test_the_network_gains_more_over_hosts_that_must_reduce(tmp_path: Path) -> None:
    fabric(tmp_path, HOSTS, more=_reduction(GBS))
    record = run(
        tmp_path, "all_reduce", "-b", "256M", "-e", "256M", "--nodes", "4,8",
        "--variant", "portable:schedule=portable", "--variant", "switch:in_network=tree",
    )  # fmt: skip
    known = fabrics.load(str(tmp_path / "sim.toml"))
    constants = from_fabric(known)
    for n in (4, 8):
        placement = known.placement(nodes=n)
        times = _times([p for p in record.points if p.key.group.nodes == n])
        gain = times["all_reduce", LARGE, "portable"] / times["all_reduce", LARGE, "switch"]
        models = expected(known, "all_reduce", LARGE, placement, constants)
        ring = next(model for model in models if model.algorithm == "ring")
        tree = expected_in_network(
            known, "all_reduce", LARGE, placement, constants, chunk_bytes=_CHUNK
        )
        assert tree is not None
        assert gain == pytest.approx(ring.time_us / tree.time_us, rel=0.05)
        # (n-1)/n S reduced on top of 2(n-1)/n S moved.
        assert gain == pytest.approx((n - 1) / n * (2 + PER_US / REDUCED_PER_US), rel=0.05)


@pytest.mark.parametrize(("leaves", "share"), [(1, 0.9), (2, 0.25)])
def test_a_slow_switch_sets_the_pace(tmp_path: Path, leaves: int, share: float) -> None:
    ports = HOSTS // leaves
    fabric(tmp_path, HOSTS, leaves, more=_switch(share * ports * RATE_BPS))
    record = run(tmp_path, "all_reduce", "-b", "256M", "-e", "256M", "--in-network", "on")
    known = fabrics.load(str(tmp_path / "sim.toml"))
    limit = bound(known, "all_reduce", LARGE, known.placement(), in_network=True)
    assert limit is not None
    assert limit.cut == SWITCH
    (point,) = record.points
    assert limit.time_us <= time_us(point) <= 1.05 * limit.time_us


def test_answers_are_right_whatever_is_reduced(tmp_path: Path) -> None:
    fabric(tmp_path, 4, more=_switch(RATE_BPS) + _reduction(GBS))
    types = [word for name in TYPES for word in ("-d", name)]
    redops = [word for name in REDOPS for word in ("-o", name)]
    record = run(
        tmp_path, "all_reduce", "reduce", "-b", "4K", "-e", "4K", *types, *redops, *BY_HOSTS,
        "--variant", "switch:in_network=tree",
    )  # fmt: skip
    assert len(record.points) == 2 * len(TYPES) * len(REDOPS) * 3
    assert {(p.status, p.verified) for p in record.points} == {("ok", "every_block")}
