"""A tuning's figures as PNG and SVG, for documents: as its page draws them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from busbar.report.axes import size_axis
from busbar.report.canvas import calm, plain, put_legend_below, put_ticks, sheet
from busbar.report.headline import mark
from busbar.report.static import save
from busbar.report.style import INK, MARKS, QUIET
from busbar.report.text import many
from busbar.report.tuning_figures import (
    DEFAULT_WIDTH,
    REST,
    SHOWN,
    by_state,
    gain_axis,
    relative,
    split_curves,
    times_axis,
)
from busbar.report.tuning_view import CandidateCurve, OpView, TuningView


def draw_tuning(view: TuningView, folder: Path) -> list[Path]:
    """Draw both figures of every operation; returns the files. Raises UsageError."""
    return save(tuning_sheets(view), folder)


def tuning_sheets(view: TuningView) -> Iterator[tuple[str, Figure]]:
    """One figure for each operation with sizes, with the name of its file."""
    said = mark(view.banners)
    for op in view.ops:
        if op.has_sizes:
            setting = f"{said} · {view.title}" if said else view.title
            figure = sheet(f"{op.name}   ({setting})", 10, 4.8)
            halves = figure.subplots(1, 2 if op.has_times else 1, squeeze=False)[0]
            _gains(halves[0], op)
            if op.has_times:
                _times(halves[1], op)
            for axes in halves:
                _over_sizes(axes, op.sizes)
                put_legend_below(axes)
            yield op.id, figure


def _gains(axes: Axes, op: OpView) -> None:
    for state, rows in by_state(op):
        name, colour = SHOWN[state]
        axes.plot(
            [row.choice.size_bytes for row in rows],
            [row.choice.gain for row in rows],
            linestyle="none", marker="D" if state == "nothing faster" else "o", markersize=7,
            markerfacecolor=colour if state == "kept" else "white", markeredgecolor=colour,
            markeredgewidth=1.6, label=plain(name), zorder=3,
        )  # fmt: skip
        for row in rows:
            if row.choice.gain_interval is not None:
                axes.plot([row.choice.size_bytes] * 2, list(row.choice.gain_interval),
                          color=colour, alpha=0.6, marker="_", markersize=6, linewidth=1.2,
                          zorder=2)  # fmt: skip
    axes.axhline(1.0, color=INK, linewidth=1.2, label="the default")
    axes.set_yscale("log")
    put_ticks(axes, "y", gain_axis(op))
    axes.set_ylabel("Gain over the default (times as fast)", color=QUIET)
    calm(axes)


def _times(axes: Axes, op: OpView) -> None:
    named, rest = split_curves(op)
    for n, curve in enumerate(rest):
        label = many(len(rest), "other") if n == 0 else None
        axes.plot(*_points(op, curve), color=REST, linewidth=0.8, marker=".", markersize=3,
                  label=label, zorder=1)  # fmt: skip
    for curve in named:
        colour = INK if curve.style is None else curve.style.colour
        mark = MARKS[0] if curve.style is None else curve.style.mark
        axes.plot(*_points(op, curve), color=colour, marker=mark.matplotlib, markersize=4,
                  linewidth=DEFAULT_WIDTH if curve.style is None else 1.5, label=plain(curve.name),
                  zorder=2 if curve.style is None else 3)  # fmt: skip
    axes.set_yscale("log")
    axis, above = times_axis(op)
    put_ticks(axes, "y", axis)
    axes.text(0.02, 0.98, plain(above), transform=axes.transAxes, va="top", fontsize=8,
              color=QUIET)  # fmt: skip
    axes.set_ylabel("Time over the default's, in the search", color=QUIET)
    calm(axes)


def _points(op: OpView, curve: CandidateCurve) -> tuple[list[int], list[float]]:
    shown = relative(op, curve)
    return list(shown), list(shown.values())


def _over_sizes(axes: Axes, sizes: Sequence[int]) -> None:
    axes.set_xscale("log")
    put_ticks(axes, "x", size_axis(sizes))
    axes.set_xlabel("Size (bytes; K, M, G = powers of 1024)", color=QUIET)
