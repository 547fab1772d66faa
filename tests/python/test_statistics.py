"""Intervals over launches and percentiles of samples."""

from __future__ import annotations

import random
from statistics import median

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from busbar.record.fold import fold
from busbar.record.statistics import interval_95, percentile
from factories import Example, Row, block_line, journal_lines, launch_line, record_of

ONE = Row("all_reduce", 1024)
TIMES = st.floats(min_value=0.1, max_value=1e6)


@settings(deadline=None)
@given(st.lists(TIMES, min_size=2, max_size=5))
def test_up_to_five_launches_use_students_t(medians: list[float]) -> None:
    interval = interval_95(medians)
    logs = np.log(medians)
    low, high = scipy.stats.t.interval(
        0.95, len(logs) - 1, loc=logs.mean(), scale=scipy.stats.sem(logs)
    ) if np.ptp(logs) > 1e-12 else (logs[0], logs[0])  # fmt: skip
    # SciPy has no interval for a spread that is lost in rounding.
    assert interval == pytest.approx((np.exp(low), np.exp(high)), rel=1e-6)


@settings(deadline=None)
@given(st.lists(TIMES, min_size=6, max_size=40))
def test_from_six_launches_on_order_statistics_hold_95_percent(medians: list[float]) -> None:
    interval = interval_95(medians)
    assert interval is not None
    ordered, n = sorted(medians), len(medians)
    rank = max(k for k in range(n // 2) if scipy.stats.binom.cdf(k, n, 0.5) <= 0.025)
    assert interval == (ordered[rank], ordered[n - 1 - rank])


@settings(deadline=None)
@given(st.lists(TIMES, min_size=2, max_size=40))
def test_the_interval_holds_the_median_it_belongs_to(medians: list[float]) -> None:
    interval = interval_95(medians)
    assert interval is not None
    slack = 1e-9 * max(medians)
    assert interval[0] - slack <= median(medians) <= interval[1] + slack


def test_one_launch_has_no_interval() -> None:
    assert interval_95([1.0]) is None
    point = record_of([ONE], launches=1).points[0]
    assert point.time_us is not None
    assert point.time_us.ci95 is None


@pytest.mark.parametrize(("permille", "enough"), [(900, 100), (990, 1000), (999, 10_000)])
def test_a_percentile_needs_ten_samples_beyond_it(permille: int, enough: int) -> None:
    assert percentile([1.0] * (enough - 1), permille) is None
    assert percentile([1.0] * enough, permille) == 1.0


@settings(max_examples=20, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(100, 300))
def test_percentiles_interpolate(rng: random.Random, count: int) -> None:
    ordered = sorted(rng.uniform(1, 1000) for _ in range(count))
    assert percentile(ordered, 900) == pytest.approx(float(np.quantile(ordered, 0.9)))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(TIMES, min_size=1, max_size=12), min_size=1, max_size=7))
def test_the_median_is_over_launch_medians(launches: list[list[float]]) -> None:
    run_line = journal_lines(Example(rows=[ONE], launches=2, samples=2))[0]
    lines = [x for n, samples in enumerate(launches)
             for x in (launch_line(n), block_line(ONE, n, samples))]  # fmt: skip
    time = fold([run_line, *lines]).points[0].time_us
    assert time is not None
    assert time.median == pytest.approx(median(median(samples) for samples in launches))
    assert time.min == min(min(samples) for samples in launches)
    assert time.max == max(max(samples) for samples in launches)
    assert (time.ci95 is None) == (len(launches) == 1)
