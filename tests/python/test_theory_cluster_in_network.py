"""What switches that reduce allow on a cluster, and what that can gain."""

from __future__ import annotations

from dataclasses import replace

import pytest
from clusters import Spec, groups
from hypothesis import given, settings
from hypothesis import strategies as st

from busbar.fabrics import Fabric
from busbar.theory.bound import Bound, bound
from busbar.theory.cluster.bounds import host_bound
from busbar.theory.cluster.gain import baselines
from busbar.theory.cluster.in_network import (
    NETWORK_SWITCH,
    by_mechanism,
    mechanisms,
    most_children,
    network_bound,
)
from busbar.theory.cluster.layout import Layout
from busbar.theory.gain import most
from busbar.theory.operations import OPERATIONS

GIB = 1 << 30
H100 = Spec()
SHARP = replace(H100, nodes=64, sharp=True)
INFINIBAND = 4096 / 4122
# One GPU per node, so that nothing but the network counts.
FLAT = Spec(gpus=1, nodes=64, domain=None, nics=1, pcie_gbs=1e6, sharp=True)
TREE_OPS = [op for op, what in OPERATIONS.items() if what.in_network and what.phases]


def _bound(fabric: Fabric, op: str, nodes: int, per_node: int) -> Bound:
    found = bound(fabric, op, GIB, fabric.placement(per_node, nodes), in_network=True)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("op", "share"),
    [("all_reduce", 9 / 8), ("reduce_scatter", 1), ("all_gather", 1), ("broadcast", 1),
     ("reduce", 1)],
)  # fmt: skip
def test_nvls_moves_this_over_a_port(op: str, share: float) -> None:
    found = _bound(H100.fabric(), op, 1, 8)
    assert found.time_us == pytest.approx(share * GIB / 450e3)
    assert found.cut == "NVLink port of a GPU, NVLS"


@pytest.mark.parametrize(("gpus", "gain"), [(2, 0.67), (4, 1.2), (8, 1.56)])
def test_the_gain_of_nvls_over_a_ring(gpus: int, gain: float) -> None:
    fabric = replace(H100, nodes=1).fabric()
    (over_ring,) = most(fabric, "all_reduce", GIB, fabric.placement(gpus))
    assert over_ring.baseline == "ring at its bound"
    assert over_ring.gain == pytest.approx(2 * (gpus - 1) / (gpus + 1))
    assert round(over_ring.gain, 2) == gain


@pytest.mark.parametrize(("nodes", "gain"), [(2, 1.0), (4, 1.5), (8, 1.75), (10, 1.8), (64, 1.97)])
def test_the_gain_of_sharp_over_hosts(nodes: int, gain: float) -> None:
    fabric = FLAT.fabric()
    over = most(fabric, "all_reduce", GIB, fabric.placement(1, nodes))[0]
    assert over.baseline == "ring at its bound"
    assert over.gain == pytest.approx(2 * (nodes - 1) / nodes)
    assert round(over.gain, 2) == gain


def test_the_gain_of_sharp_over_named_baselines() -> None:
    """With NVLink too wide to count, by the formulas of a hierarchy and of a flat ring."""
    fabric = replace(SHARP, port_gbs=10_000, pcie_gbs=1000).fabric()
    gains = {
        one.baseline: one.gain for one in most(fabric, "all_reduce", GIB, fabric.placement(8, 10))
    }
    assert gains == pytest.approx({
        "hosts at their bound": 2 * 9 / 10,
        "hierarchical rings": 2 * 9 / 10,
        "ring": 2 * 79 / 80,
    })  # fmt: skip


@pytest.mark.parametrize(
    ("spec", "cut", "us_per_gb"),
    [
        (SHARP, "NICs of a node, egress", 1 / (400 * INFINIBAND)),
        (replace(SHARP, nvls_share=None), "NVLink port of a GPU", 7 / 4 / 450),
        (replace(SHARP, rate_gbps=800, pcie_gbs=200), "NVLink port of a GPU, NVLS", 9 / 8 / 450),
        (replace(H100, nodes=64), "NICs of a node, all together, egress", 1.5 / (400 * INFINIBAND)),
    ],
)
def test_a_hierarchy_takes_the_longer_of_its_levels(spec: Spec, cut: str, us_per_gb: float) -> None:
    found = _bound(spec.fabric(), "all_reduce", 4, 8)
    assert found.cut == cut
    assert found.time_us == pytest.approx(us_per_gb * GIB / 1000)


