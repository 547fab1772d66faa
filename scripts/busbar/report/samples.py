"""The samples that the page carries, so that a reader can open the distribution of any point.

A record may hold millions of samples. Each launch keeps evenly spaced order statistics, both
extremes among them, so the shape stays true while the page stays small; the page says how many.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from pydantic import JsonValue

from busbar.record.models import Block
from busbar.report.panels import Panel
from busbar.report.rows import Row
from busbar.report.text import DASH, count, duration, interval, number, percent, size

_BUDGET = 250_000  # samples in a page: about 2 MB
_FEWEST, _MOST = 40, 500  # per launch and point

_STOPPED_BY = {
    "relative_ci": "narrow interval",
    "max_samples": "limit of samples",
    "max_seconds": "limit of time",
}


def distributions(panels: Sequence[Panel]) -> list[JsonValue]:
    """For every measured row, in the page's order: names to choose it by, figures, samples."""
    measured = [
        (panel, curve.name, row)
        for panel in panels
        for curve in panel.curves
        for row in curve.rows
        if row.point and row.point.blocks
    ]
    sets = sum(len({b.launch for b in row.point.blocks}) for _, _, row in measured if row.point)
    limit = max(_FEWEST, min(_MOST, _BUDGET // max(1, sets)))
    return [_distribution(panel, name, row, limit) for panel, name, row in measured]


def _distribution(panel: Panel, name: str, row: Row, limit: int) -> JsonValue:
    point = row.point
    assert point is not None
    by_launch: dict[int, list[Block]] = {}
    for block in point.blocks:
        by_launch.setdefault(block.launch, []).append(block)
    return {
        "id": row.id,
        "op": panel.op,
        "series": f"{name} · {panel.setting}",
        "size": size(row.key.size_bytes),
        "median": row.median_us,
        "ci95": list(row.ci95_us) if row.ci95_us else None,
        "bound": row.bound_us,
        "facts": _facts(row, len(by_launch)),
        "launches": [_launch(i, blocks, limit) for i, blocks in sorted(by_launch.items())],
    }


def _launch(launch: int, blocks: Sequence[Block], limit: int) -> JsonValue:
    clean: list[float] = []
    spoiled: list[float] = []
    for block in blocks:
        marked = set(block.spoiled_samples)
        for index, sample in enumerate(block.samples_us):
            (spoiled if index in marked else clean).append(sample)
    return {
        "id": launch,
        "count": len(clean) + len(spoiled),
        "spoiled_count": len(spoiled),
        "median": _short(median(clean + spoiled)),
        "clean_median": _short(median(clean)) if clean else None,
        "clean": thinned(clean, limit),
        "spoiled": thinned(spoiled, limit),
    }


def thinned(samples: Sequence[float], limit: int) -> list[JsonValue]:
    """Up to `limit` evenly spaced order statistics, smallest and largest among them."""
    ordered = sorted(samples)
    if len(ordered) <= limit:
        return [_short(s) for s in ordered]
    last = len(ordered) - 1
    return [_short(ordered[round(i * last / (limit - 1))]) for i in range(limit)]


def _short(value: float) -> float:
    """Six significant digits: more than any clock carries, less than JSON would write."""
    return float(f"{value:.6g}")


def _facts(row: Row, launches: int) -> JsonValue:
    """The figures shown beside the distribution: name and value."""
    point = row.point
    assert point is not None
    times = point.time_us
    samples = sum(len(block.samples_us) for block in point.blocks)
    clean = point.clean_time_us
    facts = [
        ("Median", duration(row.median_us)),
        ("95 % interval", interval(row.ci95_us)),
        ("Fastest", duration(times.min if times else None)),
        ("p90", duration(times.p90 if times else None)),
        ("p99", duration(times.p99 if times else None)),
        ("p99.9", duration(times.p99_9 if times else None)),
        ("Slowest", duration(times.max if times else None)),
        ("Bound", duration(row.bound_us)),
        ("Bus bandwidth", f"{number(row.busbw_gbs, 3)} GB/s"),
        ("Of bound", percent(row.percent)),
        ("Samples", f"{count(samples)} in {launches} launch{'es' if launches > 1 else ''}"),
        ("Spoiled", percent(None if point.spoiled_share is None else 100 * point.spoiled_share)),
        ("Median without spoiled", duration(clean.median if clean else None)),
        ("Stopped by", _STOPPED_BY.get(point.stop_reason or "", DASH)),
        ("Elements checked", count(point.checked_elements)),
        ("Elements wrong", count(point.wrong_elements)),
        ("Mean as OSU reports", duration(point.estimators.osu_mean)),
        ("Mean as nccl-tests reports", duration(point.estimators.nccltests_pipelined)),
        ("Verdict", row.word),
    ]
    return [[name, value] for name, value in facts]
