"""What a search has seen: samples by candidate, and what they say."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from busbar.tune.candidate import Candidate

_Z_95 = 1.959963984540054
_Z_97_5_ORDER = _Z_95 / 2  # standard deviations of a binomial(n, 1/2) are sqrt(n)/2


@dataclass(frozen=True)
class Estimate:
    """A candidate's median with its 95 % interval, µs.

    Over samples, which takes launches for alike. That is good enough to stop looking at a
    candidate; what is written down rests on proof over launches (`prove.py`).
    """

    median: float
    low: float
    high: float
    samples: int


@dataclass
class History:
    """All samples of one search."""

    samples: dict[Candidate, list[float]] = field(default_factory=dict)
    """Microseconds. A candidate that failed, or gave wrong data, has an infinite one."""

    def tell(self, seen: Mapping[Candidate, Sequence[float]]) -> None:
        """What one ask has brought."""
        for candidate, times in seen.items():
            self.samples.setdefault(candidate, []).extend(times)

    def estimate(self, candidate: Candidate) -> Estimate | None:
        """None where it was never measured."""
        times = self.samples.get(candidate)
        return _estimate(times) if times else None

    def ranked(self, among: Iterable[Candidate]) -> list[Candidate]:
        """Those that were measured, by their medians; equals by name."""
        measured = [(median(times), c) for c in among if (times := self.samples.get(c))]
        return [candidate for _, candidate in sorted(measured)]

    def best(self, among: Iterable[Candidate] | None = None) -> Candidate | None:
        """The one with the lowest median; None where none was measured."""
        return next(iter(self.ranked(self.samples if among is None else among)), None)

    def contenders(self, among: Iterable[Candidate]) -> list[Candidate]:
        """Those that are not surely worse than the best of them, best first."""
        known = [(e, c) for c in among if (e := self.estimate(c)) is not None]
        known.sort(key=lambda pair: (pair[0].median, pair[1]))
        if not known:
            return []
        limit = known[0][0].high
        return [c for n, (e, c) in enumerate(known) if n == 0 or e.low <= limit]

    def most_lost(self, chosen: Candidate, other: Candidate) -> float:
        """The factor by which `chosen` may be slower than the other, at 95 %; infinite if unknown.

        The intervals of two medians that know nothing of each other add up as squares, as factors.
        """
        one, two = self.estimate(chosen), self.estimate(other)
        if one is None or two is None:
            return math.inf
        if math.isinf(two.median):
            return 0.0  # it failed
        reach = math.hypot(math.log(one.high / one.median), math.log(two.median / two.low))
        return one.median / two.median * math.exp(reach)

    def surely_worse(self, candidate: Candidate, than: Candidate) -> bool:
        """Whether the intervals part: with both at 95 %, wrong once in some 180 times at most."""
        one, other = self.estimate(candidate), self.estimate(than)
        return one is not None and other is not None and one.low > other.high


def _estimate(times: Sequence[float]) -> Estimate:
    """Median and order statistics (David & Nagaraja, Order Statistics, 7.1), normal limit."""
    ordered = sorted(times)
    count = len(ordered)
    reach = math.ceil(_Z_97_5_ORDER * math.sqrt(count))
    lower = max(0, math.floor((count - 1) / 2) - reach)
    upper = min(count - 1, math.ceil((count - 1) / 2) + reach)
    return Estimate(median(ordered), ordered[lower], ordered[upper], count)
