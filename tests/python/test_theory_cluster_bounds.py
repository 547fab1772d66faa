"""The shortest time that hosts can take on a cluster, and the cut that sets it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from clusters import Spec, groups
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import two_levels

from busbar import fabrics
from busbar.theory.bound import bound
from busbar.theory.cluster.bounds import Slope, host_bound
from busbar.theory.cluster.layout import Layout
from busbar.theory.operations import OPERATIONS

NETWORK_OPS = [op for op, what in OPERATIONS.items() if what.phases]
OPS = st.sampled_from(NETWORK_OPS)
H100 = Spec()
INFINIBAND = 4096 / 4122


def _slope(layout: Layout, op: str) -> Slope:
    found = host_bound(layout, op)
    assert found is not None
    return found


def _us_per_byte(layout: Layout, op: str) -> float:
    found = host_bound(layout, op)
    return 0.0 if found is None else found.us_per_byte


@pytest.mark.parametrize(
    ("op", "share"),
    [
        ("all_reduce", 2 * 7 / 8), ("all_gather", 7 / 8), ("reduce_scatter", 7 / 8),
        ("all_to_all", 7 / 8), ("broadcast", 1), ("reduce", 1), ("gather", 7 / 8),
        ("scatter", 7 / 8), ("send_recv", 1), ("one_way", 1), ("ping_pong", 1),
        ("bidirectional", 1),
    ],
)  # fmt: skip
def test_on_one_node_it_is_the_nvlink_port(op: str, share: float) -> None:
    found = _slope(replace(H100, nodes=1).layout(), op)
    assert found.us_per_byte == pytest.approx(share / 450e3)
    assert found.limit.cut.startswith("NVLink port of a GPU")


@pytest.mark.parametrize(
    ("op", "share"),
    [
        ("all_reduce", 2 * 31 / 32), ("all_gather", 31 / 32), ("reduce_scatter", 31 / 32),
        ("all_to_all", 8 * 31 / 32), ("broadcast", 1), ("reduce", 1), ("gather", 31 / 32),
        ("scatter", 31 / 32), ("send_recv", 1), ("ping_pong", 1), ("bidirectional", 1),
    ],
)  # fmt: skip
def test_on_many_nodes_it_is_their_nics(op: str, share: float) -> None:
    found = _slope(replace(H100, nodes=32).layout(), op)
    assert found.us_per_byte == pytest.approx(share / (400e3 * INFINIBAND))
    assert found.limit.cut.startswith("NICs of a node")


def test_two_ranks_next_to_each_other_need_no_nic() -> None:
    inside = _slope(H100.layout(root=0), "one_way")
    between = _slope(H100.layout(root=7), "one_way")
    assert inside.limit.cut == "NVLink port of a GPU and its PCIe slot, egress"
    assert inside.us_per_byte == pytest.approx(1 / 513e3)
    assert between.limit.cut == "NICs of a node, egress"


def test_an_all_reduce_of_few_nodes_is_held_up_by_its_gpus() -> None:
    """8 x 50 GB/s of NICs carry S each way of 2 nodes; every GPU has nearly 2 S for its port, and
    for its share of the NICs, of which there are fewer GB/s than of slots."""
    found = _slope(H100.layout(16), "all_reduce")
    assert found.limit.cut == (
        "NVLink port of a GPU and its PCIe slot and NICs of a node, all together, egress"
    )
    assert found.us_per_byte == pytest.approx(2 * 15 / 16 / (450e3 + 50e3 * INFINIBAND))
    narrow = _slope(replace(H100, rate_gbps=200).layout(16), "all_reduce")
    assert narrow.limit.cut == "NICs of a node, all together, egress"
    assert narrow.us_per_byte == pytest.approx(1 / (200e3 * INFINIBAND))


TIERS = replace(H100, nodes=64, tiers=((16, 1.0),))


def test_all_to_all_goes_to_the_uplinks_where_they_are_narrow() -> None:
    full = _slope(TIERS.layout(), "all_to_all")
    assert full.limit.cut == "NICs of a node, egress"
    half = _slope(replace(TIERS, tiers=((16, 2.0),)).layout(), "all_to_all")
    assert half.limit.cut == "uplinks of a tier 1, egress"
    assert half.us_per_byte == pytest.approx(128 * 0.75 / (16 * 200e3 * INFINIBAND))
    one_group = _slope(replace(TIERS, tiers=((16, 2.0),)).layout(128), "all_to_all")
    assert one_group.limit.cut == "NICs of a node, egress"


@settings(deadline=None)
@given(st.floats(1.0, 64.0), st.floats(1.001, 4.0))
def test_oversubscription_slows_that_cut_alone(over: float, more: float) -> None:
    before = replace(TIERS, tiers=((16, over),)).layout()
    after = replace(TIERS, tiers=((16, over * more),)).layout()
    for op in NETWORK_OPS:
        one, other = _slope(before, op), _slope(after, op)
        if "uplinks" in one.limit.cut:
            assert other.us_per_byte == pytest.approx(one.us_per_byte * more, rel=0.2)
            assert other.us_per_byte > one.us_per_byte
        elif "uplinks" not in other.limit.cut:
            assert other.us_per_byte == one.us_per_byte
        else:
            assert other.us_per_byte >= one.us_per_byte


def test_parts_that_differ_count_with_what_each_passes() -> None:
    """3 nodes with 8 NICs each, and one whose only rank has no more than its slot."""
    found = _slope(replace(H100, rate_gbps=100).layout(25), "all_reduce")
    assert found.us_per_byte == pytest.approx(2 * 3 / ((3 * 100 * INFINIBAND + 63) * 1e3))
    assert found.limit.cut == (
        "NICs of a node and PCIe slots before the NICs of a node, all together, egress"
    )


def test_a_domain_over_several_nodes_has_the_nics_of_those_in_use() -> None:
    rack = Spec(gpus=4, nodes=36, domain=72, nics=4, pcie_gbs=225, port_gbs=900)
    inside = _slope(rack.layout(72), "all_reduce")
    assert inside.limit.cut == "NVLink port of a GPU, all together, egress"
    full = _slope(rack.layout(144), "all_to_all")
    assert full.limit.cut == "NICs of an NVLink domain, egress"
    assert full.us_per_byte == pytest.approx(36 / (72 * 50e3 * INFINIBAND))
    half = _slope(rack.layout(76), "all_gather")  # one node of the second rack
    assert half.limit.cut == "NICs of an NVLink domain, ingress"
    assert half.us_per_byte == pytest.approx(72 / 76 / (4 * 50e3 * INFINIBAND))


def test_islands_talk_through_their_slots() -> None:
    bridged = Spec(nodes=1, domain=4, wiring="mesh", nvls_share=None, nics=0)
    found = _slope(bridged.layout(), "all_to_all")
    assert found.limit.cut == "PCIe slots of an NVLink island, egress"
    assert found.us_per_byte == pytest.approx(4 * 4 / 8 / (4 * 63e3))
    pair = _slope(bridged.layout(2), "all_reduce")  # two GPUs of a mesh: their own links
    assert pair.us_per_byte == pytest.approx(1 / 150e3)


def test_one_rank_per_node_is_held_up_by_its_slot() -> None:
    found = _slope(H100.layout(4, 1), "all_gather")
    assert found.us_per_byte == pytest.approx(0.75 / 63e3)
    assert found.limit.cut == "PCIe slots before the NICs of a node, ingress"


@settings(deadline=None)
@given(groups(), OPS, st.integers(1, 1 << 40), st.integers(1, 1 << 40))
def test_a_bound_grows_with_the_size(
    group: tuple[Spec, Layout], op: str, size: int, more: int
) -> None:
    spec, layout = group
    shape, fabric = layout.shape, spec.fabric()
    names = [f"host{rank // shape.ranks_per_node}" for rank in range(shape.ranks)]
    small, large = (bound(fabric, op, n, names, root=layout.root) for n in (size, size + more))
    if small is None or large is None:
        assert small is large
        return
    assert large.time_us > small.time_us
    assert large.cut == small.cut
    assert small.time_us == pytest.approx(size * _us_per_byte(layout, op))


@settings(deadline=None)
@given(groups(), OPS, st.sampled_from(["pcie_gbs", "port_gbs", "rate_gbps"]), st.floats(1.01, 4))
def test_a_bound_falls_or_stays_when_a_rate_rises(
    group: tuple[Spec, Layout], op: str, which: str, more: float
) -> None:
    spec, layout = group
    faster = replace(spec, **{which: getattr(spec, which) * more})
    shape = layout.shape
    after = _us_per_byte(faster.layout(shape.ranks, shape.ranks_per_node, layout.root), op)
    before = _us_per_byte(layout, op)
    assert before / more * (1 - 1e-9) <= after <= before * (1 + 1e-9)


@settings(deadline=None)
@given(groups(), OPS, st.floats(1.01, 4))
def test_a_bound_falls_when_all_rates_rise(
    group: tuple[Spec, Layout], op: str, more: float
) -> None:
    spec, layout = group
    faster = replace(spec, pcie_gbs=spec.pcie_gbs * more, port_gbs=spec.port_gbs * more,
                     rate_gbps=spec.rate_gbps * more)  # fmt: skip
    shape = layout.shape
    after = _us_per_byte(faster.layout(shape.ranks, shape.ranks_per_node, layout.root), op)
    assert after == pytest.approx(_us_per_byte(layout, op) / more)


@pytest.mark.parametrize("op", NETWORK_OPS)
@settings(deadline=None)
@given(
    leaves=st.integers(2, 4),
    per_leaf=st.integers(1, 4),
    over=st.floats(0.3, 6.0),
    size=st.integers(1, 1 << 30),
    data=st.data(),
)
def test_a_network_that_can_be_written_both_ways_has_one_bound(
    op: str, leaves: int, per_leaf: int, over: float, size: int, data: st.DataObject
) -> None:
    """Hosts with one rank below leaves, against nodes of one GPU in groups of a tier."""
    hosts, rate = leaves * per_leaf, 400e9
    uplink = per_leaf * rate / over
    network = two_levels([(rate, rate)] * hosts, [(uplink, uplink)] * leaves)
    cluster = Spec(
        gpus=1, nodes=hosts, domain=None, nics=1, pcie_gbs=1e6, rate_gbps=400,
        tiers=((per_leaf, over),),
    ).fabric()  # fmt: skip
    ranks = data.draw(st.integers(1, hosts))
    root = data.draw(st.integers(0, ranks - 1))
    explicit = bound(network, op, size, network.placement(nodes=ranks), root=root)
    shaped = bound(cluster, op, size, cluster.placement(nodes=ranks), root=root)
    assert (explicit is None) == (shaped is None)
    if explicit is not None and shaped is not None:
        on_line = shaped.time_us * cluster.efficiency()
        assert on_line == pytest.approx(explicit.time_us * network.efficiency())


def test_what_has_no_bound() -> None:
    fabric = H100.fabric()
    assert bound(fabric, "barrier", 0, fabric.placement(8)) is None
    assert bound(fabric, "memory_copy", 8, fabric.placement(8)) is None
    assert bound(fabric, "all_reduce", 8, ["a"]) is None
    assert bound(fabric, "all_reduce", 0, ["a", "b"]) is None
    assert bound(fabric, "all_reduce", 8, ["a", "b", "b", "c"]) is None
    assert bound(fabric, "all_to_allv", 8, ["a", "b"], counts=[[0, 1], [1, 0]]) is None
    same = bound(fabric, "all_to_allv", 8, ["a", "b"])
    assert same == bound(fabric, "all_to_all", 8, ["a", "b"]), "two ranks have no other shares"


def test_its_figures_are_those_of_a_bound() -> None:
    fabric = replace(H100, nodes=1).fabric()
    found = bound(fabric, "all_reduce", 450_000_000, fabric.placement(8))
    assert found is not None
    assert found.time_us == pytest.approx(1750)
    assert found.algbw_gbs == pytest.approx(450 / 1.75)
    assert found.busbw_gbs == pytest.approx(450)
    assert found.cut == "NVLink port of a GPU, all together, egress"
    assert found.cut_bytes == pytest.approx(14 * 450e6)
    assert found.formula == "6300000000 B / 3.6e+06 B/us"


def test_gpus_together_have_no_more_nics_than_there_are() -> None:
    """GB200: 225 GB/s of NVLink-C2C beside each port of 900, and one NIC of 50 behind it."""
    fabric = fabrics.load("gb200-nvl72-superpod")
    hosts = fabric.placement(4)
    alone = bound(fabric, "all_reduce", 1 << 30, hosts)
    reduced = bound(fabric, "all_reduce", 1 << 30, hosts, in_network=True)
    assert alone is not None and reduced is not None
    assert alone.busbw_gbs == pytest.approx(900 + 50 * INFINIBAND)
    assert alone.time_us / reduced.time_us == pytest.approx(1.87, abs=0.005)
