"""What all static figures share: a titled sheet, calm axes, ticks, a legend below."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import Colormap, LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

from busbar.report.axes import Axis
from busbar.report.heat import MISSING, colour_stops
from busbar.report.style import GRID, INK

DASHES = ((0, (6, 4)), (0, (2, 3)), (0, (6, 3, 2, 3)), (0, (10, 4)))
"""As style.DASHES, for Matplotlib."""


def sheet(title: str, width: float, height: float) -> Figure:
    """An empty figure; size in inches."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(plain(title), color=INK, fontsize=12)
    return figure


def put_ticks(axes: Axes, which: str, axis: Axis) -> None:
    """Ticks and range of the `x` or `y` axis."""
    target = axes.xaxis if which == "x" else axes.yaxis
    target.set_major_locator(FixedLocator(list(axis.ticks)))
    target.set_major_formatter(FixedFormatter([plain(text) for text in axis.labels]))
    target.set_minor_locator(NullLocator())
    (axes.set_xlim if which == "x" else axes.set_ylim)(axis.low, axis.high)


def calm(axes: Axes) -> None:
    """A quiet grid, and no frame."""
    axes.grid(True, color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def put_legend(figure: Figure, axes: Axes) -> None:
    """Below the figure, so that it never covers data; for axes that have the same curves."""
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=min(3, len(labels)),
                  frameon=False, fontsize=9)  # fmt: skip


def put_legend_below(axes: Axes) -> None:
    """Below these axes, where others have other curves."""
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.17), ncols=2, frameon=False,
                fontsize=9)  # fmt: skip


def heat_colours() -> Colormap:
    """The colours of heat maps over heat.LOWEST to heat.HIGHEST; none for what is missing."""
    colours = LinearSegmentedColormap.from_list("shares", list(colour_stops()))
    return colours.with_extremes(bad=(1, 1, 1, 0))


def put_hatched_ground(axes: Axes, columns: int, lines: int) -> None:
    """Below a heat map, so that a missing cell shows it."""
    axes.add_patch(
        Rectangle((-0.5, -0.5), columns, lines, facecolor="white", edgecolor=MISSING,
                  hatch="//////", linewidth=0, zorder=0)
    )  # fmt: skip


def plain(text: str) -> str:
    """Text that Matplotlib must not read as mathematics."""
    return text.replace("$", r"\$")
