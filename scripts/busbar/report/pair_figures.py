"""Plotly figures of pairs: the heat map of all of them, and what each endpoint sends and receives.

A missing cell shows the hatched ground: it is neither slow nor fast.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

import numpy as np
from pydantic import JsonValue

from busbar.pairs.matrix import Cells, in_json
from busbar.report.figures import Figure, base_layout, plain_axis
from busbar.report.heat import COLOUR_TICKS, HIGHEST, LOWEST, colour_stops, ground
from busbar.report.legend import LegendEntry
from busbar.report.pair_view import PairView
from busbar.report.style import COLOURS, INK, QUIET

SENDS, RECEIVES = COLOURS[0], COLOURS[1]
MARK = INK
NAMED_UP_TO = 40  # endpoints with a name each on the axes; beyond, leaves or some of them
_RATES_UP_TO = 200  # endpoints whose tooltips have rates too: each cell's is a figure of its own


def pair_figures(views: Iterable[PairView]) -> dict[str, Figure]:
    """All figures, by the ids the page gives them."""
    figures: dict[str, Figure] = {}
    for view in views:
        figures[f"{view.id}-map"] = map_figure(view)
        figures[f"{view.id}-ports"] = ports_figure(view)
    return figures


def pair_legends(views: Iterable[PairView]) -> dict[str, list[LegendEntry]]:
    """Of the bars; the heat map has its colours beside it."""
    entries = [
        LegendEntry("sends", SENDS, "", "", 9.0),
        LegendEntry("receives", RECEIVES, "", "", 9.0),
    ]
    return {f"{view.id}-ports": entries for view in views} | {f"{v.id}-map": [] for v in views}


def map_figure(view: PairView) -> Figure:
    """Share of the healthy rate from each sender (down) to each receiver (across)."""
    count = len(view.names)
    names = [escape(name) for name in view.names]
    trace: dict[str, JsonValue] = {
        "type": "heatmap",
        "x": list(names),
        "y": list(names),
        "z": _json(view.percent, 4),
        "zmin": LOWEST,
        "zmax": HIGHEST,
        "colorscale": [list(stop) for stop in colour_stops()],
        "hoverongaps": False,
        "colorbar": {
            "title": {"text": "% of healthy", "font": {"size": 11, "color": QUIET}},
            "thickness": 12, "len": 0.9, "outlinewidth": 0, "tickvals": list(COLOUR_TICKS),
        },
    }  # fmt: skip
    hover = "%{y} → %{x}<br>%{z:.1f} % of healthy"
    if count <= _RATES_UP_TO:
        trace["customdata"] = _json(view.rates_gbs, 4)
        hover += "<br>%{customdata:.4g} GB/s"
    trace["hovertemplate"] = hover + "<extra></extra>"
    layout = base_layout(620)
    layout["margin"] = {"l": 96, "r": 14, "t": 34, "b": 60}
    layout["xaxis"] = {**_names_axis(view, "receives"), "range": [-0.5, count - 0.5]}
    layout["yaxis"] = {**_names_axis(view, "sends"), "range": [count - 0.5, -0.5]}
    layout["images"] = [ground()]
    layout["shapes"] = [*_leaf_lines(view), *_rectangles(view)]
    layout["annotations"] = list(_numbers(view))
    return {"data": [trace], "layout": layout}


def ports_figure(view: PairView) -> Figure:
    """How far each endpoint's median lies below the healthy rate, sending and receiving."""
    names = [escape(name) for name in view.names]
    layout = base_layout(300)
    layout["barmode"] = "group"
    layout["bargap"] = 0.25
    layout["margin"] = {"l": 70, "r": 14, "t": 18, "b": 50}
    layout["xaxis"] = {**_names_axis(view, ""), "range": [-0.5, len(names) - 0.5]}
    layout["yaxis"] = {
        **plain_axis("Below the healthy rate (%)"),
        "range": list(deficit_range(view)),
        "zeroline": True,
        "zerolinecolor": QUIET,
    }
    layout["shapes"] = [_healthy_band(view)] if np.isfinite(view.healthy) else []
    return {
        "data": [
            _bars("sends", names, view.sends, SENDS),
            _bars("receives", names, view.receives, RECEIVES),
        ],
        "layout": layout,
    }


