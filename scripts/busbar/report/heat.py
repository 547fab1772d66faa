"""What heat maps of shares of something share: colours, and the ground that missing cells show."""

from __future__ import annotations

from pydantic import JsonValue

# Dark brown to near white, then blue: lightness alone tells slow from healthy, and the few ways of
# seeing colours that differ agree on orange and blue.
SCALE = ((0.0, "#2b0f00"), (0.5, "#a63c00"), (0.8, "#f0a03c"), (0.95, "#fbe6c8"), (1.0, "#e4eff7"))
ABOVE = "#5aa9d6"
LOWEST, HIGHEST = 0.0, 105.0
"""Percent that the colours span."""
MISSING = "#c3c9ce"
"""The hatching where there is no figure."""
COLOUR_TICKS = (0, 25, 50, 75, 95, 100)
_HATCH = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' width='600' height='600'%3E"
    "%3Cdefs%3E%3Cpattern id='h' width='7' height='7' patternUnits='userSpaceOnUse' "
    "patternTransform='rotate(45)'%3E%3Crect width='7' height='7' fill='white'/%3E"
    "%3Crect width='1.6' height='7' fill='%23c3c9ce'/%3E%3C/pattern%3E%3C/defs%3E"
    "%3Crect width='600' height='600' fill='url(%23h)'/%3E%3C/svg%3E"
)


def colour_stops() -> tuple[tuple[float, str], ...]:
    """The colours over LOWEST to HIGHEST, as shares of that span."""
    top = 100 / HIGHEST
    return (*((share * top, colour) for share, colour in SCALE), (1.0, ABOVE))


def ground() -> JsonValue:
    """An image below the whole plot, for `layout.images`."""
    return {
        "source": _HATCH, "xref": "paper", "yref": "paper", "x": 0, "y": 1, "sizex": 1, "sizey": 1,
        "sizing": "fill", "layer": "below",
    }  # fmt: skip
