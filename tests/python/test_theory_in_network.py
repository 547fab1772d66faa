"""What switches that reduce allow, what that can gain, and what to expect of it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import star, two_levels

from busbar import fabrics
from busbar.fabrics import Fabric
from busbar.theory.bound import Bound, bound
from busbar.theory.constants import Constants
from busbar.theory.expected import expected, expected_in_network
from busbar.theory.gain import most
from busbar.theory.operations import OPERATIONS

MIB = 1 << 20
STAR = fabrics.load("emulated-4x400m")
WIRE = 9014 / 8948
KNOWN = Constants(message_us=50.0)
NETWORK_OPS = [op for op, what in OPERATIONS.items() if what.phases]
RATES = st.floats(min_value=1e6, max_value=1e9)
HOST_RATES = st.lists(st.tuples(RATES, RATES), min_size=2, max_size=5)
SIZES = st.integers(1, 1 << 26)


def _time(fabric: Fabric, op: str, size: int) -> float:
    found = bound(fabric, op, size, fabric.placement())
    return found.time_us if found else 0.0


# In the network

TREE_OPS = [op for op, what in OPERATIONS.items() if what.in_network is not None]


def _in_network(fabric: Fabric, op: str, size: int, **more: int) -> Bound:
    found = bound(fabric, op, size, fabric.placement(), in_network=True, **more)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("op", "share"),
    [
        ("all_reduce", 1), ("reduce", 1), ("broadcast", 1), ("reduce_scatter", 1),
        ("all_gather", 0.75),
    ],
)  # fmt: skip
def test_in_the_network_equal_hosts(op: str, share: float) -> None:
    found = _in_network(STAR, op, MIB)
    assert found.time_us == pytest.approx((share * MIB * WIRE - 65536) / 50)
    assert found.busbw_gbs == pytest.approx(
        MIB / found.time_us / 1e3 * OPERATIONS[op].bus_factor(4)
    )


def test_several_ranks_of_a_host_could_combine_first() -> None:
    eight = bound(STAR, "all_reduce", MIB, STAR.placement(2), in_network=True)
    assert eight is not None
    assert eight.time_us == pytest.approx(_in_network(STAR, "all_reduce", MIB).time_us)


def test_a_slow_link_is_named_by_direction() -> None:
    slow = fabrics.emulated(4, 400e6, {"host2.rx": 100e6})
    assert _in_network(slow, "all_reduce", MIB).cut == "link of host2, ingress"
    assert _in_network(slow, "reduce", MIB).cut == "link of host1, egress"
    assert _in_network(slow, "reduce", MIB, root=1).cut == "link of host2, ingress"


def test_uplinks_pass_the_vector_once() -> None:
    fabric = two_levels([(4e8, 4e8)] * 6, [(1e8, 1e8), (1e8, 5e7)])
    found = _in_network(fabric, "all_reduce", MIB)
    assert (found.cut, found.cut_bytes) == ("uplink of leaf2, ingress", MIB)
    gathered = _in_network(fabric, "all_gather", 6 * MIB)
    assert (gathered.cut, gathered.cut_bytes) == ("uplink of leaf2, ingress", 3 * MIB)


@pytest.mark.parametrize("op", [*sorted(set(NETWORK_OPS) - set(TREE_OPS)), "barrier"])
def test_what_switches_do_nothing_for_has_no_bound_there(op: str) -> None:
    assert bound(STAR, op, MIB, STAR.placement(), in_network=True) is None


@pytest.mark.parametrize("op", TREE_OPS)
def test_on_one_host_nothing_is_in_the_network(op: str) -> None:
    assert bound(STAR, op, MIB, STAR.placement(4, nodes=1), in_network=True) is None


def test_a_switch_with_a_rate_is_one_more_cut() -> None:
    document = STAR.model_dump(by_alias=True) | {
        "in_network": {
            "mechanism": "tree", "source": "typed", "rate": {"value": 8e8, "source": "typed"}
        }
    }  # fmt: skip
    slow = Fabric.model_validate(document)
    found = _in_network(slow, "all_reduce", MIB)
    assert (found.cut, found.cut_bytes) == ("reduction in the switch", 4 * MIB)
    assert found.time_us == pytest.approx(4 * MIB / 100)
    assert _in_network(slow, "broadcast", MIB).cut == "link of host1, egress"


@settings(max_examples=60, deadline=None)
@given(HOST_RATES, SIZES)
def test_in_the_network_an_all_reduce_never_has_the_longer_bound(
    rates: list[tuple[float, float]], size: int
) -> None:
    fabric = star(rates)
    found = bound(fabric, "all_reduce", size, fabric.placement(), in_network=True)
    assert (found.time_us if found else 0.0) <= _time(fabric, "all_reduce", size) * (1 + 1e-9)


# Gains


@pytest.mark.parametrize("hosts", [2, 3, 4, 8, 10])
def test_the_most_over_a_ring(hosts: int) -> None:
    fabric = star([(4e8, 4e8)] * hosts, 1e-9)

    def over_ring(op: str) -> float:
        first = most(fabric, op, MIB, fabric.placement())[0]
        assert first.baseline == "ring at its bound"
        return first.gain

    assert over_ring("all_reduce") == pytest.approx(2 * (hosts - 1) / hosts)
    assert over_ring("reduce_scatter") == pytest.approx((hosts - 1) / hosts)
    assert over_ring("all_gather") == pytest.approx(1)


def test_the_most_over_a_binomial_tree() -> None:
    fabric = star([(4e8, 4e8)] * 8, 1e-9)
    for op in ("reduce", "broadcast"):
        found = {one.baseline: one.gain for one in most(fabric, op, MIB, fabric.placement())}
        assert found == pytest.approx({"hosts at their bound": 1, "binomial tree": 3})


def test_a_ring_below_its_bound_does_not_give_it_its_name() -> None:
    slow = fabrics.emulated(4, 400e6, {"host2": 100e6})
    baselines = {one.baseline: one.gain for one in most(slow, "all_reduce", MIB, slow.placement())}
    assert baselines["hosts at their bound"] == pytest.approx(1)
    assert "ring at its bound" not in baselines


def test_no_bound_no_most() -> None:
    assert most(STAR, "all_to_all", MIB, STAR.placement()) == []
    assert most(STAR, "all_reduce", 8, STAR.placement()) == []


def test_what_to_expect_in_the_network() -> None:
    likely = expected_in_network(STAR, "all_reduce", MIB, STAR.placement(), KNOWN)
    assert likely is not None
    assert likely.time_us == pytest.approx(2 * 50 + (MIB + 32768) * WIRE / 50)
    fabric = two_levels([(4e8, 4e8)] * 4, [(4e8, 4e8)] * 2)
    deeper = expected_in_network(fabric, "all_reduce", MIB, fabric.placement(), KNOWN)
    assert deeper is not None
    assert deeper.time_us == pytest.approx(4 * 50 + (MIB + 3 * 32768) * WIRE / 50)
    below = expected_in_network(fabric, "all_reduce", MIB, ["host1", "host2"], KNOWN)
    assert below is not None
    assert below.time_us == pytest.approx(likely.time_us)
    for op in ("all_to_all", "memory_copy"):
        assert expected_in_network(STAR, op, MIB, STAR.placement(), KNOWN) is None
    assert expected_in_network(STAR, "all_reduce", MIB, STAR.placement(), Constants()) is None
    assert expected_in_network(STAR, "all_reduce", MIB, STAR.placement(2), KNOWN) is None


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(TREE_OPS), HOST_RATES, SIZES)
def test_no_time_expected_in_the_network_beats_the_bound_there(
    op: str, rates: list[tuple[float, float]], size: int
) -> None:
    fabric = star(rates)
    likely = expected_in_network(fabric, op, size, fabric.placement(), KNOWN)
    found = bound(fabric, op, size, fabric.placement(), in_network=True)
    assert likely is not None
    assert likely.time_us >= (found.time_us if found else 0.0) * (1 - 1e-9)


def test_models_of_hosts_leave_uplinks_out() -> None:
    fabric = two_levels([(4e8, 4e8)] * 4, [(4e8, 4e8)] * 2)
    assert expected(fabric, "all_reduce", MIB, fabric.placement(), KNOWN) == []
    assert expected(fabric, "all_reduce", MIB, ["host1", "host2"], KNOWN) != []
