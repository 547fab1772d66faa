"""Dips between sizes: what fails, what noise excuses, what physics explains."""

from __future__ import annotations

import pytest

from busbar.check import CheckResult, Verdict
from busbar.check.thresholds import Thresholds
from busbar.errors import ExitCode
from busbar.record.models import RunRecord
from factories import MIB, Row
from rated import Shares, check, limit, rated, with_limits

FABRIC = with_limits(limit("send_recv", 0.5))


def _sweep(shares: dict[int, Shares]) -> CheckResult:
    rows = {Row("send_recv", size * MIB): share for size, share in shares.items()}
    return check(rated(rows), FABRIC)


def _around(share: float) -> list[float]:
    return [share * (1 + way / 1000) for way in (-2, -1, 0, 1, 2)]


def test_a_curve_that_rises_has_no_dip() -> None:
    result = _sweep({1: _around(0.7), 2: _around(0.8), 4: _around(0.9)})
    assert {row.verdict for row in result.rows} == {Verdict.PASS}


def test_a_dip_fails_although_its_limit_is_kept_and_says_how_deep_it_is() -> None:
    result = _sweep({1: _around(0.95), 2: _around(0.7), 4: _around(0.95)})
    good, dip, after = result.rows
    assert (good.verdict, after.verdict) == (Verdict.PASS, Verdict.PASS)
    assert dip.verdict is Verdict.FAIL
    assert dip.reason.startswith("Its bus bandwidth dips: 26% below that at 1M")
    assert "4M has more again" in dip.reason
    assert result.exit_code is ExitCode.NEGATIVE


def test_a_fall_at_the_end_is_a_dip_too() -> None:
    result = _sweep({2: _around(0.95), 4: _around(0.7)})
    assert [row.verdict for row in result.rows] == [Verdict.PASS, Verdict.FAIL]


def test_less_than_the_accepted_share_is_none() -> None:
    result = _sweep({2: _around(0.95), 4: _around(0.90)})
    assert {row.verdict for row in result.rows} == {Verdict.PASS}
    rows = {Row("send_recv", size * MIB): _around(share) for size, share in ((2, 0.95), (4, 0.90))}
    strict = check(rated(rows), FABRIC, thresholds=Thresholds(dip=0.02))
    assert [row.verdict for row in strict.rows] == [Verdict.PASS, Verdict.FAIL]


def test_what_launches_do_not_agree_on_is_none() -> None:
    result = _sweep({2: [0.95, 0.9, 0.92, 0.94, 0.96], 4: [0.95, 0.7, 0.96, 0.7, 0.95]})
    assert result.rows[1].verdict is not Verdict.FAIL


def test_two_launches_may_show_a_dip_and_prove_none() -> None:
    """Chance has to be ruled out, so that it is unsure, and says what would tell."""
    result = _sweep({2: [0.95, 0.95], 4: [0.79, 0.795]})
    row = result.rows[1]
    assert row.verdict is Verdict.UNSURE
    assert "may be chance" in row.reason
    assert row.launches_wanted is not None


def test_a_launch_that_is_slow_as_a_whole_blames_no_size() -> None:
    shares = [0.95, 0.8, 0.9, 0.95, 0.85]
    result = _sweep({2: shares, 4: [0.99 * share for share in shares]})
    assert Verdict.FAIL not in {row.verdict for row in result.rows}


def test_a_larger_message_that_takes_less_time_convicts_the_smaller() -> None:
    fabric = with_limits(limit("send_recv", 0.1))
    rows = {Row("send_recv", MIB): _around(0.2), Row("send_recv", 2 * MIB): _around(0.9)}
    small, large = check(rated(rows), fabric).rows
    assert small.verdict is Verdict.FAIL
    assert "longer than 2M, which is more" in small.reason
    assert large.verdict is Verdict.PASS


def test_what_the_token_bucket_gives_small_messages_is_no_dip() -> None:
    """64 KiB pass at once: 128 KiB have 1.9 times the bus bandwidth of 1 MiB at the same share."""
    fabric = with_limits(limit("send_recv", 0.5, "64K"))
    rows = {Row("send_recv", 128 * 1024): _around(0.9), Row("send_recv", MIB): _around(0.9)}
    small, large = check(rated(rows), fabric).rows
    assert small.median_us and large.median_us
    assert 8 * small.median_us / large.median_us < 0.8
    assert (small.verdict, large.verdict) == (Verdict.PASS, Verdict.PASS)


@pytest.mark.parametrize("op", ["send_recv", "all_gather"])
def test_rows_without_a_limit_are_left_alone(op: str) -> None:
    fabric = with_limits(limit("all_reduce", 0.5))
    rows = {Row(op, 2 * MIB): _around(0.95), Row(op, 4 * MIB): _around(0.5)}
    assert {row.verdict for row in check(rated(rows), fabric).rows} == {Verdict.UNJUDGED}


def _planned(record: RunRecord, stage: str | None) -> RunRecord:
    """The same, its rows required by a stage of a plan."""
    plan = record.run.plan
    rows = [row.model_copy(update={"stage": stage}) for row in plan.rows]
    run = record.run.model_copy(update={"plan": plan.model_copy(update={"rows": rows})})
    return record.model_copy(update={"run": run})


@pytest.mark.parametrize(
    ("share", "stage", "verdict"),
    [
        (0.005, "full system", Verdict.FAIL),
        # A library's change of algorithm, not of sense.
        (0.8, "full system", Verdict.UNJUDGED),
        (0.005, None, Verdict.UNJUDGED),
    ],
)
def test_what_a_plan_requires_without_a_limit_takes_no_longer_than_more_data(
    share: float, stage: str | None, verdict: Verdict
) -> None:
    rows = {Row("all_gather", 2 * MIB): _around(share), Row("all_gather", 4 * MIB): _around(0.9)}
    small, large = check(_planned(rated(rows), stage), FABRIC).rows
    assert (small.verdict, large.verdict) == (verdict, Verdict.UNJUDGED)


def test_a_fall_by_all_of_it_is_accepted_where_that_is_asked_for() -> None:
    rows = {Row("send_recv", size * MIB): _around(share) for size, share in ((2, 0.95), (4, 0.7))}
    loose = check(rated(rows), FABRIC, thresholds=Thresholds(dip=1.0, apart=1.0))
    assert {row.verdict for row in loose.rows} == {Verdict.PASS}
