"""The page's figures as PNG and SVG, for documents: drawn from the same panels by Matplotlib."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from busbar.errors import UsageError
from busbar.report.axes import size_axis
from busbar.report.canvas import DASHES, calm, plain, put_legend, put_ticks, sheet
from busbar.report.gains import studies
from busbar.report.headline import banners, mark
from busbar.report.pair_view import curve_rows, pair_views
from busbar.report.panels import BoundAt, Curve, CurveNames, Panel, panels
from busbar.report.ranges import bandwidth_top, edge_note, leaves_picture, time_range
from busbar.report.rows import Judged, Row
from busbar.report.scaling import scalings
from busbar.report.static_gains import study_sheets
from busbar.report.static_pairs import pair_sheets
from busbar.report.static_scaling import scaling_sheets
from busbar.report.style import BOUND, QUIET

_SUFFIXES = (".png", ".svg")
_DPI = 150


def draw(judged: Sequence[Judged], folder: Path) -> list[Path]:
    """Draw every panel that has figures, and every gain; returns the files. Raises UsageError."""
    return save(_figures(judged), folder)


def save(figures: Iterable[tuple[str, Figure]], folder: Path) -> list[Path]:
    """Write figures by the names of their files; returns the files. Raises UsageError."""
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, figure in figures:
            for suffix in _SUFFIXES:
                path = folder / f"{name}{suffix}"
                figure.savefig(path, dpi=_DPI)
                written.append(path)
    except OSError as error:
        raise UsageError(f"figures cannot be written to {folder}: {error.strerror}.") from None
    return written


def _figures(judged: Sequence[Judged]) -> Iterator[tuple[str, Figure]]:
    """Each with the name of its file."""
    said = mark(banners(judged))
    rows = [row for one in judged for row in one.rows]
    for panel in panels(curve_rows(judged)):
        if panel.measured:
            yield panel.id, panel_figure(panel, said)
    names = CurveNames(rows)
    studied = studies(judged, names)
    scaled = scalings(judged, names, studied)
    for scaling in scaled:
        yield from scaling_sheets(scaling, said)
    in_scaling = {study for one in scaled for study in one.studies}
    for study in studied:
        yield from study_sheets(study, said, gains=study.id not in in_scaling)
    yield from pair_sheets(pair_views(judged), said)


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
        put_ticks(axes, "x", sizes)
        axes.set_xlabel("Size (bytes; K, M, G = powers of 1024)", color=QUIET)
        axes.set_ylabel(title, color=QUIET)
    bandwidth.set_ylim(0, bandwidth_top(panel) or 1)
    above = leaves_picture(panel)
    if above is not None:
        bandwidth.text(0.02, 0.98, edge_note(above), transform=bandwidth.transAxes,
                       va="top", fontsize=8, color=QUIET)  # fmt: skip
    time.set_yscale("log")
    put_ticks(time, "y", time_range(panel))
    put_legend(figure, bandwidth)
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
    put_ticks(axes, "x", time_range(panel))
    axes.set_yticks(range(len(panel.curves)), [plain(curve.name) for curve in panel.curves])
    axes.set_ylim(len(panel.curves) - 0.5, -0.5)
    axes.set_xlabel("Time of one execution", color=QUIET)
    calm(axes)
    return figure


def _figure(panel: Panel, width: float, height: float, mark: str) -> Figure:
    setting = f"{mark} · {panel.setting}" if mark else panel.setting
    return sheet(f"{panel.op}   ({setting})", width, height)


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
            linestyle=DASHES[index % len(DASHES)],
            label=plain(bound.name),
        )
    calm(axes)


def _curve(axes: Axes, curve: Curve, value: Callable[[Row, float], float | None]) -> None:
    colour = curve.style.colour
    # NaN breaks the line, so that a size without a figure shows as a hole.
    middle = [_or_nan(value(row, row.median_us or 0.0)) for row in curve.rows]
    sizes = [row.key.size_bytes for row in curve.rows]
    axes.plot(
        sizes, middle, marker=curve.style.mark.matplotlib, markersize=5, linewidth=1.5,
        color=colour, label=plain(curve.name),
    )  # fmt: skip
    for row in curve.rows:
        ends = [end for us in row.ci95_us or () if (end := value(row, us))]
        if len(ends) == 2:
            axes.plot([row.key.size_bytes] * 2, ends, color=colour, alpha=0.6, marker="_",
                      markersize=6, linewidth=1.2)  # fmt: skip


def _or_nan(value: float | None) -> float:
    return value or float("nan")
