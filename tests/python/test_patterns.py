"""Patterns as groups and roots: all pairs once, side by side and alone, nobody twice at a time."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from busbar.errors import UsageError
from busbar.launch.patterns import Pattern, operations, parse_pattern
from busbar.record.models import Group


def _pairs(groups: list[Group]) -> list[tuple[int, ...]]:
    return [members for group in groups for members in group.members()]


@given(st.integers(2, 16))
def test_every_pair_is_measured_alone_and_in_a_round(ranks: int) -> None:
    groups = Pattern("pairs", None, 1).groups(ranks)
    everyone = sorted(combinations(range(ranks), 2))
    alone = [group for group in groups if group.parts is None]
    rounds = [group for group in groups if group.parts is not None]
    assert sorted(_pairs(alone)) == everyone
    assert len({group.name for group in groups}) == len(groups)
    if ranks >= 4:
        assert sorted(_pairs(rounds)) == everyone
        assert len(rounds) == ranks - 1 + ranks % 2
    assert Pattern("pairs", None, 1).roots(2, rooted=True) == [0, 1]


@given(st.integers(4, 60), st.integers(1, 8), st.integers(0, 99))
def test_a_sample_of_pairs_is_balanced_and_says_its_share(
    ranks: int, wanted: int, seed: int
) -> None:
    pattern = Pattern("pairs", wanted, seed)
    alone = _pairs([group for group in pattern.groups(ranks) if group.parts is None])
    assert len(set(alone)) == len(alone)
    assert pattern.covered_share(ranks) == pytest.approx(2 * len(alone) / (ranks * (ranks - 1)))
    if wanted >= ranks - 1:
        assert len(alone) == ranks * (ranks - 1) // 2
    else:
        assert 0 < len(alone) <= ranks * wanted / 2


def test_a_thousand_ranks_are_not_measured_pair_by_pair() -> None:
    groups = Pattern("pairs", None, 1).groups(1024)
    assert sum(group.parts is None for group in groups) <= 4 * 1024 / 2
    assert sum(group.parts is not None for group in groups) == 1023


def test_a_bisection_crosses_the_middle() -> None:
    halves, *random = Pattern("bisection", None, 1).groups(8)
    assert all(a < 4 <= b for a, b in halves.members())
    for group in random:
        assert sorted(rank for pair in group.members() for rank in pair) == list(range(8))


@given(st.integers(2, 64))
def test_a_shift_sends_from_everybody_to_the_rank_further_on(ranks: int) -> None:
    for group in Pattern("shifts", None, 1).groups(ranks):
        distance = int(group.name.removeprefix("shift by "))
        sends = {
            (ring[n], ring[(n + 1) % len(ring)])
            for ring in group.members()
            for n in range(len(ring))
        }
        assert sends == {(rank, (rank + distance) % ranks) for rank in range(ranks)}


def test_shifts_are_made_of_send_recv_at_every_distance_that_divides() -> None:
    pattern = Pattern("shifts", None, 1)
    assert operations(pattern, []) == ["send_recv"]
    names = [group.name for group in pattern.groups(12)]
    assert names == [f"shift by {d}" for d in (1, 2, 3, 4, 6)]


def test_everyone_is_the_root_of_an_incast() -> None:
    pattern = Pattern("incast", None, 1)
    assert [group.ranks for group in pattern.groups(5)] == ["0-4"]
    assert pattern.roots(5, rooted=True) == [0, 1, 2, 3, 4]
    assert operations(pattern, []) == ["gather"]


def test_what_is_no_pattern_is_refused() -> None:
    assert parse_pattern(None, None, 1) is None
    for name, isolated, culprit in (
        ("stars", None, "unknown --pattern 'stars'"),
        ("bisection", 3, "--isolated 3"),
        ("pairs", 0, "--isolated 0"),
        (None, 2, "--isolated 2"),
    ):
        with pytest.raises(UsageError, match=culprit):
            parse_pattern(name, isolated, 1)
    with pytest.raises(UsageError, match="not made of all_reduce"):
        operations(Pattern("pairs", None, 1), ["all_reduce"])
    with pytest.raises(UsageError, match="at least 2 ranks"):
        Pattern("pairs", None, 1).groups(1)
