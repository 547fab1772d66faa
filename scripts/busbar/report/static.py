"""The page's figures as PNG and SVG, for documents: drawn from the same panels by Matplotlib."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

from busbar.errors import UsageError
from busbar.report.axes import Axis, size_axis
from busbar.report.headline import banners
from busbar.report.panels import BoundAt, Curve, Panel, panels
from busbar.report.ranges import bandwidth_top, edge_note, leaves_picture, time_range
from busbar.report.rows import Judged, Row
from busbar.report.style import BOUND, GRID, INK, QUIET

_DASHES = ((0, (6, 4)), (0, (2, 3)), (0, (6, 3, 2, 3)), (0, (10, 4)))
_SUFFIXES = (".png", ".svg")
_DPI = 150


def draw(judged: Sequence[Judged], folder: Path) -> list[Path]:
    """Draw every panel that has figures; returns the files. Raises UsageError."""
    mark = ", ".join(banner.word for banner in banners(judged))
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for panel in panels([row for one in judged for row in one.rows]):
            if panel.measured:
                figure = panel_figure(panel, mark)
                for suffix in _SUFFIXES:
                    path = folder / f"{panel.id}{suffix}"
                    figure.savefig(path, dpi=_DPI)
                    written.append(path)
    except OSError as error:
        raise UsageError(f"figures cannot be written to {folder}: {error.strerror}.") from None
    return written


def panel_figure(panel: Panel, mark: str = "") -> Figure:
    """Bus bandwidth and time side by side; `mark` says what kind of figures these are."""
    if not panel.has_sizes:
        return _sizeless(panel, mark)
    figure = _figure(panel, 10, 4.2, mark)
    bandwidth, time = figure.subplots(1, 2)
    _curves(bandwidth, panel, lambda row, us: row.busbw_at(us), lambda at: at.busbw_gbs)
    _curves(time, panel, lambda _, us: us, lambda at: at.time_us)
    sizes = size_axis(row.key.size_bytes for row in panel.rows)
    for axes, title in ((bandwidth, "Bus bandwidth (GB/s)"), (time, "Time of one execution")):
        axes.set_xscale("log")
        _ticks(axes, "x", sizes)
        axes.set_xlabel("Size (bytes; K, M, G = powers of 1024)", color=QUIET)
        axes.set_ylabel(title, color=QUIET)
    bandwidth.set_ylim(0, bandwidth_top(panel) or 1)
    above = leaves_picture(panel)
    if above is not None:
        bandwidth.text(0.02, 0.98, edge_note(above), transform=bandwidth.transAxes,
                       va="top", fontsize=8, color=QUIET)  # fmt: skip
    time.set_yscale("log")
    _ticks(time, "y", time_range(panel))
    _legend(figure, bandwidth)
    return figure


def _sizeless(panel: Panel, mark: str) -> Figure:
    figure = _figure(panel, 10, 1.6 + 0.35 * len(panel.curves), mark)
    axes = figure.subplots()
    for place, curve in enumerate(panel.curves):
        row = curve.rows[0]
        if row.median_us:
            low, high = row.ci95_us or (row.median_us, row.median_us)
            axes.plot([low, high], [place, place], color=curve.style.colour)
            axes.plot(row.median_us, place, curve.style.mark.matplotlib, color=curve.style.colour)
    axes.set_xscale("log")
    _ticks(axes, "x", time_range(panel))
    axes.set_yticks(range(len(panel.curves)), [_plain(curve.name) for curve in panel.curves])
    axes.set_ylim(len(panel.curves) - 0.5, -0.5)
    axes.set_xlabel("Time of one execution", color=QUIET)
    _calm(axes)
    return figure


def _figure(panel: Panel, width: float, height: float, mark: str) -> Figure:
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    setting = f"{mark} · {panel.setting}" if mark else panel.setting
    figure.suptitle(_plain(f"{panel.op}   ({setting})"), color=INK, fontsize=12)
    return figure


def _curves(
    axes: Axes,
    panel: Panel,
    value: Callable[[Row, float], float | None],
    bound_value: Callable[[BoundAt], float | None],
) -> None:
    for curve in panel.curves:
        _curve(axes, curve, value)
    for index, bound in enumerate(panel.bounds):
        points = [(at.size_bytes, y) for at in bound.points if (y := bound_value(at))]
        axes.plot(
            [x for x, _ in points],
            [y for _, y in points],
            color=BOUND,
            linewidth=1.4,
            linestyle=_DASHES[index % len(_DASHES)],
            label=_plain(bound.name),
        )
    _calm(axes)


def _curve(axes: Axes, curve: Curve, value: Callable[[Row, float], float | None]) -> None:
    colour = curve.style.colour
    # NaN breaks the line, so that a size without a figure shows as a hole.
    middle = [_or_nan(value(row, row.median_us or 0.0)) for row in curve.rows]
    sizes = [row.key.size_bytes for row in curve.rows]
    axes.plot(
        sizes, middle, marker=curve.style.mark.matplotlib, markersize=5, linewidth=1.5,
        color=colour, label=_plain(curve.name),
    )  # fmt: skip
    for row in curve.rows:
        ends = [end for us in row.ci95_us or () if (end := value(row, us))]
        if len(ends) == 2:
            axes.plot([row.key.size_bytes] * 2, ends, color=colour, alpha=0.6, marker="_",
                      markersize=6, linewidth=1.2)  # fmt: skip


def _or_nan(value: float | None) -> float:
    return value or float("nan")


def _ticks(axes: Axes, which: str, axis: Axis) -> None:
    target = axes.xaxis if which == "x" else axes.yaxis
    target.set_major_locator(FixedLocator(list(axis.ticks)))
    target.set_major_formatter(FixedFormatter([_plain(text) for text in axis.labels]))
    target.set_minor_locator(NullLocator())
    (axes.set_xlim if which == "x" else axes.set_ylim)(axis.low, axis.high)


def _calm(axes: Axes) -> None:
    axes.grid(True, color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def _legend(figure: Figure, axes: Axes) -> None:
    """Below both halves, so that it never covers data."""
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=min(3, len(labels)),
                  frameon=False, fontsize=9)  # fmt: skip


def _plain(text: str) -> str:
    """Text that Matplotlib must not read as mathematics."""
    return text.replace("$", r"\$")
