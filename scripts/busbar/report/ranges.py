"""What part of a panel its figures show: the measured curves, and the bound near them.

A bound can leave the picture: a message that fits a link's burst may pass at once, so its bound
says next to nothing; and two launches far apart have an interval wider than any curve. Neither
may squash what was measured.
"""

from __future__ import annotations

from busbar.report.axes import Axis, time_axis
from busbar.report.panels import Panel
from busbar.report.rows import Row

_HEADROOM = 1.1
_WHISKERS = 1.3  # bandwidth shown for whiskers, over the highest median
_FACTOR = 3.0  # times shown for whiskers, over and under their median
_BELOW_MEASURED = 10.0  # how far below every measured time a bound is still followed


def bandwidth_top(panel: Panel) -> float | None:
    """Upper end of the bandwidth axis; None if no bandwidth was measured."""
    medians = [row.busbw_gbs for row in panel.rows if row.busbw_gbs]
    if not medians:
        return None
    highest = max(medians)
    ends = [end for row in panel.rows if (end := _highest_end(row))]
    bounds = [at.busbw_gbs for b in panel.bounds for at in b.points if at.busbw_gbs]
    # The lowest bound is the one of large messages, which the curves climb towards.
    shown = [highest, min(max(ends, default=0.0), _WHISKERS * highest), min(bounds, default=0.0)]
    return _HEADROOM * max(shown)


def _highest_end(row: Row) -> float | None:
    return row.busbw_at(row.ci95_us[0]) if row.ci95_us else None


def time_range(panel: Panel) -> Axis:
    """The time axis; the panel must have a measured time."""
    medians = [row.median_us for row in panel.rows if row.median_us]
    times = list(medians)
    for row in panel.rows:
        if row.median_us and row.ci95_us:
            low, high = row.ci95_us
            times += [max(low, row.median_us / _FACTOR), min(high, row.median_us * _FACTOR)]
    bounds = [at.time_us for bound in panel.bounds for at in bound.points]
    times += [time for time in bounds if time >= min(medians) / _BELOW_MEASURED]
    return time_axis(times)
