"""The legend of a panel: one entry for each trace, in the order of the traces."""

from __future__ import annotations

from dataclasses import dataclass

from busbar.report.panels import Panel
from busbar.report.style import BOUND

_SVG_DASHES = ("6 4", "2 3", "6 3 2 3", "10 4")  # as style.DASHES, for SVG


@dataclass(frozen=True)
class LegendEntry:
    """A sample of the line, and what it stands for."""

    name: str
    colour: str
    dash: str
    mark: str
    """Path of the marker in a 12 by 12 box; empty for a line without."""


def legend(panel: Panel) -> list[LegendEntry]:
    """Curves first, then bounds."""
    curves = [LegendEntry(c.name, c.style.colour, "", c.style.mark.path) for c in panel.curves]
    bounds = [
        LegendEntry(bound.name, BOUND, _SVG_DASHES[i % len(_SVG_DASHES)], "")
        for i, bound in enumerate(panel.bounds)
    ]
    return curves + bounds
