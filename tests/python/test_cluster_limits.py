"""Limits of the catalogue: what is expected of a sound cluster passes, a dead NIC does not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from cluster_records import SIZE, at, judged

from busbar import fabrics
from busbar.check import Verdict
from busbar.fabrics import Fabric
from busbar.fabrics.site_limits import with_limits
from busbar.theory.cluster.bounds import Limit
from busbar.theory.cluster.expected import candidates
from busbar.theory.cluster.layout import lay_out
from busbar.theory.cluster.loads import ring
from busbar.theory.cluster.rates import usual_rates
from busbar.theory.cluster.shape import Shape
from busbar.theory.operations import OPERATIONS

OPS = ("all_reduce", "all_gather", "reduce_scatter", "broadcast", "all_to_all", "send_recv")
BY_RINGS = ("all_reduce", "all_gather", "reduce_scatter")

WIDE = {
    "aws-p5": "70 to 80 % of a NIC is what is published of EFA",
    "hgx-h100-roce": "collisions leave 60 %",
    "hgx-b200-roce": "collisions leave 60 %",
    "meta-24k-roce": "collisions leave 60 %",
    "ethernet-100k": "collisions leave 60 %",
    "h100-ethernet": "sockets: nothing is published",
    "gb200-nvl72-superpod": "NVLink binds, NICs do not",
}
"""Fabrics whose published figures reach down to what is left without a NIC, and why."""


def _cases() -> Iterator[tuple[str, int]]:
    for name in fabrics.names():
        cluster = fabrics.load(name).cluster
        for nodes in (1, 2, 4, 8, 32) if cluster else ():
            if cluster and nodes * cluster.node.gpus > 1 and nodes <= cluster.node.count:
                yield name, nodes


def _hosts(fabric: Fabric, nodes: int) -> tuple[str, ...]:
    assert fabric.cluster is not None
    return fabric.placement(fabric.cluster.node.gpus, nodes)


def _best_us(fabric: Fabric, op: str, nodes: int) -> float:
    """Of what NCCL may take by itself, which is not SHARP."""
    assert fabric.cluster is not None
    gpus = fabric.cluster.node.gpus
    able = candidates(fabric, lay_out(fabric.cluster, Shape(nodes * gpus, gpus)), op)
    return min(one.time_us(SIZE) for one in able if not one.sharp)


def _busbw(op: str, ranks: int, time_us: float) -> float:
    return SIZE / time_us / 1000 * OPERATIONS[op].bus_factor(ranks)


CASES = list(_cases())


@pytest.mark.parametrize(("name", "nodes"), CASES)
def test_what_is_expected_of_a_sound_cluster_passes(name: str, nodes: int) -> None:
    fabric = fabrics.load(name)
    hosts = _hosts(fabric, nodes)
    for op in {limit.op for limit in fabric.limits}:
        busbw = _busbw(op, len(hosts), _best_us(fabric, op, nodes))
        row = judged(at(busbw, hosts, op), fabric)
        assert row.verdict is Verdict.PASS, f"{op}: {row.reason}"


@pytest.mark.parametrize(
    ("name", "nodes"), [(name, nodes) for name, nodes in CASES if nodes > 1 and name not in WIDE]
)
def test_a_ring_without_one_nic_of_eight_fails(name: str, nodes: int) -> None:
    fabric = fabrics.load(name)
    assert fabric.cluster is not None
    hosts, gpus = _hosts(fabric, nodes), fabric.cluster.node.gpus
    layout = lay_out(fabric.cluster, Shape(len(hosts), gpus))
    if layout.domains() < 2:
        return
    for op in BY_RINGS:
        slowest = max(ring(layout, op, usual_rates(fabric.cluster)), key=Limit.us_per_byte)
        assert "NIC" in slowest.cut, "or it is one of those that are left out"
        able = candidates(fabric, layout, op)
        whole_us = next(one.time_us(SIZE) for one in able if one.algorithm == "ring")
        lost_us = slowest.us_per_byte() * SIZE * (8 / 7 - 1)
        busbw = _busbw(op, len(hosts), whole_us + lost_us)
        row = judged(at(busbw, hosts, op), fabric)
        assert row.verdict is Verdict.FAIL, f"{op}: {row.reason}"


def test_one_box_over_one_nic_fails() -> None:
    """NVLink is down: 50 of 450 GB/s to the next GPU."""
    fabric = fabrics.load("hgx-h100")
    row = judged(at(50, _hosts(fabric, 1), "send_recv"), fabric)
    assert row.verdict is Verdict.FAIL
    assert judged(at(365, _hosts(fabric, 1), "send_recv"), fabric).verdict is Verdict.PASS


def test_a_message_over_half_a_nic_fails() -> None:
    fabric = fabrics.load("dgx-h100")
    hosts = _hosts(fabric, 4)
    assert judged(at(48, hosts, "send_recv"), fabric).verdict is Verdict.PASS
    assert judged(at(24, hosts, "send_recv"), fabric).verdict is Verdict.FAIL


@pytest.mark.parametrize("domains", ["", "domains = 'several'"])
def test_a_site_replaces_limits_wherever_its_own_hold(tmp_path: Path, domains: str) -> None:
    path = tmp_path / "site.toml"
    path.write_text(
        f"[[limits]]\nop = 'all_reduce'\nfrom = '4G'\nat_least = 0.3\nreason = 'ours'\n{domains}"
    )
    found = with_limits(fabrics.load("dgx-h100"), path).limits
    all_reduce = {one.domains: one.reason for one in found if one.op == "all_reduce"}
    if domains:
        assert all_reduce["several"] == "ours"
        assert "NVLink" in all_reduce["one"]
    else:
        assert all_reduce == {None: "ours"}
