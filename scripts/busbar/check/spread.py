"""Whether the repeats of a row are all there, and agree with each other.

No row passes by its good repeats: not where others are missing, nor where one strays so far that
the launches are of two kinds.
"""

from __future__ import annotations

from collections.abc import Mapping

from busbar.units import format_time_us

MOST_SPREAD = 1.25
"""The slowest launch over the fastest. A port at 80 % makes a row 1.25 times as slow: a launch that
is as slow as with the fault that is looked for may have it, and an interval of ten launches leaves
one such launch out."""


def spread(by_launch: Mapping[int, float], most: float = MOST_SPREAD) -> str:
    """One sentence that names launches whose medians (us) stray too far apart; else empty."""
    if len(by_launch) < 2:
        return ""
    fastest = min(by_launch, key=lambda launch: by_launch[launch])
    slowest = max(by_launch, key=lambda launch: by_launch[launch])
    fast, slow = by_launch[fastest], by_launch[slowest]
    if fast <= 0 or slow <= most * fast:
        return ""
    others = [
        f"launch {launch}"
        for launch, time_us in by_launch.items()
        if time_us > most * fast and launch != slowest
    ]
    also = f", as did {', '.join(others)}" if others else ""
    return (
        f"Its launches stray by a factor of {slow / fast:.2f}, more than the {most:g} accepted: "
        f"launch {slowest} took {format_time_us(slow)}{also}, launch {fastest} "
        f"{format_time_us(fast)}; find what differed, then measure again."
    )


def missing_launches(by_launch: Mapping[int, float], planned: int) -> str:
    """One sentence where fewer launches than planned have measured it; else empty."""
    if len(by_launch) >= planned:
        return ""
    return (
        f"Measured in {len(by_launch)} of {planned} planned launches: what is there does not speak "
        "for what is missing."
    )