def test_mechanisms_have_names() -> None:
    def names(spec: Spec, ranks: int) -> list[str]:
        layout = spec.layout(ranks)
        return [each.name(layout) for each in mechanisms(spec.fabric(), layout)]

    assert names(SHARP, 8) == ["NVLS"]
    assert names(SHARP, 16) == [
        "NVLS inside, switches between", "NVLS inside, hosts between",
        "GPUs inside, switches between",
    ]  # fmt: skip
    assert names(replace(SHARP, nvls_share=None), 16) == ["GPUs inside, switches between"]
    assert names(replace(SHARP, nvls_share=None), 8) == []
    # A fabric that names none: switches of the network are supposed to.
    assert names(replace(SHARP, nvls_share=None, sharp=False), 16) == [
        "GPUs inside, switches between"
    ]


def test_what_has_no_bound_in_the_network() -> None:
    fabric = SHARP.fabric()
    for op in ("barrier", "all_to_all", "send_recv", "gather"):
        assert bound(fabric, op, GIB, fabric.placement(8, 4), in_network=True) is None
    plain = replace(SHARP, nvls_share=None).fabric()
    assert bound(plain, "all_reduce", GIB, plain.placement(8, 1), in_network=True) is None
    assert bound(plain, "all_reduce", GIB, ["a"], in_network=True) is None


def test_a_switch_of_known_rate_may_be_the_limit() -> None:
    """18 nodes on one switch, each with S: 18 S through the adders, or an eighth per rail."""
    one = replace(SHARP, nodes=18, switch_gbs=5400)
    found = _bound(one.fabric(), "all_reduce", 18, 8)
    assert found.cut == NETWORK_SWITCH
    assert found.time_us == pytest.approx(18 * GIB / 5400e3)
    rails = replace(one, tiers=((18, 1.0),), rails=True)
    assert _bound(rails.fabric(), "all_reduce", 18, 8).cut == "NICs of a node, egress"
    assert _bound(one.fabric(), "all_gather", 18, 8).cut != NETWORK_SWITCH


@pytest.mark.parametrize(
    ("tiers", "nodes", "children"),
    [((), 18, 18), (((16, 1.0),), 16, 16), (((16, 1.0),), 64, 16), (((4, 1.0),), 64, 16),
     (((4, 1.0), (16, 1.0)), 64, 4), (((4, 1.0), (32, 1.0)), 64, 8), (((16, 1.0),), 20, 16)],
)  # fmt: skip
def test_the_vectors_that_meet_in_a_switch(
    tiers: tuple[tuple[int, float], ...], nodes: int, children: int
) -> None:
    assert most_children(replace(SHARP, tiers=tiers).layout(nodes * 8)) == children


@settings(deadline=None)
@given(groups(), st.sampled_from(TREE_OPS))
def test_the_best_mechanism_sets_the_bound(group: tuple[Spec, Layout], op: str) -> None:
    spec, layout = group
    fabric = spec.fabric()
    each = [by_mechanism(fabric, layout, op, one) for one in mechanisms(fabric, layout)]
    known = [slope.us_per_byte for slope in each if slope is not None]
    found = network_bound(fabric, layout, op)
    assert (found is None) == (not known)
    if found is not None:
        assert found.us_per_byte == min(known) > 0
        assert found.limit.us_per_byte() == pytest.approx(found.us_per_byte)


@settings(deadline=None)
@given(st.integers(2, 64), st.sampled_from(TREE_OPS), st.floats(0.5, 20))
def test_one_gpu_per_node_is_as_a_network_of_hosts(nodes: int, op: str, over: float) -> None:
    """S each way, whatever the tiers: only an uplink that is narrower than a NIC slows it."""
    spec = replace(FLAT, tiers=((4, over),))
    found = network_bound(spec.fabric(), spec.layout(nodes), op)
    assert found is not None
    what = OPERATIONS[op].in_network
    assert what is not None
    nic = 50e3 * INFINIBAND
    narrow = 4 * nic / over if nodes > 4 else nic
    share = (nodes - 1) / nodes if op == "all_gather" else 1
    assert found.us_per_byte >= share / nic * (1 - 1e-9)
    assert found.us_per_byte <= share / min(nic, narrow) * (1 + 1e-9)


@settings(deadline=None)
@given(groups())
def test_no_baseline_beats_the_bound_of_hosts(group: tuple[Spec, Layout]) -> None:
    _, layout = group
    for op in ("all_reduce", "all_gather", "reduce_scatter", "broadcast", "reduce"):
        least = host_bound(layout, op)
        for name, us_per_byte in baselines(layout, op).items():
            assert least is not None
            assert us_per_byte >= least.us_per_byte * (1 - 1e-9), (op, name)
