"""Bounds: against brute force, by properties, and by figures worked out by hand."""

from __future__ import annotations

import random
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import star

from busbar import fabrics
from busbar.errors import UsageError
from busbar.fabrics import Fabric
from busbar.theory.bound import Bound, bound
from busbar.theory.constants import Constants, fit
from busbar.theory.expected import byte_shares, expected
from busbar.theory.operations import OPERATIONS, Exchange
from busbar.theory.scaling import growth
from factories import Row, record_of

MIB = 1 << 20
STAR = fabrics.load("emulated-4x400m")
NETWORK_OPS = [op for op, what in OPERATIONS.items() if what.phases]
RATES = st.floats(min_value=1e6, max_value=1e9)
HOST_RATES = st.lists(st.tuples(RATES, RATES), min_size=2, max_size=5)
OPS = st.sampled_from(NETWORK_OPS)
SIZES = st.integers(1, 1 << 26)


def _time(fabric: Fabric, op: str, size: int) -> float:
    found = bound(fabric, op, size, fabric.placement())
    return found.time_us if found else 0.0


def _found(fabric: Fabric, op: str, size: int) -> Bound:
    found = bound(fabric, op, size, fabric.placement())
    assert found is not None
    return found


# Figures worked out by hand: 4 hosts, 50 B/us, 8948/9014 payload, 65536 B burst.


@pytest.mark.parametrize(
    ("op", "share"),
    [
        ("all_reduce", 1.5), ("all_gather", 0.75), ("reduce_scatter", 0.75), ("all_to_all", 0.75),
        ("all_to_allv", 0.75), ("gather", 0.75), ("scatter", 0.75), ("broadcast", 1.0),
        ("reduce", 1.0), ("send_recv", 1.0), ("ping_pong", 1.0), ("bidirectional", 1.0),
    ],
)  # fmt: skip
def test_equal_hosts(op: str, share: float) -> None:
    found = _found(STAR, op, MIB)
    assert found.time_us == pytest.approx((share * MIB * 9014 / 8948 - 65536) / 50)
    assert found.algbw_gbs == pytest.approx(MIB / found.time_us / 1000)
    assert found.busbw_gbs == pytest.approx(found.algbw_gbs * OPERATIONS[op].bus_factor(4))


@pytest.mark.parametrize("op", ["barrier", "null", "memory_copy"])
def test_what_moves_nothing_has_no_bound(op: str) -> None:
    assert bound(STAR, op, MIB, STAR.placement()) is None


@pytest.mark.parametrize("op", NETWORK_OPS)
def test_what_a_burst_swallows_has_no_bound(op: str) -> None:
    assert bound(STAR, op, 8, STAR.placement()) is None


@pytest.mark.parametrize("op", NETWORK_OPS)
def test_ranks_on_one_host_have_no_bound(op: str) -> None:
    assert bound(STAR, op, MIB, STAR.placement(4, nodes=1)) is None
    assert bound(STAR, op, MIB, ["host1"]) is None


@pytest.mark.parametrize("op", NETWORK_OPS)
def test_shared_memory_has_no_bound(op: str) -> None:
    assert bound(fabrics.load("local"), op, MIB, ["here", "here"]) is None


def test_a_slow_host_carries_less_than_a_ring_would_give_it() -> None:
    slow = fabrics.emulated(4, 400e6, {"host2": 100e6})
    found = _found(slow, "all_reduce", MIB)
    assert found.cut == "link of host2, egress"
    assert found.cut_bytes == MIB


def test_a_slightly_slow_host_leaves_the_bound_to_all_links() -> None:
    found = _found(fabrics.emulated(4, 400e6, {"host2": 380e6}), "all_reduce", MIB)
    assert found.cut == "all links together, egress"
    assert found.cut_bytes == 6 * MIB


def test_a_slow_receiver_of_a_reduce_scatter_needs_only_its_chunk() -> None:
    found = _found(fabrics.emulated(4, 400e6, {"host2.rx": 200e6}), "reduce_scatter", MIB)
    assert found.cut == "all links together, ingress"
    assert found.cut_bytes == 3 * MIB


