"""Sizes, rates and times as people write and read them."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from busbar.errors import ExitCode, UsageError
from busbar.units import (
    format_rate,
    format_size,
    format_time_us,
    parse_size,
    parse_time_us,
    sweep,
)


@pytest.mark.parametrize(
    ("text", "size"),
    [("0", 0), ("8", 8), ("64K", 65536), ("16M", 1 << 24), ("1g", 1 << 30), (" 4 M ", 4 << 20)],
)
def test_sizes_are_powers_of_1024(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["12Q", "", "M", "-1", "1.5M", "1MB", "0x10", "1 2", "²", "nan"])
def test_anything_else_is_refused_by_name(text: str) -> None:
    with pytest.raises(UsageError) as error:
        parse_size(text)
    assert error.value.exit_code is ExitCode.USAGE
    assert f"'{text}'" in error.value.message
    assert "K, M or G" in error.value.message
    assert "\n" not in error.value.message


@settings(deadline=None)
@given(st.integers(min_value=0, max_value=1 << 50))
def test_a_written_size_reads_back(size: int) -> None:
    assert parse_size(format_size(size)) == size


@pytest.mark.parametrize(("size", "text"), [(0, "0"), (1000, "1000"), (1536, "1536"),
                                            (1 << 20, "1M"), (3 << 10, "3K")])  # fmt: skip
def test_a_written_size_is_exact_and_short(size: int, text: str) -> None:
    assert format_size(size) == text


def test_rates_and_times_have_four_digits() -> None:
    assert format_rate(400e6) == "400 Mbit/s"
    assert format_rate(12.5e9) == "12.5 Gbit/s"
    assert format_time_us(12.3456) == "12.35 us"
    assert format_time_us(1234.5) == "1.234 ms"
    assert format_time_us(2.5e6) == "2.5 s"
    assert format_time_us(None) == "-"


@pytest.mark.parametrize(
    ("text", "time_us"), [("500us", 500.0), ("1.5 ms", 1500.0), (".25s", 250_000.0)]
)
def test_times_are_read_with_their_unit(text: str, time_us: float) -> None:
    assert parse_time_us(text) == time_us


@pytest.mark.parametrize("text", ["", "5", "ms", "-1ms", "1e3us", "1.ms", "3m", "1 ms 2 us"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="accepted are numbers with us, ms or s"):
        parse_time_us(text)


@settings(deadline=None)
@given(st.integers(1, 1 << 20), st.integers(1, 1 << 30), st.integers(2, 10))
def test_a_sweep_grows_by_its_factor_within_its_range(low: int, span: int, factor: int) -> None:
    sizes = sweep(low, low + span, factor)
    assert sizes[0] == low
    assert all(b == a * factor for a, b in pairwise(sizes))
    assert sizes[-1] <= low + span < sizes[-1] * factor


@pytest.mark.parametrize(
    ("arguments", "culprit"),
    [((16, 8, 2), "smallest size 16"), ((0, 8, 2), "smallest size 0"), ((1, 8, 1), "factor 1")],
)
def test_a_sweep_without_sizes_or_end_is_refused(
    arguments: tuple[int, int, int], culprit: str
) -> None:
    with pytest.raises(UsageError, match=culprit):
        sweep(*arguments)
