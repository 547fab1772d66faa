"""Repeats: none missing, none astray, and no row that passes by its good ones."""

from __future__ import annotations

import pytest

from busbar.check import Verdict
from busbar.check.spread import missing_launches, spread
from busbar.check.thresholds import Thresholds
from busbar.errors import ExitCode
from factories import MIB, Row
from rated import check, limit, only, rated, with_limits

ROW = Row("send_recv", 4 * MIB)
FABRIC = with_limits(limit("send_recv", 0.6))


def test_launches_that_agree_say_nothing() -> None:
    assert spread({0: 100.0, 1: 101.0, 2: 124.0}) == ""
    assert spread({0: 100.0}) == spread({}) == ""


def test_launches_that_stray_are_named() -> None:
    sentence = spread({3: 100.0, 4: 150.0, 5: 101.0, 7: 130.0})
    assert "factor of 1.50" in sentence
    assert "launch 4 took 150 us, as did launch 7, launch 3 100 us" in sentence


def test_one_bad_launch_of_ten_does_not_pass_by_the_nine() -> None:
    """The interval of ten launches leaves out the furthest on either side."""
    shares = [0.9, 0.91, 0.9, 0.91, 0.9, 0.91, 0.9, 0.91, 0.9, 0.65]
    result = check(rated({ROW: shares}), FABRIC)
    row = only(result)
    assert row.share_ci95 is not None
    assert row.share_ci95[0] > 0.6
    assert (row.verdict, result.exit_code) == (Verdict.UNSURE, ExitCode.INCOMPLETE)
    assert "launch 9" in row.reason
    accepted = check(rated({ROW: shares}), FABRIC, thresholds=Thresholds(spread=1.5))
    assert only(accepted).verdict is Verdict.PASS


def test_a_row_below_its_limit_fails_however_its_launches_stray() -> None:
    row = only(check(rated({ROW: [0.3, 0.2, 0.29, 0.21, 0.3]}), FABRIC))
    assert row.verdict is Verdict.FAIL


@pytest.mark.parametrize("measured", [2, 4])
def test_launches_that_are_missing_do_not_pass(measured: int) -> None:
    result = check(rated({ROW: [0.9] * measured}, launches=5), FABRIC)
    row = only(result)
    assert (row.verdict, result.exit_code) == (Verdict.UNSURE, ExitCode.INCOMPLETE)
    assert f"Measured in {measured} of 5 planned launches" in row.reason


def test_more_launches_than_planned_are_welcome() -> None:
    assert missing_launches({0: 1.0, 1: 1.0, 2: 1.0}, 2) == ""
    assert only(check(rated({ROW: [0.9] * 7}, launches=5), FABRIC)).verdict is Verdict.PASS
