"""Rows against their mirrors: the other direction, another root, ranks alike."""

from __future__ import annotations

from collections.abc import Sequence

from busbar.check import CheckResult, Verdict
from busbar.errors import ExitCode
from busbar.record.fold import fold
from busbar.record.key import Group
from factories import MIB, Row
from rated import Shares, check, limit, lines_of, with_limits

FABRIC = with_limits(limit("one_way", 0.5), limit("broadcast", 0.5), limit("send_recv", 0.5))


def _around(share: float) -> list[float]:
    return [share * (1 + way / 1000) for way in (-2, -1, 0, 1, 2)]


def _pair(shares: Sequence[Shares]) -> CheckResult:
    """One pair, in both directions."""
    group = Group(name="pair 0-1", ranks="0-1", nodes=2)
    row = Row("one_way", 4 * MIB)
    rows = [(row, share, {"root": root}, group) for root, share in enumerate(shares)]
    return check(fold(lines_of(rows, len(shares[0]))), FABRIC)


def test_both_directions_alike_pass() -> None:
    result = _pair([_around(0.95), _around(0.93)])
    assert {row.verdict for row in result.rows} == {Verdict.PASS}


def test_the_slower_direction_fails_although_its_limit_is_kept() -> None:
    result = _pair([_around(0.95), _around(0.7)])
    assert [row.verdict for row in result.rows] == [Verdict.PASS, Verdict.FAIL]
    assert result.rows[1].reason.startswith("It is not symmetric: 26% slower than with root 0")
    assert result.exit_code is ExitCode.NEGATIVE


def test_what_launches_do_not_agree_on_is_no_asymmetry() -> None:
    result = _pair([[0.95, 0.7, 0.96, 0.8, 0.95], [0.7, 0.95, 0.7, 0.95, 0.8]])
    assert Verdict.FAIL not in {row.verdict for row in result.rows}


def test_of_three_and_more_the_median_is_the_measure() -> None:
    groups = [Group(name=f"ranks {a}", ranks=a, nodes=2) for a in ("0-1", "1-2", "2-3", "0,3")]
    shares = [0.95, 0.94, 0.7, 0.96]
    rows = [
        (Row("send_recv", 4 * MIB), _around(share), {}, group)
        for group, share in zip(groups, shares, strict=True)
    ]
    result = check(fold(lines_of(rows, 5)), FABRIC)
    assert [row.verdict is Verdict.FAIL for row in result.rows] == [False, False, True, False]
    assert "the median of its 4 mirrors" in result.rows[2].reason


def test_groups_that_the_fabric_does_not_treat_alike_are_no_mirrors() -> None:
    two, three = (Group(name=f"first {n} hosts", ranks=f"0-{n - 1}", nodes=n) for n in (2, 3))
    rows = [
        (Row("send_recv", 4 * MIB), _around(0.95), {}, two),
        (Row("send_recv", 4 * MIB), _around(0.7), {}, three),
    ]
    result = check(fold(lines_of(rows, 5)), FABRIC)
    assert {row.verdict for row in result.rows} == {Verdict.PASS}
