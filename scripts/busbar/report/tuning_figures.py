"""Plotly figures of a tuning: gain over the default by size, and every candidate's medians."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from pydantic import JsonValue

from busbar.report.axes import Axis, ratio_axis
from busbar.report.figures import (
    Figure,
    base_layout,
    log_axis,
    note_at_edge,
    size_log_axis,
    whiskers,
)
from busbar.report.legend import LegendEntry
from busbar.report.style import COLOURS, INK, MARKS, QUIET
from busbar.report.text import duration, many, number, size
from busbar.report.tuning_view import CandidateCurve, ChoiceRow, OpView, State, TuningView
from busbar.report.tuning_words import gain_words

REST = "#c3cad0"
"""Candidates that were best nowhere."""
DEFAULT_WIDTH = 3.4
SHOWN: dict[State, tuple[str, str]] = {
    "kept": ("kept", COLOURS[2]),
    "not proven": ("tried, the default stays", QUIET),
    "nothing faster": ("nothing faster was found", QUIET),
}
"""What gains are drawn of, as the legend calls it, and its colour."""
_HEIGHT = 330
_CAP = 1.3  # how far beyond its gain a whisker widens the axis
_BIG, _SMALL = 9, 5
_SLOWEST = 2.0
"""Candidates that are so many times slower than the default leave the picture: they would squash
what is near it."""


def tuning_figures(view: TuningView) -> dict[str, Figure]:
    """All of them, by the ids that the page gives them."""
    figures: dict[str, Figure] = {}
    for op in view.ops:
        if op.has_sizes:
            figures[f"{op.id}-gain"] = gain_figure(op)
        if op.has_times:
            figures[f"{op.id}-times"] = times_figure(op)
    return figures


def tuning_legends(view: TuningView) -> dict[str, list[LegendEntry]]:
    """Their legends, an entry for each trace."""
    legends: dict[str, list[LegendEntry]] = {}
    for op in view.ops:
        if op.has_sizes:
            legends[f"{op.id}-gain"] = _gain_legend(op)
        if op.has_times:
            legends[f"{op.id}-times"] = _times_legend(op)
    return legends


def gain_figure(op: OpView) -> Figure:
    """Gain over the default: filled where it is kept, hollow where the default stays."""
    traces = [_gains(state, rows) for state, rows in by_state(op)]
    sizes = [n for n in op.sizes if n]
    one: JsonValue = {
        "type": "scatter", "mode": "lines", "name": "the default",
        "x": [sizes[0] / 8, sizes[-1] * 8], "y": [1.0, 1.0],
        "line": {"color": INK, "width": 1.4}, "hoverinfo": "skip", "zorder": -1,
    }  # fmt: skip
    layout = base_layout(_HEIGHT)
    layout["xaxis"] = size_log_axis(sizes)
    layout["yaxis"] = log_axis("Gain over the default (times as fast)", gain_axis(op))
    return {"data": [*traces, one], "layout": layout}


def by_state(op: OpView) -> list[tuple[State, list[ChoiceRow]]]:
    """The rows that can be drawn, by what became of them."""
    return [
        (state, rows)
        for state in SHOWN
        if (rows := [row for row in op.rows if row.state == state and row.choice.size_bytes])
    ]


def gain_axis(op: OpView) -> Axis:
    """All gains and 1, and intervals as far as they are not wild."""
    shown = []
    for _, rows in by_state(op):
        for row in rows:
            gain = row.choice.gain
            low, high = row.choice.gain_interval or (gain, gain)
            shown += [gain, max(low, gain / _CAP), min(high, gain * _CAP)]
    return ratio_axis(shown)


def _gains(state: State, rows: Sequence[ChoiceRow]) -> JsonValue:
    name, colour = SHOWN[state]
    gains = [row.choice.gain for row in rows]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": [row.choice.size_bytes for row in rows],
        "y": [*gains],
        "error_y": whiskers(gains, [row.choice.gain_interval for row in rows], colour),
        "marker": {
            "color": colour if state == "kept" else "#ffffff",
            "size": _BIG,
            "symbol": "diamond" if state == "nothing faster" else "circle",
            "line": {"color": colour, "width": 2},
        },
        "hoverinfo": "text",
        "hovertext": [_gain_hover(row) for row in rows],
    }


def _gain_hover(row: ChoiceRow) -> str:
    choice = row.choice
    lines = [
        f"<b>{escape(choice.op)} · {size(choice.size_bytes)}</b>",
        escape(row.name) or "nothing was tried",
        f"gain {gain_words(row.gain, choice.gain_interval)}",
        f"default {duration(choice.default_us)}, tried {duration(choice.tuned_us)}",
    ]
    return "<br>".join(lines if row.name else lines[:2])


def times_figure(op: OpView) -> Figure:
    """Medians by size over the default's, as what is drawn in microseconds lies on one diagonal.

    The default is bold, what was best somewhere coloured, the rest grey.
    """
    named, rest = split_curves(op)
    axis, above = times_axis(op)
    layout = base_layout(_HEIGHT)
    layout["xaxis"] = size_log_axis(op.sizes)
    layout["yaxis"] = log_axis("Time over the default's, in the search", axis)
    if above:
        layout["annotations"] = [note_at_edge(escape(above), 0.02)]
    traces = [_curve(op, curve) for curve in named]
    return {"data": [*traces, *([_rest(op, rest)] if rest else [])], "layout": layout}


def relative(op: OpView, curve: CandidateCurve) -> dict[int, float]:
    """A candidate's median over the default's, by size."""
    default = op.default_us
    return {n: us / default[n] for n, us in curve.times_us.items() if n and default.get(n)}


def times_axis(op: OpView) -> tuple[Axis, str]:
    """The axis of these, and what is said of those above it; empty where it shows all."""
    every = [(at, n, c.name) for c in op.curves for n, at in relative(op, c).items()]
    ratio, n, name = max(every)
    axis = ratio_axis([min(at, _SLOWEST) for at, _, _ in every])
    if ratio <= _SLOWEST:
        return axis, ""
    return axis, f"▲ up to {number(ratio, 3)} at {size(n)}: {name}"


def split_curves(op: OpView) -> tuple[list[CandidateCurve], list[CandidateCurve]]:
    """Those that the legend names, and the many."""
    named = [c for c in op.curves if c.style is not None or not c.candidate.values]
    return named, [c for c in op.curves if c not in named]


def _curve(op: OpView, curve: CandidateCurve) -> JsonValue:
    is_default = curve.style is None
    colour = INK if curve.style is None else curve.style.colour
    mark = MARKS[0] if curve.style is None else curve.style.mark
    shown = relative(op, curve)
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": escape(curve.name),
        "x": [*shown],
        "y": [*shown.values()],
        "line": {"color": colour, "width": DEFAULT_WIDTH if is_default else 1.8},
        "marker": {
            "color": colour,
            "symbol": mark.plotly,
            "size": [_BIG if n in curve.chosen_at else _SMALL for n in shown],
        },
        "hoverinfo": "text",
        "hovertext": [_time_hover(curve, n) for n in shown],
        "zorder": 1 if is_default else 2,
    }


def _rest(op: OpView, curves: Sequence[CandidateCurve]) -> JsonValue:
    """All in one trace, so that the legend hides them together; holes part them."""
    x: list[JsonValue] = []
    y: list[JsonValue] = []
    said: list[JsonValue] = []
    for curve in curves:
        shown = relative(op, curve)
        x += [*shown, None]
        y += [*shown.values(), None]
        said += [*(_time_hover(curve, n) for n in shown), ""]
    return {
        "type": "scatter", "mode": "lines+markers", "name": "others", "x": x, "y": y,
        "line": {"color": REST, "width": 1}, "marker": {"color": REST, "size": 4},
        "hoverinfo": "text", "hovertext": said, "zorder": 0,
    }  # fmt: skip


def _time_hover(curve: CandidateCurve, size_bytes: int) -> str:
    best = "<br>best in the search" if size_bytes in curve.chosen_at else ""
    time = duration(curve.times_us[size_bytes])
    return f"<b>{escape(curve.name)} · {size(size_bytes)}</b><br>{time}{best}"


def _gain_legend(op: OpView) -> list[LegendEntry]:
    found = []
    for state, _ in by_state(op):
        name, colour = SHOWN[state]
        mark = MARKS[2] if state == "nothing faster" else MARKS[0]
        found.append(LegendEntry(name, colour, "", mark.path, 0.0, hollow=state != "kept"))
    return [*found, LegendEntry("the default", INK, "", "", 1.4)]


def _times_legend(op: OpView) -> list[LegendEntry]:
    named, rest = split_curves(op)
    found = [
        LegendEntry(c.name, INK, "", MARKS[0].path, DEFAULT_WIDTH)
        if c.style is None
        else LegendEntry(c.name, c.style.colour, "", c.style.mark.path)
        for c in named
    ]
    more = [LegendEntry(many(len(rest), "other"), REST, "", "", 1.4)] if rest else []
    return found + more
