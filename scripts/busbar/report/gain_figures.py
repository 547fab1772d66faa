"""Plotly figures of reduction in the network: gain over size and over hosts, bytes over size."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from pydantic import JsonValue

from busbar.report.axes import Axis, hosts_axis, ratio_axis
from busbar.report.figures import (
    Figure,
    base_layout,
    log_axis,
    note_at_edge,
    plain_axis,
    size_log_axis,
    whiskers,
)
from busbar.report.gains import GainAt, GainChart, GainCurve, Study
from busbar.report.rows import Row
from busbar.report.style import BEST, BOUND, DASHES, QUIET
from busbar.report.text import bytes_, gain, many, number, size
from busbar.report.wire_shares import Hypothesis, WireChart, WireCurve

_HEIGHT = 320
_CAP = 1.3  # how far beyond its gain a whisker widens the axis
_HEADROOM = 1.1
_OVER_EXPECTED = 1.6  # bytes shown, over the most that a hypothesis expects


def study_figures(study: Study, *, gains: bool = True) -> dict[str, Figure]:
    """All figures of a study, by the ids the page gives them; without `gains` those of bytes."""
    figures: dict[str, Figure] = {}
    for group in study.groups:
        if gains and group.gain is not None:
            figures[f"{group.id}-gain"] = gain_figure(group.gain)
        if group.wire is not None:
            figures[f"{group.id}-bytes"] = wire_figure(group.wire)
    if gains and study.over_hosts is not None:
        figures[f"{study.id}-hosts"] = gain_figure(study.over_hosts)
    return figures


def gain_figure(chart: GainChart) -> Figure:
    """Gain over size, or over hosts: a curve for each baseline, the theory, and 1."""
    places = chart_places(chart)
    layout = base_layout(_HEIGHT)
    if chart.over == "size":
        layout["xaxis"] = size_log_axis(places)
    else:
        layout["xaxis"] = hosts_plot_axis(places)
    layout["yaxis"] = log_axis("Gain (times as fast)", gain_axis(chart))
    low, high = ends_beyond(chart)
    return {
        "data": [
            *(_gain_curve(curve, places) for curve in chart.curves),
            *([_most(chart)] if chart.most else []),
            _line("as fast as the baseline", [low, high], [1.0, 1.0], QUIET, "solid", 1.0),
        ],
        "layout": layout,
    }


def chart_places(chart: GainChart) -> list[int]:
    """Sizes, or numbers of hosts, that the chart has."""
    return sorted({point.at for curve in chart.curves for point in curve.points})


def hosts_plot_axis(places: list[int]) -> dict[str, JsonValue]:
    """An axis of numbers of hosts."""
    axis, log = hosts_axis(places)
    if log:
        return log_axis("Hosts", axis)
    return {
        **plain_axis("Hosts"),
        "range": [axis.low, axis.high],
        "tickvals": list(axis.ticks),
        "ticktext": list(axis.labels),
    }


def ends_beyond(chart: GainChart) -> tuple[float, float]:
    """Ends of a line that goes all across the chart."""
    places = chart_places(chart)
    if chart.over == "size":
        return places[0] / 8, places[-1] * 8
    axis, _ = hosts_axis(places)
    return axis.low, axis.high


def gain_axis(chart: GainChart) -> Axis:
    """The axis of gains: all of them, 1, the theory, and whiskers as far as they are not wild."""
    shown = [ratio for line in chart.most for _, ratio in line]
    for point in (point for curve in chart.curves for point in curve.points):
        ratio = point.gain.ratio
        low, high = point.gain.ci95 or (ratio, ratio)
        shown += [ratio, max(low, ratio / _CAP), min(high, ratio * _CAP)]
    return ratio_axis(shown)


def with_holes(curve: GainCurve, places: Sequence[int]) -> list[GainAt | None]:
    """The curve's point at each place; None where it has none, which must show as a hole."""
    points = {point.at: point for point in curve.points}
    return [points.get(place) for place in places]


def _gain_curve(curve: GainCurve, places: Sequence[int]) -> JsonValue:
    points = with_holes(curve, places)
    ratios = [point.gain.ratio if point else None for point in points]
    trace: dict[str, JsonValue] = {
        "type": "scatter",
        "name": escape(curve.name),
        "x": [*places],
        "y": [*ratios],
        "hoverinfo": "text",
        "hovertext": [_gain_hover(point) if point else "" for point in points],
    }
    if curve.kind == "best":  # below the curve of the variant that was best, whose tooltip it has
        line: dict[str, JsonValue] = {"color": BEST, "width": 9}
        return {**trace, "mode": "lines", "line": line, "hoverinfo": "skip"}
    colour = curve.style.colour
    ends = [point.gain.ci95 if point else None for point in points]
    return {
        **trace,
        "mode": "lines+markers",
        "error_y": whiskers(ratios, ends, colour),
        "line": {"color": colour, "width": 1.8},
        "marker": {"color": colour, "size": 7, "symbol": curve.style.mark.plotly},
    }


