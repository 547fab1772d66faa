"""What figures may convict a row of: that ratios of times centre below the least accepted.

A ratio is a better time over a worse one, so it falls as a row gets slower: a time of theory over
the measured one, a neighbour's time per byte over the row's own. There is one for each launch, the
experimental unit.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from statistics import fmean, stdev

from busbar.record.statistics import interval_95

# Simulated launches have no noise at all, and no clock tells more than this.
_LEAST_DEVIATION = 1e-6
_ORDER_STATISTICS = 6  # launches from which on the interval assumes no distribution
MOST_LAUNCHES = 100  # beyond this, more launches are no advice


class Kind(Enum):
    """What a claim says."""

    BELOW_LIMIT = "below its limit"
    ABOVE_BOUND = "above its bound"
    DIP = "a dip between sizes"
    UNLIKE_MIRROR = "slower than its mirror"


@dataclass(frozen=True)
class Claim:
    """That a row is slower than it may be (or, of its bound, faster)."""

    kind: Kind
    row: int
    """Its place among the rows."""
    ratios: tuple[float, ...]
    """One for each launch, above 0."""
    least: float
    """Of what they centre on, the least that is accepted."""
    sentence: str = ""
    """What is said of the row if it holds."""

    @property
    def stands(self) -> bool:
        """Whether the whole 95 % interval over launches is below."""
        interval = interval_95(self.ratios)
        return interval is not None and interval[1] < self.least

    def chance(self) -> float:
        """The chance that launches of a row that is just good enough lie this low.

        Student's t, one-sided, on the logarithms, as the interval of fewer than six launches has
        it. From six on twice the smaller of that and of the sign test's, as that interval is of
        order statistics: they alone never give less than 2^-n, and a launch that is far slower than
        the others, which makes t small, does not make them fast.
        """
        # SciPy takes a while to load: only for those who need it.
        from scipy.special import stdtr

        below, deviation = self._distance()
        count = len(self.ratios)
        by_t = float(stdtr(count - 1, -below * math.sqrt(count) / deviation))
        return by_t if count < _ORDER_STATISTICS else min(1.0, 2 * min(by_t, self._by_signs()))

    def _by_signs(self) -> float:
        """The chance that so many launches or more lie below what they centre on."""
        count, low = len(self.ratios), sum(ratio < self.least for ratio in self.ratios)
        return math.ldexp(sum(math.comb(count, k) for k in range(low, count + 1)), -count)

    def launches_needed(self, chance: float) -> int | None:
        """Launches like these at which their chance would be so small; None beyond what is sane."""
        from scipy.special import stdtr

        below, deviation = self._distance()
        for count in range(len(self.ratios) + 1, MOST_LAUNCHES + 1):
            if stdtr(count - 1, -below * math.sqrt(count) / deviation) <= chance:
                return count
        return None

    def _distance(self) -> tuple[float, float]:
        """How far below, and how far launches stray from each other, both as logarithms."""
        logarithms = [math.log(ratio) for ratio in self.ratios]
        below = math.log(self.least) - fmean(logarithms)
        return below, max(_LEAST_DEVIATION, stdev(logarithms))


def ratios(better: Mapping[int, float], own: Mapping[int, float]) -> tuple[float, ...] | None:
    """The better time over the own one, launch by launch; None for fewer than two of both."""
    both = [launch for launch in own if launch in better]
    if len(both) < 2 or any(own[x] <= 0 or better[x] <= 0 for x in both):
        return None
    return tuple(better[launch] / own[launch] for launch in both)


def ratios_of_theory(time_us: float, own: Sequence[float]) -> tuple[float, ...] | None:
    """A time of theory over the own ones; None for fewer than two launches, or a time of 0."""
    if len(own) < 2 or time_us <= 0 or any(value <= 0 for value in own):
        return None
    return tuple(time_us / value for value in own)
