"""The time to expect of NCCL's algorithms on a cluster."""

from __future__ import annotations

from dataclasses import replace

import pytest
from clusters import Spec, groups
from hypothesis import given, settings
from hypothesis import strategies as st

from busbar.theory.cluster.bounds import host_bound
from busbar.theory.cluster.expected import Candidate, candidates
from busbar.theory.cluster.in_network import network_bound
from busbar.theory.cluster.latency import latency_us
from busbar.theory.cluster.layout import Layout
from busbar.theory.cluster.nccl_constants import Algorithm, Protocol
from busbar.theory.constants import Constants
from busbar.theory.expected import expected, expected_in_network
from busbar.theory.operations import OPERATIONS

NETWORK_OPS = [op for op, what in OPERATIONS.items() if what.phases]
H100 = Spec()
SHARP = replace(H100, nodes=64, sharp=True)
GIB = 1 << 30


def _able(spec: Spec, op: str, ranks: int, per_node: int = 8) -> dict[str, Candidate]:
    layout = spec.layout(ranks, per_node)
    return {one.algorithm: one for one in candidates(spec.fabric(), layout, op)}


@settings(max_examples=300, deadline=None)
@given(groups(), st.sampled_from(NETWORK_OPS), st.integers(1, 1 << 36))
def test_no_algorithm_is_expected_to_beat_its_bound(
    group: tuple[Spec, Layout], op: str, size: int
) -> None:
    spec, layout = group
    fabric = spec.fabric()
    hosts, network = host_bound(layout, op), network_bound(fabric, layout, op)
    for one in candidates(fabric, layout, op):
        slope = network if one.in_network else hosts
        assert slope is not None
        assert one.time_us(size) >= slope.us_per_byte * size * (1 - 1e-9), one.algorithm
        for line in one.protocols:
            assert line.latency_us > 0
            assert line.us_per_byte >= slope.us_per_byte * (1 - 1e-9), one.algorithm


@settings(deadline=None)
@given(groups(), st.sampled_from(NETWORK_OPS))
def test_what_crosses_a_network_has_an_expected_time(group: tuple[Spec, Layout], op: str) -> None:
    spec, layout = group
    able = candidates(spec.fabric(), layout, op)
    assert bool(able) == (layout.ranks > 1)
    assert any(not one.in_network for one in able) == bool(able)


@pytest.mark.parametrize(
    ("algorithm", "by_nodes"),
    [
        ("ring", {2: 132, 4: 283, 16: 1190, 64: 4819}),
        ("tree", {2: 92, 4: 120, 16: 176, 64: 232}),
        ("NVLS tree", {2: 67, 4: 109, 16: 192, 64: 276}),
        ("CollNet chain", {2: 69, 4: 69, 16: 69, 64: 69}),
        ("CollNet direct", {2: 44, 4: 44, 16: 44, 64: 44}),
        ("NVLS", {2: 43, 4: 43, 16: 43, 64: 43}),
    ],
)
def test_latencies_are_those_of_nccls_model(
    algorithm: Algorithm, by_nodes: dict[int, float]
) -> None:
    """NCCL 2.28.9, worked out by hand: all_reduce, 8 GPUs per node, protocol Simple."""
    intel = replace(SHARP, cpu="intel")
    for nodes, us in by_nodes.items():
        layout = intel.layout(nodes * 8)
        found = latency_us(layout, "all_reduce", algorithm, Protocol.SIMPLE)
        assert found == pytest.approx(us, abs=0.6)


def test_algorithms_appear_where_they_can_run() -> None:
    host = {"ring", "tree"}
    network = {"NVLS", "NVLS tree", "CollNet direct", "CollNet chain"}
    assert set(_able(SHARP, "all_reduce", 8)) == {*host, "NVLS"}
    assert set(_able(SHARP, "all_reduce", 64)) == host | network
    assert set(_able(H100, "all_reduce", 32)) == {*host, "NVLS tree"}
    assert set(_able(replace(SHARP, nvls_share=None), "all_reduce", 64)) == {
        *host, "CollNet direct", "CollNet chain",
    }  # fmt: skip
    assert set(_able(SHARP, "all_reduce", 8, 1)) == {*host, "CollNet chain"} | {"CollNet direct"}
    assert set(_able(SHARP, "all_gather", 8, 1)) == {"ring", "PAT", "CollNet direct"}
    assert set(_able(SHARP, "all_gather", 64)) == {"ring", "NVLS", "CollNet direct"}
    assert set(_able(replace(SHARP, nics=4), "all_gather", 64)) == {"ring"}
    assert set(_able(SHARP, "broadcast", 64)) == {"ring"}
    assert set(_able(SHARP, "all_to_all", 64)) == {"pairwise"}
    assert set(_able(SHARP, "ping_pong", 64)) == {"direct"}
    assert set(_able(SHARP, "barrier", 64)) == set()
    assert set(_able(SHARP, "all_reduce", 1)) == set()
    rack = Spec(gpus=4, nodes=36, domain=72, nics=4, pcie_gbs=225, sharp=True)
    assert set(_able(rack, "all_reduce", 72, 4)) == {*host, "NVLS"}
    assert set(_able(rack, "all_reduce", 144, 4)) == {*host, "NVLS", "NVLS tree"}


