"""Legends: one entry for each trace of a figure, in the order of the traces."""

from __future__ import annotations

from dataclasses import dataclass

from busbar.report.gains import GainChart, Study
from busbar.report.panels import Panel
from busbar.report.scaling import Scaling
from busbar.report.scaling_curves import hosts_bounds, size_curves
from busbar.report.style import BEST, BOUND, QUIET
from busbar.report.text import size
from busbar.report.wire_shares import WireChart

_SVG_DASHES = ("6 4", "2 3", "6 3 2 3", "10 4")  # as style.DASHES, for SVG


@dataclass(frozen=True)
class LegendEntry:
    """A sample of the line, and what it stands for."""

    name: str
    colour: str
    dash: str
    mark: str
    """Path of the marker in a 12 by 12 box; empty for a line without."""
    width: float = 1.8
    hollow: bool = False
    """The marker's outline only."""


def legend(panel: Panel) -> list[LegendEntry]:
    """Curves first, then bounds."""
    curves = [LegendEntry(c.name, c.style.colour, "", c.style.mark.path) for c in panel.curves]
    bounds = [
        LegendEntry(bound.name, BOUND, _SVG_DASHES[i % len(_SVG_DASHES)], "")
        for i, bound in enumerate(panel.bounds)
    ]
    return curves + bounds


def study_legends(study: Study) -> dict[str, list[LegendEntry]]:
    """The legends of a study's figures, by the ids the page gives them."""
    legends = {}
    for group in study.groups:
        if group.gain is not None:
            legends[f"{group.id}-gain"] = _of_gains(group.gain)
        if group.wire is not None:
            legends[f"{group.id}-bytes"] = _of_bytes(group.wire)
    if study.over_hosts is not None:
        legends[f"{study.id}-hosts"] = _of_gains(study.over_hosts)
    return legends


def scaling_legends(scaling: Scaling) -> dict[str, list[LegendEntry]]:
    """The legends of a study of scaling; a heat map has its colours beside it."""
    legends = {f"{scaling.id}-bandwidth": _of_bandwidth(scaling)}
    for variant in scaling.variants:
        legends[f"{variant.id}-hosts"] = [
            LegendEntry(size(one.size_bytes), one.style.colour, "", one.style.mark.path)
            for one in size_curves(scaling, variant)
        ]
        legends[f"{variant.id}-map"] = []
    for family in scaling.families:
        legends[f"{family.id}-hosts"] = _of_gains(family.over_hosts)
        legends[f"{family.id}-size"] = _of_gains(family.over_size)
    return legends


def _of_bandwidth(scaling: Scaling) -> list[LegendEntry]:
    variants = [
        LegendEntry(one.name, one.style.colour, "", one.style.mark.path) for one in scaling.variants
    ]
    bounds = [
        LegendEntry(bound.name, BOUND, _SVG_DASHES[i % len(_SVG_DASHES)], "")
        for i, bound in enumerate(hosts_bounds(scaling))
    ]
    return variants + bounds


def _of_gains(chart: GainChart) -> list[LegendEntry]:
    curves = [
        LegendEntry(c.name, BEST, "", "", 9.0)
        if c.kind == "best"
        else LegendEntry(c.name, c.style.colour, "", c.style.mark.path)
        for c in chart.curves
    ]
    most = [LegendEntry(chart.most_name, BOUND, _SVG_DASHES[0], "")] if chart.most else []
    return [*curves, *most, LegendEntry("as fast as the baseline", QUIET, "", "", 1.0)]


def _of_bytes(chart: WireChart) -> list[LegendEntry]:
    curves = [LegendEntry(c.name, c.style.colour, "", c.style.mark.path) for c in chart.curves]
    lines = [
        LegendEntry(h.name, BOUND, _SVG_DASHES[i % len(_SVG_DASHES)], "")
        for i, h in enumerate(chart.hypotheses)
    ]
    return curves + lines
