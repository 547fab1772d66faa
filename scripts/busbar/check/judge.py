"""Judges one point. Whatever does not clearly pass, does not pass."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from busbar.check.claims import MOST_LAUNCHES
from busbar.check.result import RowResult, Verdict, label
from busbar.fabrics.model import Limit
from busbar.record.models import Point
from busbar.record.statistics import launch_medians
from busbar.theory.bound import Bound
from busbar.theory.expected import Expected
from busbar.units import percent

# Clocks, a link rate's own rounding, and headers that a kernel leaves out (12 bytes of timestamps
# in 9014 are 0.1 %) may carry a sound figure this far over a bound.
TOLERANCE = 0.01
_SHARED_GPUS = "Its ranks shared a GPU: a functional test, no performance."


MOST_BELOW = 0.05
"""Of the limit, that a single launch may be below it where the interval over launches is not. From
six launches on the interval leaves out the slowest, of twenty the slowest five: they are rare, not
noise. Half of what limits leave to sound systems."""


@dataclass(frozen=True)
class Yardstick:
    """What a point is held against."""

    bound: Bound | None
    no_bound_because: str
    """One sentence; empty if there is a bound."""
    limit: Limit | None
    """None where the fabric has none for it."""
    max_spoiled_share: float
    bypass: str
    """One sentence where fewer bytes passed the links than the operation must move; else empty."""
    simulated: bool
    """Then nothing varies, one launch is all there is, and large messages carry no data."""
    bound_unknown: bool = False
    """Whether theory cannot tell it, rather than tell that there is none."""
    required: bool = False
    """Whether the plan requires the row; what it has as optional may stay without a verdict."""
    needs_limit: bool = False
    """Whether the plan asks that a limit judges it."""
    not_used: str = ""
    """One sentence where it is shown to have run otherwise than its variant asks; else empty."""
    unproven: str = ""
    """One sentence where nothing shows that it ran as its variant asks, naming what would."""
    throttled: str = ""
    """One sentence where too many blocks ran on slowed GPUs."""
    shares_gpus: bool = False
    """Whether its ranks shared a GPU: then its time is none of the hardware's."""
    expected: Expected | None = None
    """What it should take; needed only where the limit is of that."""
    not_expected_because: str = ""
    """One sentence where that is not known."""
    by_launch_us: Mapping[int, float] = field(default_factory=dict)
    """Median of each launch."""
    missing_launches: str = ""
    """One sentence where fewer launches measured it than were planned."""
    spread: str = ""
    """One sentence where launches stray too far from each other."""
    inconsistent: str = ""
    """One sentence where the record contradicts itself."""


def judge_point(point: Point, yardstick: Yardstick) -> RowResult:
    """The verdict on a point that was visited."""
    row = replace(_measured(point, yardstick.bound), doubt=_distrust(point, yardstick))
    if yardstick.simulated and row.fraction is not None and row.fraction_ci95 is None:
        row = replace(row, fraction_ci95=(row.fraction, row.fraction))
    trouble = _trouble(point, row)
    if trouble is not None:
        return trouble
    judged = _by_figures(point, row, yardstick)
    doubt = yardstick.unproven or yardstick.throttled or yardstick.inconsistent
    if judged.verdict is Verdict.UNJUDGED and yardstick.required:
        # Its time is held against nothing, but that it ran, as often as planned and right, counts.
        doubt = doubt or _unverified(point, yardstick) or yardstick.missing_launches
    if doubt and judged.verdict in (Verdict.PASS, Verdict.UNJUDGED):
        return replace(judged, verdict=Verdict.UNSURE, reason=doubt)
    return judged


def _distrust(point: Point, yardstick: Yardstick) -> str:
    """Why its time cannot be trusted, whatever it is held against, in one sentence; else empty."""
    if yardstick.shares_gpus:
        return _SHARED_GPUS
    of_record = yardstick.unproven or yardstick.throttled or yardstick.inconsistent
    return of_record or _doubt(point, yardstick)


