"""Bounds where nobody knows which nodes share a domain or a group of switches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import permutations

import pytest
from cluster_records import at, judged
from clusters import Spec
from hypothesis import given, settings
from hypothesis import strategies as st

from busbar import fabrics
from busbar.check import Verdict
from busbar.theory.bound import bound
from busbar.theory.cluster.bounds import Slope, host_bound
from busbar.theory.cluster.in_network import network_bound
from busbar.theory.cluster.layout import Layout, Spread, lay_out
from busbar.theory.cluster.placing import least_slope
from busbar.theory.cluster.shape import Shape
from busbar.theory.operations import OPERATIONS

SUPERPOD = fabrics.load("gb200-nvl72-superpod")
RACKS = Spec(gpus=2, nodes=12, domain=6, pcie_gbs=200, port_gbs=900, nics=2, sharp=True)
TIERS = Spec(gpus=2, nodes=12, domain=2, nics=2, tiers=((4, 3.0),), sharp=True)
OPS = [op for op, what in OPERATIONS.items() if what.phases]


def _occupancies(nodes: int, parts: int, capacity: int) -> Iterator[tuple[int, ...]]:
    """All ways to have so many nodes in so many parts or fewer."""

    def falling(left: int, most: int, many: int) -> Iterator[tuple[int, ...]]:
        if left == 0:
            yield ()
        elif many:
            for first in range(min(left, most), 0, -1):
                yield from ((first, *rest) for rest in falling(left - first, first, many - 1))

    for sizes in falling(nodes, capacity, parts):
        yield from set(permutations(sizes))


@pytest.mark.parametrize("in_network", [False, True])
@settings(deadline=None, max_examples=60)
@given(
    spec=st.builds(
        replace,
        st.sampled_from([RACKS, TIERS]),
        rate_gbps=st.floats(50, 2000),
        port_gbs=st.floats(50, 2000),
        pcie_gbs=st.floats(20, 500),
    ),
    ranks=st.integers(2, 24),
    op=st.sampled_from(OPS),
    data=st.data(),
)
def test_no_placement_is_faster(
    spec: Spec, ranks: int, op: str, data: st.DataObject, *, in_network: bool
) -> None:
    fabric = spec.fabric()
    cluster = fabric.cluster
    assert cluster is not None
    per_node = 2 if ranks > 12 else data.draw(st.sampled_from([1, 2]))
    shape, root = Shape(ranks, min(per_node, ranks)), data.draw(st.integers(0, ranks - 1))
    capacity = 3 if spec.domain == 6 else 4

    def slope_of(layout: Layout, op: str) -> Slope | None:
        return network_bound(fabric, layout, op) if in_network else host_bound(layout, op)

    least = least_slope(cluster, shape, root, op, slope_of)
    for sizes in _occupancies(shape.nodes(), 12 // capacity, capacity):
        spread = Spread(capacity, tuple((size, 1) for size in sizes))
        found = slope_of(lay_out(cluster, shape, root, spread), op)
        if least is not None:
            assert found is not None
            assert least.us_per_byte <= found.us_per_byte * (1 + 1e-9), sizes


@pytest.mark.parametrize(("trays", "busbw_gbs"), [(20, 800.0), (128, 806.0)])
def test_racks_may_be_filled_evenly(trays: int, busbw_gbs: float) -> None:
    """20 trays as 10 and 10, and 128 as eight times 16, are not held up by a rest of two."""
    row = judged(at(busbw_gbs, SUPERPOD.placement(4, trays)), SUPERPOD)
    assert row.verdict is Verdict.PASS, row.reason


def test_what_no_placement_could_do_is_impossible() -> None:
    hosts = SUPERPOD.placement(4, 20)  # at least two racks: 10 trays of NICs and C2C beside NVLink
    row = judged(at(2000.0, hosts, algorithm="RING", in_network=False), SUPERPOD)
    assert row.verdict is Verdict.IMPOSSIBLE


def test_simulated_nodes_lie_in_order() -> None:
    hosts = SUPERPOD.placement(4, 20)
    fields = {"on": "simulated", "simulated": True, "emulated": False, "emulation": None}
    row = judged(at(800.0, hosts, **fields), SUPERPOD)
    assert row.verdict is Verdict.IMPOSSIBLE
    assert row.bound is not None and "NICs of an NVLink 5 domain" in row.bound.cut


def test_uplinks_have_to_carry_less_where_more_groups_share_it() -> None:
    """768 nodes of 24k GPUs: 2 full groups of 384, or 8 of 96."""
    fabric = fabrics.load("meta-24k-roce")
    hosts = fabric.placement(8, 768)
    in_order = bound(fabric, "all_to_all", 1 << 30, hosts)
    anywhere = bound(fabric, "all_to_all", 1 << 30, hosts, placed=False)
    assert in_order is not None and anywhere is not None
    assert in_order.time_us / anywhere.time_us == pytest.approx(384 * 384 / (96 * 672))


@pytest.mark.parametrize("name", ["dgx-h100", "gb200-nvl72", "ethernet-100k"])
def test_where_all_nodes_are_alike_nothing_changes(name: str) -> None:
    fabric = fabrics.load(name)
    hosts = fabric.placement(fabric.cluster.node.gpus if fabric.cluster else 1, 16)
    for op in OPS:
        anywhere = bound(fabric, op, 1 << 30, hosts, placed=False)
        in_order = bound(fabric, op, 1 << 30, hosts)
        assert anywhere is not None and in_order is not None
        slack = 0.005 if op == "all_to_allv" else 1e-9  # half a chunk, of which no part is sure
        assert anywhere.time_us == pytest.approx(in_order.time_us, rel=slack)
