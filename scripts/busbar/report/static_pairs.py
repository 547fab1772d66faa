"""Pairs as static figures: heat map and bars, as the page draws them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from busbar.report.canvas import (
    calm,
    heat_colours,
    plain,
    put_hatched_ground,
    put_legend_below,
    sheet,
)
from busbar.report.heat import COLOUR_TICKS, HIGHEST, LOWEST
from busbar.report.pair_figures import MARK, RECEIVES, SENDS, deficit_range, shown_names
from busbar.report.pair_view import PairView
from busbar.report.style import QUIET


def pair_sheets(views: Iterable[PairView], mark: str = "") -> Iterator[tuple[str, Figure]]:
    """One figure for each matrix, with the name of its file."""
    for view in views:
        yield view.id, pair_sheet(view, mark)


def pair_sheet(view: PairView, mark: str = "") -> Figure:
    """The heat map, and what each endpoint sends and receives below it."""
    setting = " · ".join(part for part in (mark, view.summary) if part)
    figure = sheet(f"{view.title}   ({setting})", 8.5, 10.5)
    above, below = figure.subplots(2, 1, height_ratios=(3, 1))
    _map(figure, above, view)
    _bars(below, view)
    return figure


def _map(figure: Figure, axes: Axes, view: PairView) -> None:
    count = len(view.names)
    put_hatched_ground(axes, count, count)
    shown = axes.imshow(
        np.ma.masked_invalid(view.percent), cmap=heat_colours(), vmin=LOWEST, vmax=HIGHEST,
        zorder=1, interpolation="nearest",
    )  # fmt: skip
    bar = figure.colorbar(shown, ax=axes, shrink=0.85, ticks=COLOUR_TICKS)
    bar.set_label("% of healthy; hatched: not measured", color=QUIET)
    bar.outline.set_visible(False)
    for leaf in view.leaves[1:]:
        axes.axhline(leaf.first - 0.5, color="#7b858d", linewidth=0.6, zorder=2)
        axes.axvline(leaf.first - 0.5, color="#7b858d", linewidth=0.6, zorder=2)
    _names(axes, view, "x")
    _names(axes, view, "y")
    axes.set_xlabel("receives", color=QUIET)
    axes.set_ylabel("sends", color=QUIET)
    axes.set_xlim(-0.5, count - 0.5)
    axes.set_ylim(count - 0.5, -0.5)
    for mark in view.marks:
        (top, bottom), (left, right) = mark.sources, mark.targets
        corner, wide, high = (left - 0.5, top - 0.5), right - left + 1, bottom - top + 1
        axes.add_patch(
            Rectangle(corner, wide, high, fill=False, edgecolor=MARK, linewidth=1.6, zorder=3,
                      clip_on=False)
        )  # fmt: skip
        is_row = wide >= high
        axes.annotate(
            str(mark.number),
            (right + 0.5, (top + bottom) / 2) if is_row else ((left + right) / 2, top - 0.5),
            xytext=(2, 0) if is_row else (0, 2), textcoords="offset points",
            ha="left" if is_row else "center", va="center" if is_row else "bottom",
            fontsize=8, color="white", annotation_clip=False,
            bbox={"facecolor": MARK, "edgecolor": "none", "pad": 1.2}, zorder=4,
        )  # fmt: skip


def _bars(axes: Axes, view: PairView) -> None:
    places = np.arange(len(view.names))
    if np.isfinite(view.healthy):
        axes.axhspan(-view.healthy, view.healthy, color="#eef1f3", zorder=0,
                     label="what healthy ports differ by")  # fmt: skip
    for shift, percent, colour, name in (
        (-0.19, view.sends, SENDS, "sends"),
        (0.19, view.receives, RECEIVES, "receives"),
    ):
        tops = zip(places + shift, 100 - percent, strict=True)
        boxes = [
            [(x - 0.18, 0), (x - 0.18, y), (x + 0.18, y), (x + 0.18, 0)]
            for x, y in tops
            if np.isfinite(y)
        ]
        # One collection: thousands of bars, each an artist of its own, take seconds.
        bars = PolyCollection(boxes, facecolors=colour, label=name, zorder=2)
        bars.set(edgecolor=colour, linewidth=0.5)  # else bars narrower than a pixel vanish
        axes.add_collection(bars)
    axes.axhline(0, color=QUIET, linewidth=0.8, zorder=1)
    axes.set_ylim(*deficit_range(view))
    axes.set_xlim(-0.5, len(view.names) - 0.5)
    axes.set_ylabel("Below the healthy rate (%)", color=QUIET)
    calm(axes)
    axes.grid(False, axis="x")
    _names(axes, view, "x")
    put_legend_below(axes)


def _names(axes: Axes, view: PairView, which: str) -> None:
    shown = shown_names(view)
    places, names = [place for place, _ in shown], [plain(name) for _, name in shown]
    if which == "x":
        axes.set_xticks(places, names, rotation=90, fontsize=8)
    else:
        axes.set_yticks(places, names, fontsize=8)
