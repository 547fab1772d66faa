"""Plotly figures of scaling: shares of the bound over hosts and as heat maps, bus bandwidth, gains.

A missing cell of a heat map shows the hatched ground; one whose figure does not count is crossed.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from pydantic import JsonValue

from busbar.report.figures import Figure, base_layout, hover_text, plain_axis, whiskers
from busbar.report.gain_figures import gain_figure, hosts_plot_axis
from busbar.report.heat import HIGHEST, LOWEST, colour_stops, ground
from busbar.report.scaling import Cell, ScaledVariant, Scaling
from busbar.report.scaling_curves import (
    HostsBound,
    SizeCurve,
    bandwidth_cells,
    bandwidth_top,
    busbw_ends,
    busbw_of,
    cell_text,
    hosts_bounds,
    percent_ends,
    percent_top,
    size_curves,
)
from busbar.report.style import BOUND, DASHES, QUIET
from busbar.report.text import many, number, size

_HEIGHT = 320
_LINE = 26  # pixels of a line of a heat map, at least


def scaling_figures(scaling: Scaling) -> dict[str, Figure]:
    """All figures of a study, by the ids the page gives them."""
    figures: dict[str, Figure] = {f"{scaling.id}-bandwidth": bandwidth_figure(scaling)}
    for variant in scaling.variants:
        figures[f"{variant.id}-hosts"] = hosts_figure(scaling, variant)
        figures[f"{variant.id}-map"] = map_figure(scaling, variant)
    for family in scaling.families:
        figures[f"{family.id}-hosts"] = gain_figure(family.over_hosts)
        figures[f"{family.id}-size"] = gain_figure(family.over_size)
    return figures


def hosts_figure(scaling: Scaling, variant: ScaledVariant) -> Figure:
    """The share of the bound over numbers of hosts, a curve for each size."""
    hosts = list(scaling.table.hosts)
    layout = base_layout(_HEIGHT)
    layout["xaxis"] = hosts_plot_axis(hosts)
    layout["yaxis"] = {**plain_axis("% of bound"), "range": [0, percent_top(scaling)]}
    layout["shapes"] = [
        {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": 100, "y1": 100,
         "line": {"color": BOUND, "dash": DASHES[0], "width": 1.4}}
    ]  # fmt: skip
    curves = size_curves(scaling, variant)
    return {"data": [_curve(variant.name, hosts, curve) for curve in curves], "layout": layout}


def _curve(name: str, hosts: Sequence[int], curve: SizeCurve) -> JsonValue:
    shares = [cell.percent for cell in curve.cells]
    ends = [percent_ends(cell) for cell in curve.cells]
    colour = curve.style.colour
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": size(curve.size_bytes),
        "x": [*hosts],
        "y": [*shares],
        "error_y": whiskers(shares, ends, colour),
        "line": {"color": colour, "width": 1.8},
        "marker": {"color": colour, "size": 7, "symbol": curve.style.mark.plotly},
        "hoverinfo": "text",
        "hovertext": [
            _hover(name, n, cell) for n, cell in zip(hosts, curve.cells, strict=True)
        ],
    }  # fmt: skip


def _hover(name: str, hosts: int, cell: Cell) -> str:
    if cell.row is None:
        return ""
    return f"{many(hosts, 'host')}<br>{hover_text(name, cell.row)}"


def map_figure(scaling: Scaling, variant: ScaledVariant) -> Figure:
    """The share of the bound by size and number of hosts, with its figure in each cell."""
    hosts = [str(n) for n in scaling.table.hosts]
    sizes = [size(one) for one in scaling.table.sizes]
    layout = base_layout(max(_HEIGHT, 90 + _LINE * len(sizes)))
    for name, title in (("xaxis", "Hosts"), ("yaxis", "Size")):
        layout[name] = {**plain_axis(title), "type": "category", "showgrid": False,
                        "automargin": True}  # fmt: skip
    layout["images"] = [ground()]
    trace: dict[str, JsonValue] = {
        "type": "heatmap",
        "x": [*hosts],
        "y": [*sizes],
        "z": [[cell.percent for cell in line] for line in variant.cells],
        "text": [[cell_text(cell, len(hosts)) for cell in line] for line in variant.cells],
        "texttemplate": "%{text}",
        "textfont": {"size": 12},
        "zmin": LOWEST,
        "zmax": HIGHEST,
        "colorscale": [list(stop) for stop in colour_stops()],
        "hoverongaps": False,
        "hoverinfo": "text",
        "hovertext": [
            [_hover(variant.name, n, c) for n, c in zip(scaling.table.hosts, line, strict=True)]
            for line in variant.cells
        ],
        "xgap": 1,
        "ygap": 1,
        "colorbar": {
            "title": {"text": "% of bound", "font": {"size": 11, "color": QUIET}},
            "thickness": 12, "len": 0.95, "outlinewidth": 0, "tickvals": [0, 25, 50, 75, 100],
        },
    }  # fmt: skip
    return {"data": [trace], "layout": layout}


def bandwidth_figure(scaling: Scaling) -> Figure:
    """Bus bandwidth over numbers of hosts at the largest size, with the bounds."""
    hosts = list(scaling.table.hosts)
    layout = base_layout(_HEIGHT)
    layout["xaxis"] = hosts_plot_axis(hosts)
    layout["yaxis"] = {
        **plain_axis("Bus bandwidth (GB/s)"),
        "range": [0, bandwidth_top(scaling)],
    }
    traces = [_bandwidth(one, hosts, cells) for one, cells in bandwidth_cells(scaling)]
    traces += [_bound(bound, index) for index, bound in enumerate(hosts_bounds(scaling))]
    return {"data": traces, "layout": layout}


def _bound(bound: HostsBound, index: int) -> JsonValue:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": escape(bound.name),
        "x": [n for n, _ in bound.points],
        "y": [gbs for _, gbs in bound.points],
        "line": {"color": BOUND, "width": 1.6, "dash": DASHES[index % len(DASHES)]},
        "hoverinfo": "text",
        "hovertext": [
            f"{escape(bound.name)} on {many(n, 'host')}<br>busbw {number(gbs, 3)} GB/s"
            for n, gbs in bound.points
        ],
    }


def _bandwidth(variant: ScaledVariant, hosts: Sequence[int], cells: Sequence[Cell]) -> JsonValue:
    middle = [busbw_of(cell) for cell in cells]
    colour = variant.style.colour
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": escape(variant.name),
        "x": [*hosts],
        "y": [*middle],
        "error_y": whiskers(middle, [busbw_ends(cell) for cell in cells], colour),
        "line": {"color": colour, "width": 1.8},
        "marker": {"color": colour, "size": 7, "symbol": variant.style.mark.plotly},
        "hoverinfo": "text",
        "hovertext": [_hover(variant.name, n, c) for n, c in zip(hosts, cells, strict=True)],
    }
