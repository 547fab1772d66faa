"""Statistics of a point, as `results/README.md` defines them.

The launch is the experimental unit: two launches of the same thing differ by far more than the
samples within one, so intervals are over launch medians.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from statistics import fmean, median, stdev

from busbar.record.models import Block, TimeStats

# Two-sided 95 % quantiles of Student's t for 1 to 4 degrees of freedom (two to five launches).
_STUDENT_T = {
    2: 12.706204736174698,
    3: 4.302652729749464,
    4: 3.182446305284263,
    5: 2.7764451051977934,
}
_TAIL_SAMPLES = 10  # a percentile with fewer samples beyond it is not carried by them


def interval_95(medians: Sequence[float]) -> tuple[float, float] | None:
    """95 % interval of what launches centre on; None for fewer than two launches.

    Student's t on the logarithms below six launches: times differ by factors, not by summands, and
    no lower limit can be negative. It always holds their median, because mean and median differ by
    at most one standard deviation. From six on, order statistics, which assume no distribution.
    None as well where a median is 0: the clock was too coarse to say anything.
    """
    count = len(medians)
    if count < 2 or min(medians) <= 0:
        return None
    if count in _STUDENT_T:
        logarithms = [math.log(value) for value in medians]
        centre = fmean(logarithms)
        half = _STUDENT_T[count] * stdev(logarithms) / math.sqrt(count)
        return math.exp(centre - half), math.exp(centre + half)
    ordered = sorted(medians)
    rank = _order_statistic(count)
    return ordered[rank], ordered[count - 1 - rank]


def _order_statistic(count: int) -> int:
    """Largest k such that at most 2.5 % of samples have no more than k values below the median.

    The number of values below the true median is binomial(count, 1/2) (David & Nagaraja, Order
    Statistics, 7.1); the k-th smallest, from 0, then bounds the median from below with 97.5 %.
    """
    rank, cumulated = 0, 1
    while True:
        cumulated += math.comb(count, rank + 1)
        if cumulated / 2**count > 0.025:
            return rank
        rank += 1


def percentile(ordered: Sequence[float], permille: int) -> float | None:
    """Percentile of sorted samples by linear interpolation; None unless ten lie beyond it."""
    if len(ordered) * (1000 - permille) < _TAIL_SAMPLES * 1000:
        return None
    position = (len(ordered) - 1) * permille / 1000
    below = math.floor(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (position - below)


def launch_medians(blocks: Iterable[Block], *, clean: bool = False) -> dict[int, float]:
    """Median of each launch in microseconds, by launch id; `clean` leaves out spoiled samples."""
    samples: dict[int, list[float]] = {}
    for block in blocks:
        samples.setdefault(block.launch, []).extend(_samples(block, clean=clean))
    return {launch: median(values) for launch, values in samples.items() if values}


def time_stats(blocks: Sequence[Block], *, clean: bool = False) -> TimeStats | None:
    """Statistics over the samples of all blocks, in microseconds; None if there is no sample."""
    ordered = sorted(s for block in blocks for s in _samples(block, clean=clean))
    if not ordered:
        return None
    medians = list(launch_medians(blocks, clean=clean).values())
    # The samples of imported blocks are means of many executions: they hide fastest and slowest.
    of_means = any(block.printed is not None for block in blocks)
    return TimeStats(
        median=median(medians),
        ci95=interval_95(medians),
        min=None if of_means else ordered[0],
        p90=None if of_means else percentile(ordered, 900),
        p99=None if of_means else percentile(ordered, 990),
        p99_9=None if of_means else percentile(ordered, 999),
        max=None if of_means else ordered[-1],
    )


def spoiled_share(blocks: Sequence[Block]) -> float | None:
    """Spoiled samples over all samples; None if there is no sample, or nobody watched (imports)."""
    if any(block.printed is not None for block in blocks):
        return None
    total = sum(len(block.samples_us) for block in blocks)
    spoiled = sum(len(set(block.spoiled_samples)) for block in blocks)
    return spoiled / total if total else None


def _samples(block: Block, *, clean: bool) -> list[float]:
    if not clean or not block.spoiled_samples:
        return block.samples_us
    spoiled = set(block.spoiled_samples)
    return [s for index, s in enumerate(block.samples_us) if index not in spoiled]
