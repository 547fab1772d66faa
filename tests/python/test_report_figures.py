"""Ticks, numbers and samples of the report, on their own."""

from __future__ import annotations

import pytest

from busbar.report.axes import size_axis, time_axis
from busbar.report.samples import thinned
from busbar.report.text import DASH, duration, number, size
from factories import MIB


def test_sizes_tick_at_powers_of_two() -> None:
    axis = size_axis([1 << k for k in range(3, 25)])
    assert 4 <= len(axis.labels) <= 8
    assert all(round(tick).bit_count() == 1 for tick in axis.ticks)
    assert size_axis([MIB]).labels == ("1M",)
    assert size_axis([1000]).labels == ("1000",)


@pytest.mark.parametrize("times", [[5.0], [5.0, 5.1], [1.0, 1e6], [0.02, 9e7]])
def test_every_time_axis_has_ticks_within_its_range(times: list[float]) -> None:
    axis = time_axis(times)
    assert len(axis.ticks) >= 2
    assert all(axis.low <= tick <= axis.high for tick in axis.ticks)


def test_numbers_are_short_and_missing_ones_dashes() -> None:
    assert [number(x) for x in (None, 0.0, 8.12345, 31900.123, 0.00001)] == [
        DASH, "0", "8.123", "31,900", "<0.0001",
    ]  # fmt: skip
    assert [duration(x) for x in (None, 12.3456, 1234.5)] == [DASH, "12.35 µs", "1.234 ms"]
    assert [size(x) for x in (0, 64, MIB, 1508000)] == ["0", "64", "1M", "1.438M"]


def test_thinned_samples_keep_their_extremes() -> None:
    kept = thinned([float(x) for x in range(10_000)], 100)
    assert (len(kept), kept[0], kept[-1]) == (100, 0.0, 9999.0)
    assert thinned([3.0, 1.0], 100) == [1.0, 3.0]
