"""Numbers as other tools print them. Whatever is no plain finite number is refused."""

from __future__ import annotations

import math
import re

from busbar.importers.printout import Figure

_DECIMAL = re.compile(r"(\d{1,20})(?:\.(\d{0,20}))?(?:[eE]([+-]?\d{1,3}))?", re.ASCII)
_WHOLE = re.compile(r"\d{1,18}", re.ASCII)


def whole(text: str) -> int | None:
    """A number without sign of up to 18 digits; None for anything else."""
    return int(text) if _WHOLE.fullmatch(text) else None


def figure(text: str) -> Figure | None:
    """A number that is not negative, with the rounding of its last digit; None for others."""
    match = _DECIMAL.fullmatch(text)
    if match is None or not math.isfinite(float(text)):
        return None
    digits, exponent = len(match[2] or ""), int(match[3] or 0)
    return Figure(float(text), 0.5 * 10.0 ** (exponent - digits))


def scaled(number: Figure, factor: float) -> Figure:
    """The same in another unit."""
    return Figure(number.value * factor, number.half_unit * factor)
