"""Ticks: sizes at powers of two (1K, 64K, 1M), times at powers of ten with their unit, ratios."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from busbar.report.text import size

_MOST_TICKS = 8
_SIZE_STEPS = (1, 2, 3, 4, 5, 10, 20)  # 5 and 10 land on 1K, 32K, 1M


@dataclass(frozen=True)
class Axis:
    """Where ticks are, what they say, and the range shown; all in the data's own unit."""

    ticks: tuple[float, ...]
    labels: tuple[str, ...]
    low: float
    high: float

    @property
    def log_range(self) -> list[float]:
        """The range as Plotly wants it on a logarithmic axis."""
        return [math.log10(self.low), math.log10(self.high)]


def size_axis(sizes: Iterable[int]) -> Axis:
    """Logarithmic axis for sizes above 0; there must be one."""
    ordered = sorted({s for s in sizes if s > 0})
    low, high = ordered[0], ordered[-1]
    ticks: Sequence[float] = _powers_of_two(low, high) or ordered[:_MOST_TICKS]
    # A margin of 4 % of the decades, and room around a single size.
    margin = max((high / low) ** 0.04, 1.3)
    return Axis(tuple(ticks), tuple(map(size, ticks)), low / margin, high * margin)


def _powers_of_two(low: int, high: int) -> list[float]:
    first, last = math.ceil(math.log2(low)), math.floor(math.log2(high))
    for step in _SIZE_STEPS:
        exponents = [e for e in range(first, last + 1) if e % step == 0]
        if len(exponents) <= _MOST_TICKS:
            return [2.0**e for e in exponents]
    return [2.0**first, 2.0**last]


_MOST_HOSTS = 16  # numbers of hosts that an axis has room for


def hosts_axis(places: Iterable[int]) -> tuple[Axis, bool]:
    """Axis for numbers of hosts, of which there must be one, and whether it is logarithmic.

    It is where that sets neighbours further apart. Every number has a tick, as far as there is
    room for them; the largest always.
    """
    ordered = sorted(set(places))
    if len(ordered) == 1:
        only = ordered[0]
        return Axis((only,), (str(only),), only - 0.25, only + 0.25), False
    log = _least_gap([math.log(n) for n in ordered]) > _least_gap(ordered)
    step = -(-len(ordered) // _MOST_HOSTS)
    shown = ordered[::-1][::step][::-1]
    if log:
        margin = max((ordered[-1] / ordered[0]) ** 0.06, 1.06)
        low, high = ordered[0] / margin, ordered[-1] * margin
    else:
        room = max(0.25, 0.06 * (ordered[-1] - ordered[0]))
        low, high = ordered[0] - room, ordered[-1] + room
    return Axis(tuple(shown), tuple(map(str, shown)), low, high), log


def _least_gap(ordered: Sequence[float]) -> float:
    """The least distance of neighbours, over the distance from first to last."""
    return min(b - a for a, b in pairwise(ordered)) / (ordered[-1] - ordered[0])


def time_axis(times_us: Iterable[float]) -> Axis:
    """Logarithmic axis for times above 0; there must be one."""
    ordered = sorted(t for t in times_us if t > 0)
    margin = max((ordered[-1] / ordered[0]) ** 0.06, 1.15)
    low, high = ordered[0] / margin, ordered[-1] * margin
    decades = math.log10(high / low)
    steps = (1,) if decades >= 3 else (1, 3) if decades >= 1.6 else (1, 2, 5)
    ticks = [
        factor * 10.0**exponent
        for exponent in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        for factor in steps
        if low <= factor * 10.0**exponent <= high
    ]
    if len(ticks) < 2:
        ticks = [low + (high - low) * share for share in (0.1, 0.5, 0.9)]
        ticks = [float(f"{tick:.3g}") for tick in ticks]
    return Axis(tuple(ticks), tuple(_tick_label(tick) for tick in ticks), low, high)


def _tick_label(time_us: float) -> str:
    for factor, unit in ((1e6, "s"), (1e3, "ms")):
        if time_us >= factor:
            return f"{time_us / factor:.6g} {unit}"
    return f"{time_us:.6g} µs"


_RATIO_STEPS = (0.01, 0.02, 0.05, 0.1, 0.2)


def ratio_axis(ratios: Iterable[float]) -> Axis:
    """Logarithmic axis for ratios above 0, so that twice and half are alike; 1 is always on it."""
    every = [1.0, *(r for r in ratios if r > 0)]
    margin = max((max(every) / min(every)) ** 0.08, 1.03)
    low, high = min(every) / margin, max(every) * margin
    ticks = _multiples(low, high) if high < 2.2 * low else _round_numbers(low, high)
    return Axis(tuple(ticks), tuple(f"{tick:g}" for tick in ticks), low, high)


def _multiples(low: float, high: float) -> list[float]:
    """Even steps, for an axis so short that they look even."""
    for step in _RATIO_STEPS:
        first, last = math.ceil(low / step), math.floor(high / step)
        if last - first < _MOST_TICKS:
            return [round(n * step, 2) for n in range(first, last + 1)]
    return []


def _round_numbers(low: float, high: float) -> list[float]:
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for factors in ((1, 1.5, 2, 3, 4, 6, 8), (1, 2, 5), (1,)):
        every = [factor * 10.0**decade for decade in decades for factor in factors]
        ticks = [tick for tick in every if low <= tick <= high]
        if len(ticks) <= _MOST_TICKS:
            break
    return ticks
