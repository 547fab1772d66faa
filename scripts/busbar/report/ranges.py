"""What part of a panel its figures show: the measured curves, and the bound near them.

A message that fits a link's burst may pass at once: its bound says next to nothing, and its bus
bandwidth can be many times the line rate. Two launches far apart have an interval wider than any
curve. None of these may squash what matters; what leaves a picture is said at its edge.
"""

from __future__ import annotations

from busbar.report.axes import Axis, time_axis
from busbar.report.panels import Panel
from busbar.report.rows import Row
from busbar.report.text import number, size

_HEADROOM = 1.1
_WHISKERS = 1.3  # bandwidth shown for whiskers, over the highest median
_OVER_GOAL = 2.0  # bandwidth shown, over what the curves climb towards
_FACTOR = 3.0  # times shown for whiskers, over and under their median
_BELOW_MEASURED = 10.0  # how far below every measured time a bound is still followed


def bandwidth_top(panel: Panel) -> float | None:
    """Upper end of the bandwidth axis; None if no bandwidth was measured."""
    medians = [row.busbw_gbs for row in panel.rows if row.busbw_gbs]
    if not medians:
        return None
    highest = max(medians)
    ends = [end for row in panel.rows if (end := _highest_end(row))]
    highest = max(highest, min(max(ends, default=0.0), _WHISKERS * highest))
    goal = _goal(panel)
    if goal is not None:
        highest = max(goal, min(highest, _OVER_GOAL * goal))
    return _HEADROOM * highest


def _goal(panel: Panel) -> float | None:
    """What the curves climb towards with growing size; None without a bound."""
    lowest = [
        min(known)
        for bound in panel.bounds
        if (known := [at.busbw_gbs for at in bound.points if at.busbw_gbs])
    ]
    if not lowest:
        return None
    # A curve without a bound of its own has its last figure.
    last = [c.rows[-1].busbw_gbs for c in panel.curves]
    return max(lowest + [figure for figure in last if figure])


def leaves_picture(panel: Panel) -> Row | None:
    """The row furthest above the bandwidth axis; None if the axis shows all."""
    top = bandwidth_top(panel) or 0.0
    above = [row for row in panel.rows if (row.busbw_gbs or 0.0) > top]
    return max(above, key=lambda row: row.busbw_gbs or 0.0, default=None)


def edge_note(row: Row) -> str:
    """What is said at the edge of a picture that a row leaves."""
    return f"▲ up to {number(row.busbw_gbs, 3)} GB/s at {size(row.key.size_bytes)}"


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