@pytest.mark.parametrize(("root", "slow"), [(0, "egress"), (1, "ingress")])
def test_the_root_is_where_the_caller_says(root: int, slow: str) -> None:
    fabric = fabrics.emulated(4, 400e6, {"host1": 100e6})
    found = bound(fabric, "broadcast", MIB, fabric.placement(), root=root)
    assert found is not None
    assert found.cut == f"link of host1, {slow}"


def test_ping_pong_is_the_mean_of_both_ways() -> None:
    fabric = fabrics.emulated(4, 400e6, {"host4.tx": 100e6})
    there, back = ((MIB * 9014 / 8948 - 65536) / rate for rate in (50, 12.5))
    assert _time(fabric, "ping_pong", MIB) == pytest.approx((there + back) / 2)
    assert _time(fabric, "bidirectional", MIB) == pytest.approx(back)


def test_several_ranks_per_host_share_its_link() -> None:
    eight = bound(STAR, "all_to_all", MIB, STAR.placement(2))
    assert eight is not None
    assert eight.cut_bytes == 2 * 6 * MIB / 8
    ring = bound(STAR, "send_recv", MIB, STAR.placement(2))
    assert ring is not None
    assert ring.cut_bytes == MIB


def test_byte_counts_rule_an_all_to_allv() -> None:
    counts = [[0.0, 3.0 * MIB, 0.0], [0.0, 0.0, 0.0], [MIB, 0.0, 0.0]]
    fabric = fabrics.emulated(3)
    found = bound(fabric, "all_to_allv", MIB, fabric.placement(), counts=counts)
    assert found is not None
    assert (found.cut, found.cut_bytes) == ("link of host1, egress", 3 * MIB)
    even = [[MIB / 3] * 3] * 3
    assert bound(fabric, "all_to_allv", MIB, fabric.placement(), counts=even) == bound(
        fabric, "all_to_all", MIB, fabric.placement()
    )


def _as_the_engine_shares(ranks: int, size: int) -> list[list[float]]:
    """Collectives/all_to_allv.cpp, `share`, for chunks of an even number of elements."""

    def share(distance: int) -> int:
        unpaired = distance == ranks - 1 and distance % 2 == 1
        even = size // ranks
        if distance == 0 or unpaired:
            return even
        return even + even // 2 if distance % 2 == 1 else even - even // 2

    return [[float(share((to - me) % ranks)) for to in range(ranks)] for me in range(ranks)]


@given(st.integers(2, 12), st.data())
def test_shares_of_an_all_to_allv_are_the_engines(ranks: int, data: st.DataObject) -> None:
    size = ranks * MIB
    given_counts = Exchange(size, ranks, counts=_as_the_engine_shares(ranks, size))
    (crosses,) = OPERATIONS["all_to_allv"].phases
    some = data.draw(st.sets(st.integers(0, ranks - 1)))
    assert crosses(Exchange(size, ranks), some) == crosses(given_counts, some)
    first = data.draw(st.integers(0, ranks))
    in_a_row = range(first, data.draw(st.integers(first, ranks)))
    found, wanted = crosses(Exchange(size, ranks), in_a_row), crosses(given_counts, set(in_a_row))
    assert found.out_bytes == pytest.approx(wanted.out_bytes)
    assert found.in_bytes == pytest.approx(wanted.in_bytes)


def test_an_uplink_is_not_held_to_more_than_an_all_to_allv_sends() -> None:
    """Two hosts of four send 3.5 chunks to the other two, not 4."""
    fabric = fabrics.emulated(4, 400e6, leaves=2, uplink_bps=200e6)
    found = bound(fabric, "all_to_allv", MIB, fabric.placement())
    assert found is not None
    assert found.cut_bytes == 3.5 * MIB / 4
    two_each = bound(STAR, "all_to_allv", MIB, STAR.placement(2))
    assert two_each is not None
    assert two_each.cut_bytes == 11.5 * MIB / 8


# Properties