def _by_figures(point: Point, row: RowResult, yardstick: Yardstick) -> RowResult:
    """The verdict that times and bytes give."""
    if yardstick.not_used:
        return replace(row, verdict=Verdict.NOT_USED, reason=yardstick.not_used)
    if yardstick.bypass:
        return replace(row, verdict=Verdict.IMPOSSIBLE, reason=yardstick.bypass)
    if yardstick.shares_gpus:
        return _unjudged(row, _SHARED_GPUS, yardstick)
    if row.fraction is not None and row.fraction > 1 + TOLERANCE:
        return _above_bound(row)
    limit = yardstick.limit
    if limit is None:
        reason = yardstick.no_bound_because or "No limit of the fabric applies to it."
        if row.bound and yardstick.required and yardstick.needs_limit:
            reason += " The plan asks for a verdict: give the fabric a limit, or --limits."
        return _unjudged(row, reason, yardstick)
    row = _with_limit(row, limit, yardstick)
    if row.share is None:
        return _unjudged(replace(row, limit=None), _no_reference(yardstick), yardstick)
    return _against_limit(row, point, yardstick)


def _unjudged(row: RowResult, reason: str, yardstick: Yardstick) -> RowResult:
    """Nothing judges the row; that is no verdict where one is asked for and theory has a say."""
    asked = yardstick.required and (yardstick.needs_limit or yardstick.limit is not None)
    has_a_say = row.bound is not None or yardstick.bound_unknown
    verdict = Verdict.UNSURE if asked and has_a_say else Verdict.UNJUDGED
    return replace(row, verdict=verdict, reason=reason)


def _with_limit(row: RowResult, limit: Limit, yardstick: Yardstick) -> RowResult:
    """The row with its share of what the limit is of; None of it where that is not known."""
    row = replace(row, limit=limit.at_least, limit_of=limit.of)
    if limit.of == "bound":
        return replace(row, share=row.fraction, share_ci95=row.fraction_ci95)
    if yardstick.expected is None:
        return row
    row = replace(row, expected=yardstick.expected)
    share, interval = _share(yardstick.expected.time_us, row.median_us, row.ci95_us)
    if yardstick.simulated and share is not None and interval is None:
        interval = (share, share)
    return replace(row, share=share, share_ci95=interval)


def _no_reference(yardstick: Yardstick) -> str:
    assert yardstick.limit is not None
    if yardstick.limit.of == "bound":
        return yardstick.no_bound_because
    return f"Its limit is of the expected time, which is unknown: {yardstick.not_expected_because}"


def _trouble(point: Point, row: RowResult) -> RowResult | None:
    """The verdict on a point whose time is not worth looking at, worst first; else None."""
    wrong = max(point.wrong_elements or 0, sum(b.wrong_elements or 0 for b in point.blocks))
    if point.status == "wrong_data" or wrong:
        reason = point.reason or f"{wrong} elements of the result were wrong."
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
    share, interval = _share(bound.time_us, time.median, time.ci95)
    return replace(row, fraction=share, fraction_ci95=interval)


def _share(
    reference_us: float, median_us: float | None, ci95_us: tuple[float, float] | None
) -> tuple[float | None, tuple[float, float] | None]:
    """A time of theory over the measured one, with its interval."""
    if median_us is None:
        return None, None
    if ci95_us is None:
        return reference_us / median_us, None
    low, high = ci95_us
    above = reference_us / low if low > 0 else math.inf
    return reference_us / median_us, (reference_us / high, above)


def _above_bound(row: RowResult) -> RowResult:
    share = f"{row.fraction:.1%} of the bound"
    if row.fraction_ci95 is not None and row.fraction_ci95[0] <= 1 + TOLERANCE:
        reason = (
            f"{share}, but the interval over launches still contains what is possible: measure "
            "more launches."
        )
        return replace(row, verdict=Verdict.UNSURE, reason=reason, doubt=reason)
    reason = f"{share}, faster than the fabric allows: the fabric or the measurement is wrong."
    return replace(row, verdict=Verdict.IMPOSSIBLE, reason=reason, by_times=True)


def limit_of(
    point: Point,
    limits: Sequence[Limit],
    variants: Sequence[str],
    domains: Literal["one", "several"],
) -> Limit | None:
    """The limit with the largest starting size that this point reaches.

    Of the first of these variants that has any for it, on so many `domains`: one or several.
    """
    key = point.key
    for variant in variants:
        fitting = [
            limit
            for limit in limits
            if (limit.op, limit.variant) == (key.op, variant)
            and limit.from_bytes() <= key.size_bytes
            and limit.domains in (None, domains)
        ]
        if fitting:
            return max(fitting, key=lambda limit: (limit.from_bytes(), limit.domains is not None))
    return None


