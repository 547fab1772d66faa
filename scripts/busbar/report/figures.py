"""Plotly figures as plain JSON: bus bandwidth and time over size, one pair for each panel.

Figures carry no legend of their own: the page draws one per panel, beside the data, not over it.
Every text that came from a record is escaped, because Plotly reads a subset of HTML.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape

from pydantic import JsonValue

from busbar.report.axes import Axis, size_axis
from busbar.report.panels import Bound, BoundAt, Curve, Panel
from busbar.report.ranges import bandwidth_top, edge_note, leaves_picture, time_range
from busbar.report.rows import Row
from busbar.report.style import BOUND, DASHES, GRID, INK, MARK, QUIET
from busbar.report.text import duration, interval, number, percent, size

Figure = dict[str, JsonValue]
_Value = Callable[[Row, float], float | None]

FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif'
_MARK_ROOM = 24  # pixels above a figure for what marks it
_WHISKER_ALPHA = "99"  # of the curve's colour, so that crowded whiskers do not hide the line


def bandwidth_figure(panel: Panel) -> Figure:
    """Bus bandwidth over size, with the 95 % interval and the bounds."""
    traces = [_curve(curve, lambda row, time: row.busbw_at(time)) for curve in panel.curves]
    traces += [_bound(b, i, lambda at: at.busbw_gbs) for i, b in enumerate(panel.bounds)]
    layout = base_layout(330)
    layout["xaxis"] = size_log_axis(row.key.size_bytes for row in panel.rows)
    layout["yaxis"] = {
        **plain_axis("Bus bandwidth (GB/s)"),
        "range": [0, bandwidth_top(panel) or 1],
    }
    layout["annotations"] = [*_missing(panel), *_edge(panel)]
    return {"data": traces, "layout": layout}


def time_figure(panel: Panel) -> Figure:
    """Time of one execution over size, both logarithmic."""
    traces = [_curve(curve, lambda _, time: time) for curve in panel.curves]
    traces += [_bound(b, i, lambda at: at.time_us) for i, b in enumerate(panel.bounds)]
    layout = base_layout(330)
    layout["xaxis"] = size_log_axis(row.key.size_bytes for row in panel.rows)
    layout["yaxis"] = log_axis("Time of one execution", time_range(panel))
    layout["annotations"] = [*_missing(panel)]
    return {"data": traces, "layout": layout}


def sizeless_figure(panel: Panel) -> Figure:
    """Time of an operation that moves nothing, such as barrier: one line for each curve."""
    traces = [_dot(curve) for curve in panel.curves]
    axis = time_range(panel)
    layout = base_layout(100 + 34 * len(panel.curves))
    layout["xaxis"] = log_axis("Time of one execution", axis)
    layout["yaxis"] = {**plain_axis(""), "automargin": True, "autorange": "reversed"}
    layout["shapes"] = [
        {
            "type": "line",
            "xref": "x",
            "yref": "paper",
            "x0": at.time_us,
            "x1": at.time_us,
            "y0": 0,
            "y1": 1,
            "line": {"color": BOUND, "dash": DASHES[i % len(DASHES)], "width": 1.5},
        }
        for i, bound in enumerate(panel.bounds)
        for at in bound.points
    ]
    return {"data": traces, "layout": layout}


def marked(figures: Mapping[str, Figure], mark: str) -> dict[str, Figure]:
    """The same with what `headline.mark` says above each: a picture may be cut out of its page."""
    if not mark:
        return dict(figures)
    return {name: _with_mark(figure, mark) for name, figure in figures.items()}


def _with_mark(figure: Figure, mark: str) -> Figure:
    layout = {**_object(figure["layout"])}
    margin = {**_object(layout["margin"])}
    top = margin["t"]
    assert isinstance(top, int)
    layout["margin"] = {**margin, "t": max(top, _MARK_ROOM)}
    own = layout.get("annotations", [])
    assert isinstance(own, list)
    layout["annotations"] = [*own, _mark(mark)]
    return {**figure, "layout": layout}


def _object(value: JsonValue) -> dict[str, JsonValue]:
    assert isinstance(value, dict)
    return value


def _mark(mark: str) -> JsonValue:
    return {
        "xref": "paper",
        "yref": "paper",
        "x": 1,
        "y": 1,
        "xanchor": "right",
        "yanchor": "bottom",
        "yshift": 2,
        "showarrow": False,
        "text": f"<b>{escape(mark)}</b>",
        "font": {"size": 11, "color": MARK},
    }


def base_layout(height: int) -> dict[str, JsonValue]:
    """What all figures share."""
    return {
        "height": height,
        "margin": {"l": 70, "r": 14, "t": 12, "b": 52},
        "font": {"family": FONT, "size": 12, "color": INK},
        "paper_bgcolor": "#ffffff",
        "plot_bgcolor": "#ffffff",
        "showlegend": False,
        "hovermode": "closest",
        "hoverlabel": {"align": "left", "font": {"family": FONT, "size": 12}},
    }


def log_axis(title: str, axis: Axis) -> dict[str, JsonValue]:
    """A logarithmic axis with its ticks."""
    return {
        **plain_axis(title),
        "type": "log",
        "range": list(axis.log_range),
        "tickvals": list(axis.ticks),
        "ticktext": list(axis.labels),
    }


def size_log_axis(sizes: Iterable[int]) -> dict[str, JsonValue]:
    """A logarithmic axis of sizes."""
    return log_axis("Size (bytes; K, M, G = powers of 1024)", size_axis(sizes))


def plain_axis(title: str) -> dict[str, JsonValue]:
    """An axis without ticks of its own."""
    return {
        "title": {"text": title, "font": {"size": 12, "color": QUIET}, "standoff": 10},
        "gridcolor": GRID,
        "linecolor": "#aab2b9",
        "showline": True,
        "zeroline": False,
        "ticks": "outside",
        "tickcolor": "#aab2b9",
    }


def _curve(curve: Curve, value: _Value) -> JsonValue:
    """Medians with whiskers; a hole where there is none."""
    rows = [row for row in curve.rows if row.key.size_bytes]
    middle = [value(row, row.median_us) if row.median_us else None for row in rows]
    ends = [_ends(row, value) for row in rows]
    colour = curve.style.colour
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": escape(curve.name),
        "x": [row.key.size_bytes for row in rows],
        "y": list(middle),
        "error_y": whiskers(middle, ends, colour),
        "line": {"color": colour, "width": 1.8},
        "marker": {
            "color": colour,
            "size": 7,
            "symbol": [_symbol(curve, row) for row in rows],
        },
        "hoverinfo": "text",
        "hovertext": [hover_text(curve.name, row) for row in rows],
    }


def whiskers(
    middle: Sequence[float | None], ends: Sequence[tuple[float, float] | None], colour: str
) -> JsonValue:
    """Bars from the lower to the upper end around each figure; none where one is not known."""
    return {
        "type": "data",
        "symmetric": False,
        "array": [_above(m, e) for m, e in zip(middle, ends, strict=True)],
        "arrayminus": [_below(m, e) for m, e in zip(middle, ends, strict=True)],
        "color": colour + _WHISKER_ALPHA,
        "thickness": 1.4,
        "width": 4,
    }


def _dot(curve: Curve) -> JsonValue:
    row = curve.rows[0]
    low, high = row.ci95_us or (None, None)
    median = row.median_us
    return {
        "type": "scatter",
        "mode": "markers",
        "name": escape(curve.name),
        "x": [median],
        "y": [escape(curve.name)],
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": [high - median if high and median else None],
            "arrayminus": [median - low if low and median else None],
            "color": curve.style.colour,
            "thickness": 1.4,
            "width": 5,
        },
        "marker": {"color": curve.style.colour, "size": 9, "symbol": [_symbol(curve, row)]},
        "hoverinfo": "text",
        "hovertext": [hover_text(curve.name, row)],
    }


def _bound(bound: Bound, index: int, value: Callable[[BoundAt], float | None]) -> JsonValue:
    points = [at for at in bound.points if at.size_bytes]
    return {
        "type": "scatter",
        "mode": "lines",
        "name": escape(bound.name),
        "x": [at.size_bytes for at in points],
        "y": [value(at) for at in points],
        "line": {"color": BOUND, "width": 1.6, "dash": DASHES[index % len(DASHES)]},
        "hoverinfo": "text",
        "hovertext": [
            f"bound at {size(at.size_bytes)}: {escape(at.cut)}<br>{duration(at.time_us)}"
            f"<br>busbw {number(at.busbw_gbs, 3)} GB/s"
            for at in points
        ],
    }


def hover_text(name: str, row: Row) -> str:
    """What a tooltip says of a row."""
    lines = [
        f"<b>{escape(name)} · {size(row.key.size_bytes)}</b>",
        f"time {duration(row.median_us)}",
        f"95 % interval {interval(row.ci95_us)}",
        f"busbw {number(row.busbw_gbs, 3)} GB/s",
        f"{percent(row.percent)} of bound · {row.word}",
    ]
    if row.point and row.point.spoiled_share:
        lines.append(f"{percent(100 * row.point.spoiled_share)} of samples spoiled")
    if row.point and row.point.wrong_elements:
        lines.append(f"{row.point.wrong_elements:,} wrong elements")
    return "<br>".join(lines)


def _symbol(curve: Curve, row: Row) -> str:
    """Wrong data is crossed out, spoiled samples leave the marker open."""
    if row.point and row.point.status == "wrong_data":
        return "x"
    if row.point and row.point.spoiled_share:
        return f"{curve.style.mark.plotly}-open"
    return curve.style.mark.plotly


def _ends(row: Row, value: _Value) -> tuple[float, float] | None:
    """The interval's ends in the figure's unit, low first."""
    if row.ci95_us is None:
        return None
    ends = [value(row, time) for time in row.ci95_us]
    known = sorted(end for end in ends if end is not None)
    return (known[0], known[1]) if len(known) == 2 else None


def _above(middle: float | None, ends: tuple[float, float] | None) -> float | None:
    return max(0.0, ends[1] - middle) if middle is not None and ends else None


def _below(middle: float | None, ends: tuple[float, float] | None) -> float | None:
    return max(0.0, middle - ends[0]) if middle is not None and ends else None


def _missing(panel: Panel) -> Sequence[JsonValue]:
    """A mark at the foot of the figure where a row has no figure: a hole must not go unseen."""
    at: dict[int, list[str]] = {}
    for row in panel.rows:
        if row.key.size_bytes and not row.median_us:
            at.setdefault(row.key.size_bytes, []).append(row.point.status if row.point else "")
    return [
        {
            "xref": "x",
            "yref": "paper",
            "x": math.log10(size_bytes),  # an exponent: Plotly's way on logarithmic axes
            "y": 0,
            "yanchor": "bottom",
            "showarrow": False,
            "text": "✕ " + ("hang" if "hang" in states else "missing"),
            "textangle": -90,
            "bgcolor": "rgba(255,255,255,0.8)",
            "font": {"size": 11, "color": "#B34700"},
        }
        for size_bytes, states in at.items()
    ]


def _edge(panel: Panel) -> Sequence[JsonValue]:
    """Says so where measured points lie above the picture."""
    row = leaves_picture(panel)
    if row is None:
        return []
    return [note_at_edge(edge_note(row), 0.01)]  # where sizes are small and curves low


def note_at_edge(text: str, x: float) -> JsonValue:
    """A note at the upper edge, `x` from 0 to 1."""
    return {
        "xref": "paper",
        "yref": "paper",
        "x": x,
        "y": 1,
        "xanchor": "left",
        "yanchor": "top",
        "showarrow": False,
        "text": text,
        "bgcolor": "rgba(255,255,255,0.8)",
        "font": {"size": 11, "color": QUIET},
    }
