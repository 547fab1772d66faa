"""Scaling as static figures: bandwidth, shares of the bound and gains, as the page draws them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from busbar.report.canvas import (
    DASHES,
    calm,
    heat_colours,
    plain,
    put_hatched_ground,
    put_legend_below,
    sheet,
)
from busbar.report.heat import HIGHEST, LOWEST
from busbar.report.scaling import ScaledVariant, Scaling
from busbar.report.scaling_curves import (
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
from busbar.report.static_gains import draw_gains, over_hosts
from busbar.report.style import BOUND, QUIET
from busbar.report.text import size

_DARK_BELOW = 65.0
"""Percent below which a heat map's colours are so dark that figures on them are white."""


def scaling_sheets(scaling: Scaling, mark: str = "") -> Iterator[tuple[str, Figure]]:
    """Bus bandwidth, each variant's shares of the bound, gains; each with the name of its file."""
    yield f"{scaling.id}-bandwidth", _bandwidth_sheet(scaling, mark)
    for variant in scaling.variants:
        figure = _sheet(scaling, f"share of the bound of {variant.name}", 10, mark)
        left, right = figure.subplots(1, 2)
        _shares(left, scaling, variant)
        _map(figure, right, scaling, variant)
        yield variant.id, figure
    for family in scaling.families:
        figure = _sheet(scaling, f"gain of {family.name}", 10, mark)
        for axes, chart in zip(
            figure.subplots(1, 2), (family.over_hosts, family.over_size), strict=True
        ):
            draw_gains(axes, chart)
            put_legend_below(axes)
        yield family.id, figure


def _sheet(scaling: Scaling, what: str, width: float, mark: str) -> Figure:
    setting = " · ".join(part for part in (mark, scaling.setting) if part)
    return sheet(f"{scaling.op}, {what}\n({setting})", width, 4.8)


def _bandwidth_sheet(scaling: Scaling, mark: str) -> Figure:
    figure = _sheet(scaling, f"bus bandwidth at {size(scaling.largest)}", 6.5, mark)
    axes = figure.subplots()
    hosts = scaling.table.hosts
    for variant, cells in bandwidth_cells(scaling):
        style = variant.style
        axes.plot(hosts, _or_nan([busbw_of(cell) for cell in cells]), color=style.colour,
                  marker=style.mark.matplotlib, markersize=5, linewidth=1.5,
                  label=plain(variant.name))  # fmt: skip
        _whiskers(axes, hosts, [busbw_ends(cell) for cell in cells], style.colour)
    for index, bound in enumerate(hosts_bounds(scaling)):
        axes.plot([n for n, _ in bound.points], [gbs for _, gbs in bound.points], color=BOUND,
                  linewidth=1.4, linestyle=DASHES[index % len(DASHES)],
                  label=plain(bound.name))  # fmt: skip
    axes.set_ylim(0, bandwidth_top(scaling))
    axes.set_ylabel("Bus bandwidth (GB/s)", color=QUIET)
    over_hosts(axes, list(hosts))
    calm(axes)
    put_legend_below(axes)
    return figure


def _shares(axes: Axes, scaling: Scaling, variant: ScaledVariant) -> None:
    hosts = scaling.table.hosts
    for curve in size_curves(scaling, variant):
        style = curve.style
        axes.plot(hosts, _or_nan([cell.percent for cell in curve.cells]), color=style.colour,
                  marker=style.mark.matplotlib, markersize=5, linewidth=1.5,
                  label=size(curve.size_bytes))  # fmt: skip
        _whiskers(axes, hosts, [percent_ends(cell) for cell in curve.cells], style.colour)
    axes.axhline(100, color=BOUND, linewidth=1.2, linestyle=DASHES[0])
    axes.set_ylim(0, percent_top(scaling))
    axes.set_ylabel("% of bound", color=QUIET)
    over_hosts(axes, list(hosts))
    calm(axes)
    put_legend_below(axes)


def _map(figure: Figure, axes: Axes, scaling: Scaling, variant: ScaledVariant) -> None:
    columns, lines = len(scaling.table.hosts), len(scaling.table.sizes)
    put_hatched_ground(axes, columns, lines)
    shares = [_or_nan([cell.percent for cell in line]) for line in variant.cells]
    shown = axes.imshow(
        np.ma.masked_invalid(np.array(shares)), cmap=heat_colours(), vmin=LOWEST, vmax=HIGHEST,
        zorder=1, interpolation="nearest", aspect="auto", origin="lower",
    )  # fmt: skip
    for y, line in enumerate(variant.cells):
        for x, cell in enumerate(line):
            dark = cell.percent is not None and cell.percent < _DARK_BELOW
            axes.text(x, y, cell_text(cell, columns), ha="center", va="center", fontsize=8,
                      color="white" if dark else "black")  # fmt: skip
    bar = figure.colorbar(shown, ax=axes, shrink=0.9, ticks=[0, 25, 50, 75, 100])
    bar.set_label("% of bound; hatched: not measured", color=QUIET)
    bar.outline.set_visible(False)
    axes.set_xticks(range(columns), [str(n) for n in scaling.table.hosts])
    axes.set_yticks(range(lines), [size(one) for one in scaling.table.sizes])
    axes.set_xlim(-0.5, columns - 0.5)
    axes.set_ylim(-0.5, lines - 0.5)
    axes.set_xlabel("Hosts", color=QUIET)
    axes.set_ylabel("Size", color=QUIET)


def _whiskers(
    axes: Axes, hosts: Sequence[int], ends: Sequence[tuple[float, float] | None], colour: str
) -> None:
    for n, known in zip(hosts, ends, strict=True):
        if known is not None:
            axes.plot([n] * 2, list(known), color=colour, alpha=0.6, marker="_", markersize=6,
                      linewidth=1.2)  # fmt: skip


def _or_nan(values: Sequence[float | None]) -> list[float]:
    """NaN breaks a line, so that what is missing shows as a hole."""
    return [float("nan") if value is None else value for value in values]
