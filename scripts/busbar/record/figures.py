"""What the blocks of a point add up to: computed when a journal is folded, and again by judges."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from busbar.record.point import Block, Estimators, TimeStats, Wire
from busbar.record.statistics import spoiled_share, time_stats


@dataclass(frozen=True)
class Figures:
    """Fields of a `Point`, by their names there."""

    time_us: TimeStats | None
    clean_time_us: TimeStats | None
    spoiled_share: float | None
    estimators: Estimators
    algbw_gbs: float | None
    busbw_gbs: float | None
    wrong_elements: int | None
    checked_elements: int | None
    wire: Wire | None
    """Medians over blocks; null for a node that any block could not read."""


def figures(
    blocks: Sequence[Block],
    timed: Sequence[Block],
    algorithm_bytes: int | None,
    bus_factor: float | None,
) -> Figures:
    """Of all blocks, and of those whose times count: not those of launches that observe."""
    time_us = time_stats(timed)
    share = spoiled_share(timed)
    algbw = None
    if time_us and time_us.median > 0 and algorithm_bytes:
        algbw = algorithm_bytes / time_us.median / 1000
    return Figures(
        time_us=time_us,
        clean_time_us=time_stats(timed, clean=True) if share else None,
        spoiled_share=share,
        estimators=Estimators(
            osu_mean=_median(b.estimators.osu_mean for b in timed),
            nccltests_pipelined=_median(b.estimators.nccltests_pipelined for b in timed),
        ),
        algbw_gbs=algbw,
        busbw_gbs=algbw * bus_factor if algbw and bus_factor else None,
        wrong_elements=_sum(b.wrong_elements for b in blocks),
        checked_elements=_sum(b.checked_elements for b in blocks),
        wire=_wire(timed),
    )


def _wire(blocks: Sequence[Block]) -> Wire | None:
    wires = [b.wire for b in blocks if b.wire is not None]
    if not wires:
        return None
    return Wire(
        tx_bytes_per_node=_per_node([w.tx_bytes_per_node for w in wires]),
        rx_bytes_per_node=_per_node([w.rx_bytes_per_node for w in wires]),
    )


def _per_node(counts: Sequence[Sequence[float | None]]) -> list[float | None]:
    return [
        None if None in node else median(value for value in node if value is not None)
        for node in zip(*counts, strict=True)
    ]


def _median(values: Iterable[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return median(known) if known else None


def _sum(values: Iterable[int | None]) -> int | None:
    known = [v for v in values if v is not None]
    return sum(known) if known else None
