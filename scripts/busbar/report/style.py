"""Colours and marks, shared by the page and the static figures.

Colours: Okabe and Ito's, which colour-blind readers tell apart; their yellow is left out because
it cannot be read on white.
"""

from __future__ import annotations

from dataclasses import dataclass

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#4D4D4D")
INK = "#1f2933"
QUIET = "#5b6770"
GRID = "#e6e9ec"
BOUND = "#333333"
MARK = "#7a5200"
"""Of the words that mark figures of no real hardware."""
SPOILED = "#D55E00"
BEST = "#D6DCE1"  # a broad line below the curve of whatever was best


@dataclass(frozen=True)
class Mark:
    """A marker by its names in the two plotting libraries, and as a path in a 12 by 12 box."""

    plotly: str
    matplotlib: str
    path: str


MARKS = (
    Mark("circle", "o", "M6 2a4 4 0 1 0 .01 0z"),
    Mark("square", "s", "M2.5 2.5h7v7h-7z"),
    Mark("diamond", "D", "M6 1l5 5-5 5-5-5z"),
    Mark("triangle-up", "^", "M6 1.5l5 8.5H1z"),
    Mark("cross", "P", "M4.5 1h3v3.5H11v3H7.5V11h-3V7.5H1v-3h3.5z"),
    Mark("triangle-down", "v", "M1 2h10L6 10.5z"),
)

DASHES = ("dash", "dot", "dashdot", "longdash")
"""Lines of bounds, in Plotly's names; never solid, which is for what was measured."""


@dataclass(frozen=True)
class Style:
    """How a curve looks everywhere."""

    colour: str
    mark: Mark


def style(index: int, record: int = 0) -> Style:
    """The style of curve number `index`; marks tell records, and curves of one colour, apart."""
    lap = index // len(COLOURS)
    return Style(COLOURS[index % len(COLOURS)], MARKS[(record + lap) % len(MARKS)])


# Viridis from light to dark without its palest third, which cannot be read on white.
_RAMP = ((94, 201, 98), (31, 158, 137), (42, 120, 142), (65, 68, 135), (68, 1, 84))


def ramp(index: int, count: int) -> Style:
    """The style of number `index` of `count` things that have an order, the last the darkest."""
    at = (index / (count - 1) if count > 1 else 1.0) * (len(_RAMP) - 1)
    low = min(int(at), len(_RAMP) - 2)
    mixed = (
        round(a + (b - a) * (at - low)) for a, b in zip(_RAMP[low], _RAMP[low + 1], strict=True)
    )
    return Style("#" + "".join(f"{part:02x}" for part in mixed), MARKS[index % len(MARKS)])