@pytest.mark.parametrize(
    ("op", "algorithm", "ranks", "gbs"),
    [
        # Of S = 1: the bytes that pass the slowest link, over what that usually reaches.
        ("all_reduce", "ring", 8, 450 * 0.824 / (2 * 7 / 8)),
        ("all_reduce", "tree", 8, 450 * 0.824 / 2 * 0.92),
        ("all_reduce", "NVLS", 8, 450 * 0.682 / (9 / 8)),
        ("all_reduce", "ring", 512, 400 * 0.97 / (2 * 511 / 512)),
        ("all_reduce", "tree", 512, 450 * 0.824 / 2 * 120 / 128),
        ("all_reduce", "NVLS", 512, 450 * 0.682 / (9 / 8)),
        ("all_reduce", "NVLS tree", 512, 400 * 0.97 / 2),
        ("all_reduce", "CollNet direct", 512, 450 * 0.824 / (2 * 7 / 8) * 0.85),
        ("all_reduce", "CollNet chain", 512, 450 * 0.824 / 2),
        ("all_gather", "ring", 8, 450 * 0.824 / (7 / 8)),
        ("all_gather", "ring", 512, 400 * 0.97 / (511 / 512)),
        ("all_gather", "NVLS", 8, 450 * 0.682),
        ("broadcast", "ring", 512, 400 * 0.97),
        ("all_to_all", "pairwise", 8, 450 * 0.824 / (7 / 8)),
        ("all_to_all", "pairwise", 512, 50 * 0.97 / (504 / 512)),
        ("gather", "pairwise", 512, 50 * 0.97 / (504 / 512)),
        ("send_recv", "direct", 8, 450 * 0.824),
        ("send_recv", "direct", 512, 50 * 0.97),
        ("one_way", "direct", 512, 450 * 0.824),
        ("ping_pong", "direct", 512, 50 * 0.97),
    ],
)  # fmt: skip
def test_bandwidths_are_those_of_the_fabric(
    op: str, algorithm: str, ranks: int, gbs: float
) -> None:
    found = _able(SHARP, op, ranks)[algorithm]
    assert min(line.us_per_byte for line in found.protocols) == pytest.approx(1 / gbs / 1e3)


def test_a_tree_of_two_nodes_sends_half() -> None:
    narrow = replace(SHARP, rate_gbps=100)
    two, three = (_able(narrow, "all_reduce", n * 8)["tree"].protocols[2] for n in (2, 3))
    assert two.us_per_byte == pytest.approx(1 / (100 * 0.97 * 0.92) / 1e3)
    assert three.us_per_byte == pytest.approx(2 * two.us_per_byte)


def test_a_pair_of_a_mesh_has_its_own_links() -> None:
    bridged = Spec(nodes=1, gpus=4, domain=4, wiring="mesh", nvls_share=None, nics=0)
    pair = _able(bridged, "ping_pong", 4, 4)["direct"]
    ring = _able(bridged, "all_gather", 4, 4)["ring"]
    assert pair.protocols[1].us_per_byte == pytest.approx(1 / (150e3 * 0.824))
    assert ring.protocols[2].us_per_byte == pytest.approx(0.75 / (450e3 * 0.824))


def test_small_messages_take_the_quick_protocol() -> None:
    ring = _able(SHARP, "all_reduce", 8)["ring"]
    ll, ll128, simple = ring.protocols
    assert ring.time_us(8) == pytest.approx(ll.time_us(8)) == pytest.approx(6.6 + 14 * 0.6, abs=0.1)
    assert ring.time_us(4 * GIB) == simple.time_us(4 * GIB)
    assert ll128.us_per_byte == pytest.approx(simple.us_per_byte / 0.92)
    assert ll.us_per_byte == pytest.approx(1.75 / 141e3)  # what NCCL has LL reach on Hopper
    slots = replace(H100, domain=None, nvls_share=None)
    assert len(_able(slots, "all_reduce", 8)["ring"].protocols) == 2  # no LL128 over PCIe


def test_the_names_that_judges_ask_for() -> None:
    fabric, none = SHARP.fabric(), Constants()
    found = expected(fabric, "all_reduce", 16 * GIB, fabric.placement(8, 8), none)
    assert [one.algorithm for one in found] == ["ring", "tree"]
    assert found[0].busbw_gbs < 388
    assert found[0].time_us < found[1].time_us
    best = expected_in_network(fabric, "all_reduce", GIB, fabric.placement(8, 8), none)
    assert best is not None
    assert best.algorithm == "NVLS"
    assert expected(fabric, "all_reduce", GIB, ["a", "b", "b", "c"], none) == []
    assert expected_in_network(fabric, "all_to_all", GIB, ["a", "b"], none) is None
    plain = replace(H100, nvls_share=None).fabric()
    assert expected_in_network(plain, "all_reduce", GIB, ["a", "b"], none) is None
