"""The least time of an algorithm: never below what physics allows any of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from busbar import fabrics
from busbar.theory.bound import bound
from busbar.theory.least import least_us, models
from busbar.tune.space import load_space

FABRIC = fabrics.load("emulated-4x400m")
HOSTS = FABRIC.host_names()


@pytest.mark.parametrize("op", ["all_reduce", "all_gather", "reduce_scatter", "all_to_all"])
@given(size=st.integers(1 << 20, 1 << 30), ranks=st.integers(2, 4))
def test_no_algorithm_beats_the_bound(op: str, size: int, ranks: int) -> None:
    placement = HOSTS[:ranks]
    physics = bound(FABRIC, op, size, placement)
    assert physics is not None
    for model in models(op):
        least = least_us(FABRIC, op, model, size, placement)
        assert least is not None
        assert least >= 0.999 * physics.time_us or model in ("recursive doubling", "bruck")


def test_a_ring_is_at_its_bound() -> None:
    size = 4 << 20
    least, physics = (
        least_us(FABRIC, "all_reduce", "ring", size, HOSTS),
        bound(FABRIC, "all_reduce", size, HOSTS),
    )
    assert physics is not None
    assert least == pytest.approx(physics.time_us, rel=1e-9)


def test_linear_at_four_hosts_takes_four_rings() -> None:
    size = 64 << 20
    ring = least_us(FABRIC, "all_reduce", "ring", size, HOSTS)
    linear = least_us(FABRIC, "all_reduce", "linear", size, HOSTS)
    assert ring is not None and linear is not None
    assert linear / ring == pytest.approx(4, rel=0.01)


def test_it_says_nothing_where_ranks_share_a_host_or_no_link_is_known() -> None:
    assert least_us(FABRIC, "all_reduce", "ring", 1 << 20, [*HOSTS, HOSTS[0]]) is None
    assert least_us(fabrics.load("local"), "all_reduce", "ring", 1 << 20, ["a", "b"]) is None


@pytest.mark.parametrize("transport", ["mpi"])
def test_every_model_that_a_space_names_is_known(transport: str) -> None:
    for setting in load_space(transport).setting:
        for value in setting.values:
            for op in setting.ops:
                assert value.model is None or value.model in models(op), (setting.name, value)
