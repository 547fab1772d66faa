"""Judges one point. Whatever does not clearly pass, does not pass."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from busbar.check.result import RowResult, Verdict, label
from busbar.fabrics.model import Limit
from busbar.record.models import Point
from busbar.record.statistics import launch_medians
from busbar.theory.bound import Bound

# Clocks, a link rate's own rounding, and headers that a kernel leaves out (12 bytes of timestamps
# in 9014 are 0.1 %) may carry a sound figure this far over a bound.
TOLERANCE = 0.01
_MOST_LAUNCHES = 100  # beyond this, more launches are no advice


@dataclass(frozen=True)
class Yardstick:
    """What a point is held against."""

    bound: Bound | None
    no_bound_because: str
    """One sentence; empty if there is a bound."""
    limits: Sequence[Limit]
    max_spoiled_share: float
    bypass: str
    """One sentence where fewer bytes passed the links than the operation must move; else empty."""
    simulated: bool
    """Then nothing varies, one launch is all there is, and large messages carry no data."""
    not_used: str = ""
    """One sentence where it is shown to have run otherwise than its variant asks; else empty."""
    unproven: str = ""
    """One sentence where nothing shows that it ran as its variant asks, naming what would."""
    throttled: str = ""
    """One sentence where too many blocks ran on slowed GPUs."""
    shares_gpus: bool = False
    """Whether its ranks shared a GPU: then its time is none of the hardware's."""


def judge_point(point: Point, yardstick: Yardstick) -> RowResult:
    """The verdict on a point that was visited."""
    row = _measured(point, yardstick.bound)
    if yardstick.simulated and row.fraction is not None and row.fraction_ci95 is None:
        row = replace(row, fraction_ci95=(row.fraction, row.fraction))
    trouble = _trouble(point, row)
    if trouble is not None:
        return trouble
    judged = _by_figures(point, row, yardstick)
    doubt = yardstick.unproven or yardstick.throttled
    if doubt and judged.verdict in (Verdict.PASS, Verdict.UNJUDGED):
        return replace(judged, verdict=Verdict.UNSURE, reason=doubt)
    return judged


def _by_figures(point: Point, row: RowResult, yardstick: Yardstick) -> RowResult:
    """The verdict that times and bytes give."""
    if yardstick.not_used:
        return replace(row, verdict=Verdict.NOT_USED, reason=yardstick.not_used)
    if yardstick.bypass:
        return replace(row, verdict=Verdict.IMPOSSIBLE, reason=yardstick.bypass)
    if yardstick.shares_gpus:
        reason = "Its ranks shared a GPU: a functional test, no performance."
        return replace(row, verdict=Verdict.UNJUDGED, reason=reason)
    if row.fraction is None:
        return replace(row, verdict=Verdict.UNJUDGED, reason=yardstick.no_bound_because)
    if row.fraction > 1 + TOLERANCE:
        return _above_bound(row)
    limit = _limit(point, yardstick.limits)
    if limit is None:
        reason = "No limit of the fabric applies to it."
        return replace(row, verdict=Verdict.UNJUDGED, reason=reason)
    return _against_limit(replace(row, limit=limit.at_least), point, yardstick)


def _trouble(point: Point, row: RowResult) -> RowResult | None:
    """The verdict on a point whose time is not worth looking at, worst first; else None."""
    if point.status == "wrong_data" or point.wrong_elements:
        reason = point.reason or f"{point.wrong_elements} elements of the result were wrong."
        return replace(row, verdict=Verdict.WRONG_DATA, reason=reason)
    if point.status == "hang":
        return replace(row, verdict=Verdict.HANG, reason=point.reason or "It did not end.")
    if point.status != "ok" or row.median_us is None:
        reason = point.reason or "The record has no time for it."
        return replace(row, verdict=Verdict.MISSING, reason=reason)
    return None


