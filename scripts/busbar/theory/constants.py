"""Constants of the expected time: from the fabric, or fitted to a record."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from busbar.fabrics.model import Fabric
from busbar.record.models import Point, RunRecord


@dataclass(frozen=True)
class Constants:
    """What the models need; None or empty where nothing is known."""

    message_us: float | None = None
    """What one message costs beyond its bytes."""
    copy_us: tuple[tuple[int, float], ...] = ()
    """Measured (bytes, time) of a copy that every rank makes at once, sizes rising."""
    fitted_ops: frozenset[str] = frozenset()
    """Operations whose figures went into these constants, and so confirm nothing."""

    def copy_time_us(self, moved_bytes: float) -> float | None:
        """Time to copy that many bytes; None below the smallest size that was measured.

        Between two sizes on a straight line in logarithms, as caches change the rate from size
        to size; above the largest at its rate.
        """
        if not self.copy_us or moved_bytes < self.copy_us[0][0]:
            return None
        last_size, last_us = self.copy_us[-1]
        if moved_bytes >= last_size:
            return last_us * moved_bytes / last_size
        index = bisect_left([size for size, _ in self.copy_us[1:]], moved_bytes)
        (size_a, us_a), (size_b, us_b) = list(pairwise(self.copy_us))[index]
        share = math.log(moved_bytes / size_a) / math.log(size_b / size_a)
        return float(us_a * (us_b / us_a) ** share)


def from_fabric(fabric: Fabric) -> Constants:
    """What the fabric file states."""
    if fabric.latency is None:
        return Constants()
    return Constants(message_us=fabric.latency.message_us.value)


def fit(record: RunRecord, fabric: Fabric) -> Constants:
    """What the fabric file states, and for the rest what this record measured.

    One message costs what the smallest ping_pong took; a copy costs what memory_copy took.
    """
    stated = from_fabric(fabric)
    message_us, fitted = stated.message_us, set()
    pings = _times(record, "ping_pong")
    if message_us is None and pings:
        message_us = pings[0][1]
        fitted.add("ping_pong")
    copies = _times(record, "memory_copy")
    if copies:
        fitted.add("memory_copy")
    return Constants(message_us, tuple(copies), frozenset(fitted))


def _times(record: RunRecord, op: str) -> Sequence[tuple[int, float]]:
    """Median time per size of an operation under the default variant, sizes rising."""
    usable = {p.key.size_bytes: p.time_us.median for p in record.points if _fits(p, op)
              if p.time_us is not None}  # fmt: skip
    return sorted(usable.items())


def _fits(point: Point, op: str) -> bool:
    key = point.key
    return (
        key.op == op
        and key.size_bytes > 0
        and key.variant == "default"
        and key.group.name == "all"
        and key.timing == "isolated"
        and point.status == "ok"
        and point.time_us is not None
        and point.time_us.median > 0
    )
