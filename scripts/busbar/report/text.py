"""How figures, sizes and keys are written in the report. A missing figure is a dash, never 0."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from busbar.datatypes import ELEMENT_BYTES
from busbar.record.key import PointKey
from busbar.units import format_size

DASH = "\N{EN DASH}"
TIMES = "\N{MULTIPLICATION SIGN}"


def number(value: float | None, digits: int = 4) -> str:
    """A figure with `digits` significant digits and no exponent: 8.123, 81.23, 81,234."""
    if value is None:
        return DASH
    if value == 0:
        return "0"
    if abs(value) < 1e-4:
        return "<0.0001" if value > 0 else ">-0.0001"
    whole = len(str(int(abs(value)))) if abs(value) >= 1 else 0
    if whole:
        return f"{value:,.{max(0, digits - whole)}f}"
    return f"{value:.{digits}g}"


def percent(value: float | None) -> str:
    """A share in percent with one decimal: 97.4 %."""
    if value is None:
        return DASH
    return f"{value:.1f} %" if value else "0 %"


def count(value: int | None) -> str:
    """A whole number with thousands apart."""
    return DASH if value is None else f"{value:,}"


def duration(time_us: float | None) -> str:
    """A time with the unit that suits it: 12.34 µs, 1.234 ms, 2.5 s."""
    if time_us is None:
        return DASH
    for factor, unit in ((1e6, "s"), (1e3, "ms")):
        if abs(time_us) >= factor:
            return f"{number(time_us / factor)} {unit}"
    return f"{number(time_us)} µs"


def interval(limits: tuple[float, float] | None) -> str:
    """A 95 % interval of times."""
    if limits is None:
        return DASH
    low, high = limits
    for factor, unit in ((1e6, "s"), (1e3, "ms"), (1.0, "µs")):
        if high >= factor or factor == 1.0:
            return f"{number(low / factor)} {DASH} {number(high / factor)} {unit}"
    return DASH


def gain(value: float | None, limits: tuple[float, float] | None = None) -> str:
    """How many times as fast, with its 95 % interval in brackets."""
    if value is None:
        return DASH
    within = f" ({_ratio(limits[0])}{DASH}{_ratio(limits[1])})" if limits else ""
    return f"{_ratio(value)}{TIMES}{within}"


def _ratio(value: float) -> str:
    return f"{value:.2f}" if value < 100 else number(value, 3)


def half_width_percent(limits: tuple[float, float] | None, median: float | None) -> float | None:
    """Half the interval over the median, in percent."""
    if limits is None or not median:
        return None
    return 50.0 * (limits[1] - limits[0]) / median


def size(size_bytes: float) -> str:
    """Bytes for people: exact where that is short (1M), else rounded (1.5M, 976.6K)."""
    exact = format_size(round(size_bytes))
    if size_bytes == round(size_bytes) and len(exact) <= 5:
        return exact
    for suffix, factor in (("G", 1 << 30), ("M", 1 << 20), ("K", 1 << 10)):
        if size_bytes >= factor:
            return f"{size_bytes / factor:.4g}{suffix}"
    return f"{size_bytes:.4g}"


def many(things: int, singular: str, plural: str | None = None) -> str:
    """`1 row`, `2 rows`."""
    return f"{things:,} {singular if things == 1 else plural or singular + 's'}"


def listed(words: Sequence[str], most: int = 6) -> str:
    """Words in a row, the rest counted: `a, b and 3 more`."""
    if len(words) <= most:
        return ", ".join(words)
    return f"{', '.join(words[:most])} and {len(words) - most} more"


def slug(text: str) -> str:
    """A text as an HTML id: letters, digits, `_` and `-` only."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", text).strip("-") or "x"


def moment(timestamp: str | None) -> str:
    """A UTC time stamp for people: 2026-01-01 00:00:00 UTC."""
    if timestamp is None:
        return DASH
    return timestamp[:19].replace("T", " ") + " UTC"


def elapsed(started: str, finished: str | None) -> str:
    """Time between two UTC time stamps: `3 min 12 s`."""
    if finished is None:
        return DASH
    start, end = (datetime.fromisoformat(t.replace("Z", "+00:00")) for t in (started, finished))
    seconds = round((end - start).total_seconds())
    hours, minutes, rest = seconds // 3600, seconds // 60 % 60, seconds % 60
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def setting_parts(key: PointKey) -> dict[str, str]:
    """What a point was measured with, apart from operation, size, variant and transport."""
    return {
        "datatype": key.datatype,
        "redop": key.redop or "",
        "root": "" if key.root is None else f"root {key.root}",
        "in_place": "in place" if key.in_place else "out of place",
        "timing": key.timing,
        "group": f"group {key.group.name}",
        "memory": f"{key.memory} memory",
        "registration": f"registration {key.registration}",
        "graph": "graph" if key.graph else "no graph",
        "threads": many(key.threads, "thread"),
        "clock_scope": f"{key.clock_scope} clock",
    }


def elements(key: PointKey) -> int | None:
    """How many elements a size is; None, shown as a dash, where the datatype is not known."""
    width = ELEMENT_BYTES.get(key.datatype)
    return key.size_bytes // width if width else None


def bytes_(value: float | None) -> str:
    """Counted bytes with four digits: 1.508M."""
    return DASH if value is None else size(float(f"{value:.4g}") if value < 1024 else value)


def yes_no(value: bool | None) -> str:
    """Yes, no, or unsure where it is not known."""
    return {True: "yes", False: "no", None: "unsure"}[value]
