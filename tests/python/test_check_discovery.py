"""Control of false discoveries: what it spares, what it convicts, and that it acquits nobody."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from busbar.check import Verdict
from busbar.check.claims import Claim, Kind, ratios, ratios_of_theory
from busbar.check.discovery import RATE, control, controlled
from busbar.check.result import RowResult
from busbar.errors import ExitCode
from factories import MIB, Row
from rated import STAR, check, limit, only, rated, with_limits

FABRIC = with_limits(limit("send_recv", 0.8))
chances = st.lists(st.floats(0, 1), max_size=30)


def _brute(values: Sequence[float], rate: float) -> set[int]:
    """By the definition: the largest k whose k-th smallest is at most k/m of the rate."""
    ordered = sorted(values)
    fitting = [k for k, p in enumerate(ordered, 1) if p <= rate * k / len(values)]
    if not fitting:
        return set()
    return {n for n, p in enumerate(values) if p <= ordered[max(fitting) - 1]}


@given(chances)
def test_it_is_the_procedure_of_benjamini_and_hochberg(values: list[float]) -> None:
    assert control(values, 0.1).proven == _brute(values, 0.1)
    if values:
        adjusted = stats.false_discovery_control(values)
        clear = {n for n, p in enumerate(adjusted) if p <= 0.1 - 1e-9}
        assert clear <= control(values, 0.1).proven


@given(chances)
def test_never_more_than_without_control_and_nan_proves_nothing(values: list[float]) -> None:
    found = control(values, RATE)
    assert all(values[n] <= RATE for n in found.proven)
    assert control([math.nan, *values], RATE).proven <= {n + 1 for n in found.proven}
    assert found.threshold <= RATE


@given(st.lists(st.floats(0.5, 1.5), min_size=2, max_size=5))
def test_a_chance_is_that_of_students_t(values: list[float]) -> None:
    claim = Claim(Kind.BELOW_LIMIT, 0, tuple(values), 0.9)
    logs = [math.log(v / 0.9) for v in values]
    if max(logs) - min(logs) > 1e-3:
        found = stats.ttest_1samp(logs, 0.0, alternative="less").pvalue
        assert claim.chance() == pytest.approx(found, rel=1e-6)


def test_a_launch_that_is_far_slower_acquits_nobody() -> None:
    """It widens Student's t; all ten are below all the same."""
    claim = Claim(Kind.BELOW_LIMIT, 0, (0.7,) * 9 + (0.1,), 0.8)
    assert claim.chance() == pytest.approx(2 / 2**10)
    steady = Claim(Kind.BELOW_LIMIT, 0, (0.7, 0.71) * 5, 0.8)
    logs = [math.log(value / 0.8) for value in steady.ratios]
    assert steady.chance() == pytest.approx(
        2 * stats.ttest_1samp(logs, 0.0, alternative="less").pvalue, rel=1e-6
    )


def test_ratios_need_two_launches_of_both() -> None:
    assert ratios({0: 1.0, 1: 2.0}, {0: 2.0, 1: 2.0, 2: 9.0}) == (0.5, 1.0)
    assert ratios({0: 1.0}, {0: 2.0, 1: 2.0}) is None
    assert ratios({0: 1.0, 1: 0.0}, {0: 2.0, 1: 2.0}) is None
    assert ratios_of_theory(1.0, [2.0]) is None


def _rows(bad: int, good: int, shares: Sequence[float]) -> dict[Row, Sequence[float]]:
    """`bad` rows at these shares and `good` ones that are well; operations tell them apart."""
    sizes = [(4 + n) * MIB for n in range(bad + good)]
    return {
        Row("send_recv", size): shares if n < bad else [0.9, 0.901, 0.9, 0.902, 0.9]
        for n, size in enumerate(sizes)
    }


BARELY = [0.775, 0.785, 0.777, 0.79, 0.783]
"""Below the limit of 0.8 with a chance of 0.15 %."""


def test_alone_it_fails_and_among_many_it_is_unsure_and_says_what_would_tell() -> None:
    alone = check(rated(_rows(1, 0, BARELY)), FABRIC)
    assert (only(alone).verdict, alone.exit_code) == (Verdict.FAIL, ExitCode.NEGATIVE)
    among = check(rated(_rows(1, 40, BARELY)), FABRIC)
    row = among.rows[0]
    assert row.verdict is Verdict.UNSURE
    assert "may be chance among" in row.reason
    assert row.launches_wanted is not None and 5 < row.launches_wanted <= 20
    assert f"about {row.launches_wanted} launches would tell" in row.reason
    assert among.exit_code is ExitCode.INCOMPLETE


def test_many_that_are_barely_below_convict_each_other() -> None:
    result = check(rated(_rows(20, 0, BARELY)), FABRIC)
    assert {row.verdict for row in result.rows} == {Verdict.FAIL}


def test_what_is_clearly_below_fails_among_any_number() -> None:
    bad = [0.70, 0.701, 0.70, 0.702, 0.70]
    result = check(rated(_rows(1, 60, bad)), FABRIC)
    assert [row.verdict for row in result.rows][:2] == [Verdict.FAIL, Verdict.PASS]


def test_perhaps_faster_than_physics_among_many_is_unsure_and_never_passes() -> None:
    fast = [1.02, 1.03, 1.025, 1.035, 1.03]
    alone = check(rated(_rows(1, 0, fast)), FABRIC)
    assert only(alone).verdict is Verdict.IMPOSSIBLE
    among = check(rated(_rows(1, 60, fast)), FABRIC)
    assert among.rows[0].verdict is Verdict.UNSURE
    assert among.exit_code is ExitCode.INCOMPLETE


@given(st.lists(st.tuples(st.floats(0.5, 1.2), st.floats(0.0, 0.1)), min_size=1, max_size=6),
       st.integers(0, 99))  # fmt: skip
def test_control_only_turns_negative_verdicts_into_unsure(
    made: list[tuple[float, float]], seed: int
) -> None:
    chance = random.Random(seed)
    rows, claims = [], []
    for at, (centre, noise) in enumerate(made):
        values = tuple(centre * math.exp(chance.gauss(0, noise)) for _ in range(4))
        claim = Claim(Kind.BELOW_LIMIT, at, values, 0.8)
        verdict = Verdict.FAIL if claim.stands else Verdict.PASS
        rows.append(RowResult("row", None, verdict, "It is.", by_times=claim.stands))
        claims.append(claim)
    for before, after in zip(rows, controlled(rows, claims), strict=True):
        if before.verdict is Verdict.PASS:
            assert after == before
        else:
            assert after.verdict in (Verdict.FAIL, Verdict.UNSURE)


def test_rows_at_their_limit_fail_one_run_in_a_hundred() -> None:
    """Seeded; with a slowness that all rows of a launch share. `tests/bench/check_replays.py` has
    more of them."""
    chance = random.Random(3)
    failed = 0
    for _ in range(300):
        shared = [chance.gauss(0, 0.01) for _ in range(5)]
        found = []
        for at in range(40):
            logs = [common + chance.gauss(0, 0.01) for common in shared]
            found.append(Claim(Kind.BELOW_LIMIT, at, tuple(0.8 * math.exp(x) for x in logs), 0.8))
        failed += bool(control([claim.chance() for claim in found]).proven)
    assert failed <= 9  # 3 are expected


def test_the_emulated_fabric_of_the_catalogue_has_room_for_it() -> None:
    """No limit is so near to what is possible that sound rows lie at it."""
    assert all(one.at_least <= 0.9 for one in STAR.limits)