@settings(max_examples=60, deadline=None)
@given(OPS, HOST_RATES, SIZES, SIZES)
def test_more_bytes_never_take_less_time(
    op: str, rates: list[tuple[float, float]], one: int, other: int
) -> None:
    fabric = star(rates)
    small, large = sorted((one, other))
    assert _time(fabric, op, small) <= _time(fabric, op, large) * (1 + 1e-12)


@settings(max_examples=60, deadline=None)
@given(OPS, HOST_RATES, SIZES)
def test_the_bound_is_never_below_a_single_cut(
    op: str, rates: list[tuple[float, float]], size: int
) -> None:
    fabric, n = star(rates), len(rates)
    phases = OPERATIONS[op].phases
    exchange = Exchange(size, n)
    time = _time(fabric, op, size)
    for k in range(1, n):
        for inside in combinations(range(n), k):
            cuts = [fabric.cuts()[rank] for rank in inside]
            egress = sum((c.egress.rate_bps for c in cuts[1:]), cuts[0].egress.rate_bps) / 8e6
            ingress = sum((c.ingress.rate_bps for c in cuts[1:]), cuts[0].ingress.rate_bps) / 8e6
            least = [
                max((way.out_bytes * 9014 / 8948 - k * 65536) / egress,
                    (way.in_bytes * 9014 / 8948 - k * 65536) / ingress, 0)
                for crosses in phases for way in [crosses(exchange, set(inside))]
            ]  # fmt: skip
            assert time >= sum(least) / len(phases) * (1 - 1e-9)


@settings(max_examples=60, deadline=None)
@given(OPS, HOST_RATES, SIZES, st.floats(1.5, 10))
def test_links_and_sizes_scale_together(
    op: str, rates: list[tuple[float, float]], size: int, factor: float
) -> None:
    """Without a burst, faster links shorten the bound by as much."""
    slow, fast = star(rates, 1e-9), star([(e * factor, i * factor) for e, i in rates], 1e-9)
    assert _time(slow, op, size) == pytest.approx(_time(fast, op, size) * factor)
    assert _time(slow, op, 2 * size) == pytest.approx(2 * _time(slow, op, size))


SYMMETRIC = ["all_reduce", "all_gather", "reduce_scatter", "all_to_all"]


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(SYMMETRIC), HOST_RATES, SIZES, st.randoms(use_true_random=False))
def test_the_order_of_hosts_does_not_matter(
    op: str, rates: list[tuple[float, float]], size: int, rng: random.Random
) -> None:
    shuffled = list(rates)
    rng.shuffle(shuffled)
    assert _time(star(rates), op, size) == pytest.approx(_time(star(shuffled), op, size))


MIRRORS = [("all_gather", "reduce_scatter"), ("broadcast", "reduce"), ("scatter", "gather")]


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(MIRRORS), HOST_RATES, SIZES)
def test_mirrors_swap_the_directions(
    pair: tuple[str, str], rates: list[tuple[float, float]], size: int
) -> None:
    turned = [(ingress, egress) for egress, ingress in rates]
    one, other = _time(star(rates), pair[0], size), _time(star(turned), pair[1], size)
    assert one == pytest.approx(other)


# Bad input


@pytest.mark.parametrize(
    ("op", "size", "placement", "more", "sentence"),
    [
        ("all_redcue", 8, ["host1"], {}, "'all_redcue' is unknown: accepted are all_reduce,"),
        ("all_reduce", 8, [], {}, "zero ranks"),
        ("all_reduce", -8, ["host1"], {}, "size -8 is negative"),
        ("broadcast", 8, ["host1", "host2"], {"root": 2}, "root 2: accepted is 0 to 1"),
        ("all_reduce", 8, ["host1", "hots2"], {}, "'hots2' is not in fabric 'emulated-4x400m'"),
        ("all_reduce", 8, ["host1"], {"counts": [[1.0]]}, "'all_reduce' takes none"),
        ("all_to_allv", 8, ["host1"], {"counts": [[1.0, 2.0]]}, "1 rows of 1"),
        ("all_to_allv", 8, ["host1"], {"counts": [[-1.0]]}, "none negative"),
    ],
)
def test_what_does_not_fit_is_refused(
    op: str, size: int, placement: list[str], more: dict[str, object], sentence: str
) -> None:
    with pytest.raises(UsageError, match=sentence):
        bound(STAR, op, size, placement, **more)  # type: ignore[arg-type]