def _measured(point: Point, bound: Bound | None) -> RowResult:
    """The figures of a row, with no verdict yet."""
    row = RowResult(label(point.key), point.key, Verdict.UNJUDGED, "", bound=bound)
    time = point.time_us
    if time is None or not math.isfinite(time.median) or time.median <= 0:
        return row
    row = replace(row, median_us=time.median, ci95_us=time.ci95)
    if bound is None:
        return row
    interval = None
    if time.ci95 is not None:
        low, high = time.ci95
        interval = (bound.time_us / high, bound.time_us / low if low > 0 else math.inf)
    return replace(row, fraction=bound.time_us / time.median, fraction_ci95=interval)


def _above_bound(row: RowResult) -> RowResult:
    share = f"{row.fraction:.1%} of the bound"
    if row.fraction_ci95 is not None and row.fraction_ci95[0] <= 1 + TOLERANCE:
        reason = (
            f"{share}, but the interval over launches still contains what is possible: measure "
            "more launches."
        )
        return replace(row, verdict=Verdict.UNSURE, reason=reason)
    reason = f"{share}, faster than the fabric allows: the fabric or the measurement is wrong."
    return replace(row, verdict=Verdict.IMPOSSIBLE, reason=reason)


def _limit(point: Point, limits: Sequence[Limit]) -> Limit | None:
    """The limit with the largest starting size that this point reaches."""
    key = point.key
    fitting = [
        limit
        for limit in limits
        if (limit.op, limit.variant) == (key.op, key.variant)
        and limit.from_bytes() <= key.size_bytes
    ]
    return max(fitting, key=Limit.from_bytes, default=None)


def _against_limit(row: RowResult, point: Point, yardstick: Yardstick) -> RowResult:
    assert row.limit is not None
    wanted = f"{row.limit:.0%} of the bound"
    if row.fraction_ci95 is None:
        reason = "One launch gives no interval over launches: measure at least two, better five."
        return replace(row, verdict=Verdict.UNSURE, reason=reason)
    low, high = row.fraction_ci95
    if high < row.limit:
        where = row.bound.cut if row.bound else ""
        reason = f"{row.fraction:.1%} is below {wanted}; the bound is set by {where}."
        return replace(row, verdict=Verdict.FAIL, reason=reason)
    if low < row.limit:
        return replace(row, verdict=Verdict.UNSURE, reason=_advice(row, point, wanted))
    doubt = _doubt(point, yardstick)
    if doubt:
        return replace(row, verdict=Verdict.UNSURE, reason=doubt)
    return replace(row, verdict=Verdict.PASS, reason=f"{row.fraction:.1%}, above {wanted}.")


def _doubt(point: Point, yardstick: Yardstick) -> str:
    """Why a time that is good enough cannot be trusted, or nothing."""
    share = point.spoiled_share
    if share is not None and share > yardstick.max_spoiled_share:
        return (
            f"{share:.0%} of the samples saw drops, errors or retransmits, more than the "
            f"{yardstick.max_spoiled_share:.0%} accepted: find their cause, then measure again."
        )
    unverified = point.verified != "every_block" or point.wrong_elements is None
    if unverified and not yardstick.simulated:
        return "Its results were not verified: measure again with verification on."
    return ""


def _advice(row: RowResult, point: Point, wanted: str) -> str:
    """How many launches would tell: an interval narrows with the root of their number."""
    assert row.fraction is not None
    assert row.fraction_ci95 is not None
    assert row.limit is not None
    low, high = row.fraction_ci95
    launches = max(2, len(launch_medians(point.blocks)))
    text = f"The interval {low:.1%} to {high:.1%} contains {wanted}"
    distance = abs(row.fraction - row.limit)
    half = row.fraction - low if row.fraction > row.limit else high - row.fraction
    needed = math.inf if distance == 0 else launches * (half / distance) ** 2
    if needed > _MOST_LAUNCHES:
        return f"{text}: it is at the limit, and more launches will hardly tell."
    return f"{text}: about {max(launches + 1, math.ceil(needed))} launches would tell."
