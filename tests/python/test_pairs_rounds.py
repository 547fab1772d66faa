"""Patterns of pairs: disjoint within a round, complete over all, balanced between endpoints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from busbar.errors import UsageError
from busbar.pairs.rounds import (
    Pair,
    Request,
    Round,
    all_pairs,
    fans,
    isolated,
    random_bisection,
    requests,
    ring_shift,
    ring_shifts,
    rounds_of,
    sample,
    worst_bisection,
)
from busbar.record.key import Group, format_ranks

SOME = st.integers(2, 41)


def _disjoint(one: Round) -> bool:
    ends = [end for pair in one for end in pair]
    return len(set(ends)) == len(ends)


@given(SOME)
def test_all_pairs_are_each_directed_pair_once_in_the_fewest_rounds(n: int) -> None:
    rounds = all_pairs(n)
    assert all(map(_disjoint, rounds))
    pairs = [pair for one in rounds for pair in one]
    assert sorted(pairs) == [Pair(a, b) for a in range(n) for b in range(n) if a != b]
    assert len(rounds) == 2 * (n - 1 if n % 2 == 0 else n)
    assert {len(one) for one in rounds} == {n // 2}


def test_all_pairs_of_a_thousand_endpoints() -> None:
    rounds = all_pairs(1024)
    assert (len(rounds), sum(map(len, rounds))) == (2046, 1024 * 1023)


@given(SOME)
def test_shifts_are_together_all_pairs(n: int) -> None:
    pairs = [pair for shift in ring_shifts(n) for pair in shift]
    assert len(set(pairs)) == len(pairs) == n * (n - 1)
    for shift in ring_shifts(n):
        assert {p.source for p in shift} == {p.target for p in shift} == set(range(n))


@given(SOME, st.data())
def test_a_shift_takes_two_rounds_or_three(n: int, data: st.DataObject) -> None:
    shift = ring_shift(n, data.draw(st.integers(1, n - 1)))
    rounds = rounds_of(shift)
    assert all(map(_disjoint, rounds))
    assert sorted(pair for one in rounds for pair in one) == sorted(shift)
    assert len(rounds) <= 3


def test_the_worst_bisection_crosses_the_middle() -> None:
    leaves = [[0, 1, 2, 3], [4, 5], [6, 7, 8, 9], [10, 11]]
    pairs = worst_bisection(leaves)
    assert _disjoint(pairs) and len(pairs) == 6
    assert {p.source for p in pairs} == set(range(6))
    with pytest.raises(UsageError, match="takes two or more"):
        worst_bisection([[0, 1], []])


@given(SOME, st.integers(0, 1 << 32))
def test_random_bisections_are_perfect_and_seeded(n: int, seed: int) -> None:
    pairs = random_bisection(n, seed)
    assert _disjoint(pairs) and len(pairs) == n // 2
    assert pairs == random_bisection(n, seed)


@given(SOME, st.data())
def test_fans_are_balanced(n: int, data: st.DataObject) -> None:
    width = data.draw(st.integers(1, n - 1))
    found = fans(n, width)
    assert [fan.centre for fan in found] == list(range(n))
    assert all(fan.centre not in fan.others and len(set(fan.others)) == width for fan in found)
    assert set(Counter(e for fan in found for e in fan.others).values()) == {width}


@given(SOME, st.integers(1, 4000), st.integers(0, 99))
def test_samples_keep_to_their_budget_and_say_what_they_cover(
    n: int, budget: int, seed: int
) -> None:
    found = sample(n, budget, seed)
    pairs = [pair for one in found.rounds for pair in one]
    assert all(map(_disjoint, found.rounds))
    assert len(set(pairs)) == len(pairs) == min(budget, n * (n - 1))
    assert found.covered == pytest.approx(len(pairs) / (n * (n - 1)))
    assert found == sample(n, budget, seed)


@given(st.integers(1, 20).map(lambda k: 2 * k), st.integers(1, 30), st.integers(0, 99))
def test_samples_of_whole_rounds_are_balanced(n: int, rounds: int, seed: int) -> None:
    found = sample(n, rounds * n // 2, seed)
    often = Counter(end for one in found.rounds for pair in one for end in pair)
    assert len(often) == n and len(set(often.values())) == 1


def test_a_larger_budget_covers_more() -> None:
    shares = [sample(64, budget, 1).covered for budget in (16, 64, 1024, 1 << 20)]
    assert all(a < b for a, b in pairwise(shares)) and shares[-1] == 1


def test_requests_name_ranks_and_who_sends() -> None:
    one = (Pair(0, 1), Pair(3, 2), Pair(4, 5))
    found = requests(one, [0, 2, 4, 6, 8, 10])
    assert found == (Request(("0,2", "8,10"), 0), Request(("4,6",), 1))


@given(st.integers(2, 30))
def test_every_round_of_all_pairs_is_one_request_that_a_group_accepts(n: int) -> None:
    for one in all_pairs(n):
        found = requests(one, range(n))
        parts = [part for request in found for part in request.parts]
        ranks = format_ranks(end for pair in one for end in pair)
        Group(name="round", ranks=ranks, nodes=None, parts=tuple(parts))
        assert len(found) == 1


def test_isolated_rounds_have_one_pair() -> None:
    assert isolated([Pair(0, 1), Pair(1, 0)]) == ((Pair(0, 1),), (Pair(1, 0),))


@pytest.mark.parametrize("call", [lambda: all_pairs(1), lambda: ring_shift(4, 4),
                                  lambda: fans(3, 3), lambda: sample(4, 0, 1)])  # fmt: skip
def test_what_cannot_be_planned_is_refused_in_one_sentence(call: Callable[[], object]) -> None:
    with pytest.raises(UsageError, match=r"accepted|takes"):
        call()