# Expected times

KNOWN = Constants(message_us=50.0)


def test_a_ring_costs_its_messages_and_its_bytes() -> None:
    models = {e.algorithm: e for e in expected(STAR, "all_reduce", MIB, STAR.placement(), KNOWN)}
    ring = models["ring"]
    assert ring.time_us == pytest.approx(6 * 50 + 1.5 * MIB * 9014 / 8948 / 50)
    assert ring.busbw_gbs == pytest.approx(1.5 * MIB / ring.time_us / 1000)
    assert models["recursive doubling"].time_us == pytest.approx(100 + 2 * MIB * 9014 / 8948 / 50)


def test_small_messages_want_few_steps_and_large_ones_few_bytes() -> None:
    small = expected(STAR, "all_reduce", 8, STAR.placement(), KNOWN)[0]
    large = expected(STAR, "all_reduce", 64 * MIB, STAR.placement(), KNOWN)[0]
    assert small.algorithm == "recursive doubling"
    assert large.algorithm == "recursive halving and doubling"


@settings(max_examples=60, deadline=None)
@given(OPS, HOST_RATES, SIZES, st.floats(0, 1e3))
def test_no_expected_time_beats_the_bound(
    op: str, rates: list[tuple[float, float]], size: int, message_us: float
) -> None:
    fabric = star(rates)
    for model in expected(fabric, op, size, fabric.placement(), Constants(message_us)):
        assert model.time_us >= _time(fabric, op, size) * (1 - 1e-9)


def test_nothing_is_expected_without_constants_or_with_shared_links() -> None:
    assert expected(STAR, "all_reduce", MIB, STAR.placement(), Constants()) == []
    assert expected(STAR, "all_reduce", MIB, STAR.placement(2), KNOWN) == []
    assert expected(STAR, "all_reduce", MIB, ["host1"], KNOWN) == []


def test_constants_come_from_the_record_and_confirm_nothing() -> None:
    measured = record_of([Row("ping_pong", 8), Row("ping_pong", MIB), Row("all_reduce", MIB)])
    constants = fit(measured, STAR)
    smallest = measured.points[0].time_us
    assert smallest is not None
    assert constants.message_us == smallest.median
    assert expected(STAR, "ping_pong", MIB, STAR.placement(), constants) == []
    assert expected(STAR, "all_reduce", MIB, STAR.placement(), constants) != []


def test_copies_give_what_to_expect_of_shared_memory() -> None:
    local = fabrics.load("local")
    constants = Constants(copy_us=((1024, 1.0), (4096, 2.0)), fitted_ops=frozenset({"memory_copy"}))
    assert constants.copy_time_us(512) is None
    assert constants.copy_time_us(1024) == pytest.approx(1.0)
    assert constants.copy_time_us(2048) == pytest.approx(2**0.5)
    assert constants.copy_time_us(8192) == pytest.approx(4.0)
    (likely,) = expected(local, "all_reduce", 4096, ["here"] * 2, constants)
    assert likely.time_us == pytest.approx(2.0)
    assert likely.algbw_gbs == pytest.approx(4096 / 2.0 / 1000)
    assert expected(local, "memory_copy", 4096, ["here"] * 2, constants) == []
    assert expected(local, "all_reduce", 8, ["here"] * 2, constants) == []


@pytest.mark.parametrize("ranks", [2, 3, 5, 6, 8, 10])
def test_what_is_expected_grows_as_what_is_predicted(ranks: int) -> None:
    """Beyond a power of two doubling takes two steps more, or cannot run."""
    shares = byte_shares("all_reduce", ranks)
    for name, known_as in [
        ("recursive doubling", "recursive doubling"),
        ("recursive halving and doubling", "rabenseifner"),
    ]:
        known = growth("all_reduce", known_as, ranks)
        assert known is not None
        assert shares[name] == known.bytes_share
    able = ranks.bit_count() == 1
    assert ("recursive doubling" in byte_shares("all_gather", ranks)) is able
