"""Launches of two variants, paired: drift hits both alike, so their ratio varies less than either.

Variants that took turns in the same launches are paired by launch; those of different environments
by the order of their launches, which is how the launcher interleaves them.
"""

from __future__ import annotations

from collections.abc import Mapping

from busbar.record.models import Point, RunRecord
from busbar.record.statistics import launch_medians


def medians_by_launch(record: RunRecord, point: Point) -> dict[int, float]:
    """Median of each launch that measures, us, by launch, in the order they ran."""
    measuring = {launch.id for launch in record.launches if launch.purpose == "measure"}
    found = launch_medians(block for block in point.blocks if block.launch in measuring)
    return {launch: found[launch] for launch in sorted(found)}


def paired_ratios(baseline: Mapping[int, float], own: Mapping[int, float]) -> list[float]:
    """The baseline's time over the other's, of each pair of launches."""
    shared = [launch for launch in own if launch in baseline]
    if shared:
        return [baseline[launch] / own[launch] for launch in shared if own[launch] > 0]
    pairs = zip(baseline.values(), own.values(), strict=False)
    return [slow / fast for slow, fast in pairs if fast > 0]