def deficit_range(view: PairView) -> tuple[float, float]:
    """The axis of the bars: all of them, and some of what healthy ports differ by."""
    deficits = 100 - np.concatenate([view.sends, view.receives])
    known = deficits[np.isfinite(deficits)]
    band = view.healthy if np.isfinite(view.healthy) else 0.0
    high = max([float(known.max()) if len(known) else 0.0, 2 * band, 5.0])
    low = min([float(known.min()) if len(known) else 0.0, -1.5 * band, -1.0])
    return low - 0.04 * (high - low), high + 0.06 * (high - low)


def shown_names(view: PairView) -> list[tuple[int, str]]:
    """Places on an axis that have a label: endpoints, or leaves in their middle, or some."""
    count = len(view.names)
    if count <= NAMED_UP_TO:
        return list(enumerate(view.names))
    if view.leaves:
        step = -(-len(view.leaves) // NAMED_UP_TO)
        return [((leaf.first + leaf.last) // 2, leaf.name) for leaf in view.leaves[::step]]
    step = -(-count // 16)
    return [(n, view.names[n]) for n in range(0, count, step)]


def _names_axis(view: PairView, title: str) -> dict[str, JsonValue]:
    shown = shown_names(view)
    return {
        **plain_axis(title),
        "type": "category",
        "tickmode": "array",
        "tickvals": [place for place, _ in shown],
        "ticktext": [escape(name) for _, name in shown],
        "tickfont": {"size": 10},
        "showgrid": False,
        "automargin": True,
    }


def _bars(name: str, names: list[str], percent: Cells, colour: str) -> JsonValue:
    return {
        "type": "bar",
        "name": name,
        "x": list(names),
        "y": [round(100 - value, 3) if np.isfinite(value) else None for value in percent.tolist()],
        "marker": {"color": colour, "line": {"width": 0}},
        "hovertemplate": f"%{{x}} {name}<br>%{{y:.1f}} % below healthy<extra></extra>",
    }


def _healthy_band(view: PairView) -> JsonValue:
    return {
        "type": "rect", "xref": "paper", "x0": 0, "x1": 1, "yref": "y", "layer": "below",
        "y0": -view.healthy, "y1": view.healthy, "fillcolor": "#eef1f3", "line": {"width": 0},
    }  # fmt: skip


def _leaf_lines(view: PairView) -> list[JsonValue]:
    lines: list[JsonValue] = []
    last = len(view.names) - 0.5
    for leaf in view.leaves[1:]:
        at = leaf.first - 0.5
        for ends in ({"x0": at, "x1": at, "y0": -0.5, "y1": last},
                     {"x0": -0.5, "x1": last, "y0": at, "y1": at}):  # fmt: skip
            lines.append({"type": "line", **ends, "line": {"color": "#7b858d", "width": 0.7}})
    return lines


def _rectangles(view: PairView) -> list[JsonValue]:
    return [
        {
            "type": "rect", "x0": mark.targets[0] - 0.5, "x1": mark.targets[1] + 0.5,
            "y0": mark.sources[0] - 0.5, "y1": mark.sources[1] + 0.5,
            "line": {"color": MARK, "width": 2}, "fillcolor": "rgba(0,0,0,0)",
        }
        for mark in view.marks
    ]  # fmt: skip


def _numbers(view: PairView) -> Iterable[JsonValue]:
    """The number of each culprit at the edge of its rectangle: right of rows, above columns."""
    for mark in view.marks:
        is_row = mark.targets[1] - mark.targets[0] >= mark.sources[1] - mark.sources[0]
        middle = sum(mark.sources if is_row else mark.targets) / 2
        far = mark.targets[1] + 0.5 if is_row else mark.sources[0] - 0.5
        yield {
            "x": far if is_row else middle,
            "y": middle if is_row else far,
            "xanchor": "left" if is_row else "center",
            "yanchor": "middle" if is_row else "bottom",
            "showarrow": False,
            "text": f"<b>{mark.number}</b>",
            "font": {"size": 11, "color": "#ffffff"},
            "bgcolor": MARK,
            "borderpad": 1,
        }


def _json(cells: Cells, digits: int) -> list[JsonValue]:
    return [list(row) for row in in_json(cells, digits)]