def _against_limit(row: RowResult, point: Point, yardstick: Yardstick) -> RowResult:
    assert row.limit is not None
    wanted = f"{percent(row.limit)} of {_theory(row)}"
    if row.share_ci95 is None:
        reason = "One launch gives no interval over launches: measure at least two, better five."
        return replace(row, verdict=Verdict.UNSURE, reason=reason)
    low, high = row.share_ci95
    if high < row.limit:
        where = f"; the bound is set by {row.bound.cut}" if row.bound else ""
        reason = f"{row.share:.1%} is below {wanted}{where}."
        return replace(row, verdict=Verdict.FAIL, reason=reason, by_times=True)
    if low < row.limit:
        return _at_the_limit(row, point, wanted, _repeats(yardstick))
    doubt = _doubt(point, yardstick) or _launch_below(row, yardstick)
    if doubt:
        return replace(row, verdict=Verdict.UNSURE, reason=doubt)
    return replace(row, verdict=Verdict.PASS, reason=f"{row.share:.1%}, above {wanted}.")


def _theory(row: RowResult) -> str:
    if row.limit_of == "bound":
        return "the bound"
    return f"the expected time ({row.expected.algorithm})" if row.expected else "the expected time"


def _doubt(point: Point, yardstick: Yardstick) -> str:
    """Why a time that is good enough cannot be trusted, or nothing."""
    share = point.spoiled_share
    if share is not None and share > yardstick.max_spoiled_share:
        return (
            f"{share:.0%} of the samples saw drops, errors or retransmits, more than the "
            f"{percent(yardstick.max_spoiled_share)} accepted: find their cause, then measure "
            "again."
        )
    return _unverified(point, yardstick) or _repeats(yardstick)


def _repeats(yardstick: Yardstick) -> str:
    """Why its launches may not stand for the row, or nothing."""
    return yardstick.missing_launches or yardstick.spread


def _unverified(point: Point, yardstick: Yardstick) -> str:
    """One sentence where not every result was looked at, or nothing of it; else empty."""
    unverified = point.wrong_elements is None or any(
        block.verified != "every_block"
        or block.wrong_elements is None
        or (block.checked_elements == 0 and point.key.size_bytes > 0)
        for block in point.blocks
    )
    if not unverified or yardstick.simulated:
        return ""
    return "Its results were not verified: measure again with verification on."


def _launch_below(row: RowResult, yardstick: Yardstick) -> str:
    """One sentence that names a launch well below the limit that the interval leaves out."""
    reference = row.reference_us
    assert row.limit is not None and reference is not None
    for launch, time_us in yardstick.by_launch_us.items():
        if reference < (1 - MOST_BELOW) * row.limit * time_us:
            return (
                f"Launch {launch} reached {reference / time_us:.1%} only, below "
                f"{row.limit:.0%} of {_theory(row)}, although the interval over launches is above: "
                "find what differed, then measure again."
            )
    return ""


def _at_the_limit(row: RowResult, point: Point, wanted: str, repeats: str) -> RowResult:
    """How many launches would tell: an interval narrows with the root of their number."""
    assert row.share is not None
    assert row.share_ci95 is not None
    assert row.limit is not None
    low, high = row.share_ci95
    launches = max(2, len(launch_medians(point.blocks)))
    text = f"The interval {low:.1%} to {high:.1%} contains {wanted}"
    distance = abs(row.share - row.limit)
    half = row.share - low if row.share > row.limit else high - row.share
    needed = math.inf if distance == 0 else launches * (half / distance) ** 2
    also = f" {repeats}" if repeats else ""
    if needed > MOST_LAUNCHES:
        reason = f"{text}: it is at the limit, and more launches will hardly tell.{also}"
        return replace(row, verdict=Verdict.UNSURE, reason=reason)
    more = max(launches + 1, math.ceil(needed))
    reason = f"{text}: about {more} launches would tell.{also}"
    return replace(row, verdict=Verdict.UNSURE, reason=reason, launches_wanted=more)