def _gain_hover(point: GainAt) -> str:
    row, best = point.row, " (best)" if point.gain.kind == "best" else ""
    return "<br>".join(
        [
            f"<b>over {escape(point.gain.baseline)}{best}</b>",
            f"{size(row.key.size_bytes)} on {many(row.hosts, 'host')}",
            f"gain {gain(point.gain.ratio, point.gain.ci95)}",
        ]
    )


def _most(chart: GainChart) -> JsonValue:
    """All its lines as one trace, with a gap after each."""
    x: list[JsonValue] = []
    y: list[JsonValue] = []
    said: list[JsonValue] = []
    for line in chart.most:
        x += [*(at for at, _ in line), None]
        y += [*(ratio for _, ratio in line), None]
        said += [*(f"theory allows {gain(ratio)}" for _, ratio in line), ""]
    trace = _line(chart.most_name, [], [], BOUND, DASHES[0], 1.6)
    return {**trace, "x": x, "y": y, "hoverinfo": "text", "hovertext": said}


def _line(
    name: str, x: list[float] | list[int], y: list[float], colour: str, dash: str, width: float
) -> dict[str, JsonValue]:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": escape(name),
        "x": [*x],
        "y": [*y],
        "line": {"color": colour, "dash": dash, "width": width},
        "hoverinfo": "skip",
    }


def wire_figure(chart: WireChart) -> Figure:
    """Bytes of the busiest host over the size: a curve for each variant, and the hypotheses."""
    layout = base_layout(_HEIGHT)
    layout["xaxis"] = size_log_axis(row.key.size_bytes for c in chart.curves for row, _ in c.points)
    top = wire_top(chart)
    layout["yaxis"] = {**plain_axis("Bytes of the busiest host ÷ size"), "range": [0, top]}
    above = above_top(chart)
    if above:
        layout["annotations"] = [note_at_edge(above, 0.02)]
    lines = [_hypothesis(h, i) for i, h in enumerate(chart.hypotheses)]
    return {"data": [*map(_wire_curve, chart.curves), *lines], "layout": layout}


def wire_top(chart: WireChart) -> float:
    """Upper end of the axis of bytes; messages of a few bytes are mostly control and leave it."""
    counted = max(share for curve in chart.curves for _, share in curve.points)
    expected = max((share for h in chart.hypotheses for _, share in h.points), default=0.0)
    return _HEADROOM * max(expected, min(counted, _OVER_EXPECTED * expected or counted))


def above_top(chart: WireChart) -> str:
    """What is said of points above the picture; empty where it shows all."""
    top = wire_top(chart)
    above = [(share, row) for c in chart.curves for row, share in c.points if share > top]
    if not above:
        return ""
    share, row = max(above, key=lambda one: one[0])
    return f"▲ up to {number(share, 3)} at {size(row.key.size_bytes)}"


def _wire_curve(curve: WireCurve) -> JsonValue:
    colour = curve.style.colour
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": escape(curve.name),
        "x": [row.key.size_bytes for row, _ in curve.points],
        "y": [share for _, share in curve.points],
        "line": {"color": colour, "width": 1.8},
        "marker": {"color": colour, "size": 7, "symbol": curve.style.mark.plotly},
        "hoverinfo": "text",
        "hovertext": [_wire_hover(curve.name, row, share) for row, share in curve.points],
    }


def _wire_hover(name: str, row: Row, share: float) -> str:
    point = row.point
    return "<br>".join(
        [
            f"<b>{escape(name)} · {size(row.key.size_bytes)}</b>",
            f"busiest host {bytes_(share * row.key.size_bytes)}, {number(share)} of the size",
            f"algbw {number(point.algbw_gbs if point else None, 3)} GB/s",
            f"busbw {number(row.busbw_gbs, 3)} GB/s",
        ]
    )


def _hypothesis(hypothesis: Hypothesis, index: int) -> JsonValue:
    shares = [share for _, share in hypothesis.points]
    sizes = [float(at) for at, _ in hypothesis.points]
    if len(set(shares)) == 1:  # across the picture, also where there is one size
        sizes, shares = [sizes[0] / 8, *sizes, sizes[-1] * 8], [shares[0], *shares, shares[0]]
    dash = DASHES[index % len(DASHES)]
    return _line(hypothesis.name, sizes, shares, BOUND, dash, 1.4)
