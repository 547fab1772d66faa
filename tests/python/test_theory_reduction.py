"""What hosts must reduce: in the bound, in expected times, and in what switches can gain."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from clusters import Spec
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import star, two_levels

from busbar.fabrics import Fabric
from busbar.theory.bound import Bound, bound
from busbar.theory.cluster.table import rows
from busbar.theory.constants import Constants
from busbar.theory.expected import expected, expected_in_network
from busbar.theory.gain import most
from busbar.theory.operations import OPERATIONS
from busbar.theory.reduction import ON_HOSTS, least_share

MIB = 1 << 20
KNOWN = Constants(message_us=50.0)
REDUCING = ("all_reduce", "reduce_scatter", "reduce")
RATES = st.floats(min_value=1e6, max_value=1e9)
HOST_RATES = st.lists(st.tuples(RATES, RATES), min_size=2, max_size=5)
GBS = st.floats(min_value=1e-3, max_value=1e3)
SIZES = st.integers(1, 1 << 26)


def _costly(fabric: Fabric, gbs: float, **more: Any) -> Fabric:
    """The fabric with hosts that reduce at that rate."""
    reduction = {"reduction": {"gbs": {"value": gbs, "source": "typed"}}}
    tables = {k: v for k, v in fabric.model_dump(by_alias=True).items() if v}
    return Fabric.model_validate(tables | reduction | more)


def _found(fabric: Fabric, op: str, size: int, **more: Any) -> Bound:
    found = bound(fabric, op, size, fabric.placement(), **more)
    assert found is not None
    return found


# The bound


@pytest.mark.parametrize("op", REDUCING)
def test_slow_arithmetic_sets_the_bound_and_is_named(op: str) -> None:
    found = _found(_costly(star([(4e8, 4e8)] * 4), 0.001), op, MIB)
    assert (found.cut, found.cut_bytes) == (ON_HOSTS, 0.75 * MIB)
    assert found.time_us == pytest.approx(0.75 * MIB / 1.0)
    assert found.formula == "786432 B / 1 B/us"


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(OPERATIONS)), HOST_RATES, SIZES, GBS)
def test_the_bound_is_the_longer_of_moving_and_reducing(
    op: str, rates: list[tuple[float, float]], size: int, gbs: float
) -> None:
    free = star(rates)
    costly = _costly(free, gbs)
    n = len(rates)
    found, moving = (bound(f, op, size, f.placement()) for f in (costly, free))
    reducing_us = (n - 1) / n * size / (gbs * 1e3) if op in REDUCING else 0.0
    assert (found.time_us if found else 0.0) == pytest.approx(
        max(moving.time_us if moving else 0.0, reducing_us)
    )
    switches = [bound(f, op, size, f.placement(), in_network=True) for f in (costly, free)]
    assert switches[0] == switches[1]


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 9), st.integers(1, 30), st.integers(0, 2**32 - 1))
def test_nobody_reduces_in_less_however_the_work_is_shared(
    ranks: int, elements: int, seed: int
) -> None:
    """Any two partial results are combined by anybody, until each element has one left."""
    rng = np.random.default_rng(seed)
    combined = np.zeros(ranks)
    for _ in range(elements):
        parts = [{rank} for rank in range(ranks)]
        while len(parts) > 1:
            first, second = sorted(rng.choice(len(parts), 2, replace=False))
            combined[rng.integers(ranks)] += 1
            parts[first] |= parts.pop(second)
    for op in REDUCING:
        assert combined.max() >= least_share(OPERATIONS[op], ranks) * elements * (1 - 1e-12)


def test_ranks_of_one_host_reduce_too() -> None:
    fabric = _costly(star([(4e8, 4e8)] * 4), 2.0)
    alone = bound(fabric, "all_reduce", MIB, fabric.placement(4, nodes=1))
    assert alone is not None
    assert (alone.cut, alone.time_us) == (ON_HOSTS, pytest.approx(0.75 * MIB / 2e3))
    assert bound(fabric, "all_reduce", MIB, ["host1"]) is None
    assert bound(fabric, "broadcast", MIB, fabric.placement(4, nodes=1)) is None


def test_below_a_spine_the_narrow_uplink_or_the_arithmetic_counts() -> None:
    fabric = two_levels([(4e8, 4e8)] * 6, [(1e8, 1e8), (1e8, 1e8)])
    assert "uplink" in _found(_costly(fabric, 1.0), "all_reduce", MIB).cut
    assert _found(_costly(fabric, 0.001), "all_reduce", MIB).cut == ON_HOSTS


def test_a_cluster_with_a_rate_is_bound_by_it_too() -> None:
    free = Spec(gpus=1, domain=None, nodes=4, nics=1)
    for gbs, binds in ((1.0, True), (1e4, False)):
        fabric = _costly(free.fabric(), gbs)
        found = _found(fabric, "all_reduce", MIB)
        assert (found.cut == ON_HOSTS) is binds
        slope = rows(fabric, free.layout(4), "all_reduce", np.array([MIB])).bound
        assert slope is not None
        assert slope.us_per_byte * MIB == pytest.approx(found.time_us)
        assert _found(fabric, "all_gather", MIB).cut != ON_HOSTS
    assert _found(_costly(free.fabric(), 1.0), "all_reduce", MIB).time_us == pytest.approx(
        0.75 * MIB / 1e3
    )


# Expected times


def test_a_rings_reductions_follow_each_other() -> None:
    free = star([(4e8, 4e8)] * 4)
    costly = _costly(free, 2.0)
    for op, shares in {
        "all_reduce": {"ring": 0.75, "recursive doubling": 2.0, "tree": 2.0,
                       "recursive halving and doubling": 0.75},
        "reduce_scatter": {"ring": 0.75, "recursive halving": 0.75},
        "reduce": {"binomial tree": 2.0},
        "all_gather": {"ring": 0.0, "recursive doubling": 0.0},
    }.items():  # fmt: skip
        before, after = (
            {e.algorithm: e.time_us for e in expected(f, op, MIB, f.placement(), KNOWN)}
            for f in (free, costly)
        )
        added = {name: after[name] - before[name] for name in before}
        assert added == pytest.approx({k: share * MIB / 2e3 for k, share in shares.items()})


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(REDUCING), HOST_RATES, SIZES, GBS)
def test_no_expected_time_beats_the_bound(
    op: str, rates: list[tuple[float, float]], size: int, gbs: float
) -> None:
    fabric = _costly(star(rates), gbs)
    least = _found(fabric, op, size).time_us
    for model in expected(fabric, op, size, fabric.placement(), KNOWN):
        assert model.time_us >= least * (1 - 1e-9)


def test_a_busy_switch_is_expected_to_take_its_time() -> None:
    free = star([(4e8, 4e8)] * 4)
    switch = {"mechanism": "tree", "source": "typed", "rate": {"value": 1e8, "source": "typed"}}
    slow = Fabric.model_validate(
        {k: v for k, v in free.model_dump(by_alias=True).items() if v} | {"in_network": switch}
    )
    streamed = 4 * MIB / 12.5
    for op, longer in {"all_reduce": True, "broadcast": False}.items():
        found = expected_in_network(slow, op, MIB, slow.placement(), KNOWN)
        before = expected_in_network(free, op, MIB, free.placement(), KNOWN)
        assert found is not None
        assert before is not None
        assert (found.time_us > before.time_us) is longer
    found = expected_in_network(slow, "all_reduce", MIB, slow.placement(), KNOWN)
    assert found is not None
    assert found.time_us == pytest.approx(2 * 50 + streamed + 32768 * 9014 / 8948 / 50)


# Gains


@pytest.mark.parametrize("hosts", [2, 4, 10])
def test_a_switch_gains_more_over_hosts_that_reduce_slowly(hosts: int) -> None:
    fabric = _costly(star([(4e8, 4e8)] * hosts, 1e-9), 0.001)
    first, *others = most(fabric, "all_reduce", MIB, fabric.placement())
    assert first.baseline == "ring at its bound"
    wire_us = MIB * 9014 / 8948 / 50
    assert first.gain == pytest.approx((hosts - 1) / hosts * MIB / wire_us)
    assert all(other.gain >= first.gain for other in others)


def test_a_clusters_baselines_reduce_too() -> None:
    spec = Spec(gpus=1, domain=None, nodes=4, nics=1, sharp=True)
    fabric = _costly(spec.fabric(), 1.0)
    gains = most(fabric, "all_reduce", MIB, fabric.placement())
    assert all(one.gain >= gains[0].gain for one in gains)
    assert gains[0].baseline_us == pytest.approx(0.75 * MIB / 1e3)
