"""Sizes, rates and times: read from the command line, and written for people.

Units everywhere: bytes, microseconds, GB/s = 1e9 bytes/s. Sizes take K, M, G as powers of 1024,
as nccl-tests and OSU do; rates are shown with the decimal prefixes of network links.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from busbar.errors import UsageError

_SIZE_FACTORS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
_SIZE = re.compile(r"(\d+)\s*([A-Za-z]*)")
_TIME_FACTORS = {"us": 1.0, "ms": 1e3, "s": 1e6}
_TIME = re.compile(r"(\d+(?:\.\d+)?|\.\d+)\s*(us|ms|s)", re.ASCII)


def parse_size(text: str) -> int:
    """Read a size such as `8`, `64K`, `16M` or `1G` into bytes.

    Raises UsageError for anything else.
    """
    match = _SIZE.fullmatch(text.strip())
    factor = _SIZE_FACTORS.get(match[2].upper()) if match else None
    if match is None or factor is None:
        raise UsageError(
            f"size '{text}' is not understood: accepted are whole numbers of bytes, alone or with "
            "K, M or G (powers of 1024), such as 8, 64K, 16M."
        )
    return int(match[1]) * factor


def format_size(size_bytes: int) -> str:
    """Bytes as the shortest exact form `parse_size` reads back: 1048576 is `1M`, 1000 is `1000`."""
    for suffix in ("G", "M", "K"):
        factor = _SIZE_FACTORS[suffix]
        if size_bytes and size_bytes % factor == 0:
            return f"{size_bytes // factor}{suffix}"
    return str(size_bytes)


def format_rate(rate_bps: float) -> str:
    """Bits per second for people: 4e8 is `400 Mbit/s`."""
    for factor, unit in ((1e9, "Gbit/s"), (1e6, "Mbit/s"), (1e3, "kbit/s")):
        if rate_bps >= factor:
            return f"{rate_bps / factor:.4g} {unit}"
    return f"{rate_bps:.4g} bit/s"


def format_time_us(time_us: float | None) -> str:
    """Microseconds for people, four digits: `12.34 us`, `1.234 ms`, `1.234 s`; `-` for None."""
    if time_us is None:
        return "-"
    for factor, unit in ((1e6, "s"), (1e3, "ms")):
        if abs(time_us) >= factor:
            return f"{time_us / factor:.4g} {unit}"
    return f"{time_us:.4g} us"


def parse_time_us(text: str) -> float:
    """Read a time such as `500us`, `1.5ms` or `2s` into microseconds.

    Raises UsageError for anything else.
    """
    match = _TIME.fullmatch(text.strip())
    if match is None:
        raise UsageError(
            f"time '{text}' is not understood: accepted are numbers with us, ms or s, such as "
            "500us."
        )
    return float(match[1]) * _TIME_FACTORS[match[2]]


def percent(share: float) -> str:
    """A share for people, three digits wherever they are: 0.9 is `90%`, 0.0005 is `0.05%`."""
    return f"{100 * share:.3g}%"


def sweep(min_bytes: int, max_bytes: int, factor: int = 2) -> Sequence[int]:
    """Sizes from `min_bytes`, each `factor` times the last, none above `max_bytes`.

    Raises UsageError when the range is empty or would never end.
    """
    if min_bytes > max_bytes:
        raise UsageError(
            f"smallest size {format_size(min_bytes)} is above largest size "
            f"{format_size(max_bytes)}: the smallest must not exceed the largest."
        )
    if min_bytes < 1:
        raise UsageError(f"smallest size {min_bytes} cannot start a sweep: accepted is 1 or more.")
    if factor < 2:
        raise UsageError(f"size factor {factor} does not make sizes grow: accepted is 2 or more.")
    sizes = [min_bytes]
    while sizes[-1] * factor <= max_bytes:
        sizes.append(sizes[-1] * factor)
    return tuple(sizes)
