"""What reduction in the network gained, as static figures: as the page draws it."""

from __future__ import annotations

from collections.abc import Iterator

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from busbar.report.axes import hosts_axis, size_axis
from busbar.report.canvas import DASHES, calm, plain, put_legend_below, put_ticks, sheet
from busbar.report.gain_figures import above_top, chart_places, gain_axis, wire_top, with_holes
from busbar.report.gains import GainChart, GainCurve, GroupGains, Study
from busbar.report.style import BEST, BOUND, QUIET
from busbar.report.text import size
from busbar.report.wire_shares import WireChart


def study_sheets(
    study: Study, mark: str = "", *, gains: bool = True
) -> Iterator[tuple[str, Figure]]:
    """One figure for each group, one over hosts, each with the name of its file.

    Without `gains`, which a study of scaling has then, only bytes.
    """
    for group in study.groups:
        if group.gain is not None and (gains or group.wire is not None):
            yield group.id, _group_sheet(study, group, mark, gains=gains)
    if gains and study.over_hosts is not None:
        figure = _sheet(study, f"at {size(study.over_hosts_size)}", 6.5, mark)
        axes = figure.subplots()
        draw_gains(axes, study.over_hosts)
        put_legend_below(axes)
        yield f"{study.id}-hosts", figure


def _group_sheet(study: Study, group: GroupGains, mark: str, *, gains: bool) -> Figure:
    gain = group.gain if gains else None
    told = "gain" if gain else "bytes on the wire"
    figure = _sheet(study, group.label, 10 if gain and group.wire else 6.5, mark, told)
    halves = list(figure.subplots(1, 2 if gain and group.wire else 1, squeeze=False)[0])
    if gain is not None:
        draw_gains(halves[0], gain)
    if group.wire is not None:
        _bytes(halves[-1], group.wire)
    for half in halves:
        put_legend_below(half)
    return figure


def _sheet(study: Study, what: str, width: float, mark: str, told: str = "gain") -> Figure:
    setting = " · ".join(part for part in (mark, study.setting, what) if part)
    return sheet(f"{study.op}, {told} of {study.variant}\n({setting})", width, 4.8)


def draw_gains(axes: Axes, chart: GainChart) -> None:
    """Gain over size, or over hosts, as `gain_figures` draws it."""
    places = chart_places(chart)
    for curve in chart.curves:
        _gain_curve(axes, curve, places)
    for index, line in enumerate(chart.most):
        axes.plot([at for at, _ in line], [ratio for _, ratio in line], color=BOUND,
                  linewidth=1.4, linestyle=DASHES[0],
                  label="_same" if index else plain(chart.most_name))  # fmt: skip
    axes.axhline(1.0, color=QUIET, linewidth=1.0, label="as fast as the baseline")
    axes.set_yscale("log")
    put_ticks(axes, "y", gain_axis(chart))
    axes.set_ylabel("Gain (times as fast)", color=QUIET)
    if chart.over == "size":
        _over_sizes(axes, places)
    else:
        over_hosts(axes, places)
    calm(axes)


def _gain_curve(axes: Axes, curve: GainCurve, places: list[int]) -> None:
    ratios = [p.gain.ratio if p else float("nan") for p in with_holes(curve, places)]
    if curve.kind == "best":
        axes.plot(places, ratios, color=BEST, linewidth=7, label=plain(curve.name))
        return
    colour = curve.style.colour
    axes.plot(places, ratios, marker=curve.style.mark.matplotlib, markersize=5, linewidth=1.5,
              color=colour, label=plain(curve.name))  # fmt: skip
    for point in curve.points:
        if point.gain.ci95 is not None:
            axes.plot([point.at] * 2, list(point.gain.ci95), color=colour, alpha=0.6, marker="_",
                      markersize=6, linewidth=1.2)  # fmt: skip


def _bytes(axes: Axes, chart: WireChart) -> None:
    for curve in chart.curves:
        axes.plot(
            [row.key.size_bytes for row, _ in curve.points],
            [share for _, share in curve.points],
            marker=curve.style.mark.matplotlib, markersize=5, linewidth=1.5,
            color=curve.style.colour, label=plain(curve.name),
        )  # fmt: skip
    for index, hypothesis in enumerate(chart.hypotheses):
        axes.axhline(hypothesis.points[-1][1], color=BOUND, linewidth=1.2,
                     linestyle=DASHES[index % len(DASHES)],
                     label=plain(hypothesis.name))  # fmt: skip
    axes.set_ylim(0, wire_top(chart))
    axes.text(0.02, 0.98, above_top(chart), transform=axes.transAxes, va="top", fontsize=8,
              color=QUIET)  # fmt: skip
    axes.set_ylabel("Bytes of the busiest host ÷ size", color=QUIET)
    _over_sizes(axes, [row.key.size_bytes for curve in chart.curves for row, _ in curve.points])
    calm(axes)


def over_hosts(axes: Axes, places: list[int]) -> None:
    """The axis of numbers of hosts."""
    axis, log = hosts_axis(places)
    if log:
        axes.set_xscale("log")
    put_ticks(axes, "x", axis)
    axes.set_xlabel("Hosts", color=QUIET)


def _over_sizes(axes: Axes, sizes: list[int]) -> None:
    axes.set_xscale("log")
    put_ticks(axes, "x", size_axis(sizes))
    axes.set_xlabel("Size (bytes; K, M, G = powers of 1024)", color=QUIET)
