"""Where measuring would teach most: where the winner is least certain and most is at stake.

The worth of a measurement is what it saves on average: the chance that another candidate is the
faster one, times by how much it then is. With times that are normal in their logarithms that is the
expected improvement of Jones, Schonlau and Welch, "Efficient Global Optimization of Expensive
Black-Box Functions", 1998, 4.1.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import NormalDist

from busbar.tune.candidate import Candidate
from busbar.tune.predict import Expected

WORTHLESS = 0.001
"""A lesson that saves less, a tenth of a percent of the time on average, is not worth a launch."""
_NORMAL = NormalDist()


@dataclass(frozen=True)
class Spot:
    """One operation, size and number of ranks, and what to expect there."""

    what: str
    size_bytes: int
    ranks: int
    expected: tuple[Expected, ...]
    """Fastest first; may be empty."""

    @property
    def winner(self) -> Expected | None:
        """The one that is expected to be fastest."""
        return self.expected[0] if self.expected else None


@dataclass(frozen=True)
class Lesson:
    """What a measurement at one spot would settle."""

    spot: Spot
    winner: Expected
    rival: Expected
    chance: float
    """That the rival is the faster one."""
    loss: float
    """By how much the winner then is too slow: the logarithm of the ratio of times, on average."""

    @property
    def worth(self) -> float:
        """What measuring saves on average, as a logarithm: near 0 the share of the time."""
        return self.chance * self.loss

    @property
    def saved(self) -> float:
        """The share of the winner's time that the rival saves where it is the faster one."""
        return 1.0 - math.exp(-self.loss)


def lesson(spot: Spot) -> Lesson | None:
    """What there is to learn at a spot: the rival that is worth most to know.

    None where next to nothing could come of it, or no interval says how sure the winner is.
    """
    winner = spot.winner
    if winner is None or winner.sigma is None:
        return None
    found = [
        Lesson(spot, winner, rival, *doubt)
        for rival in spot.expected[1:]
        if (doubt := _doubt(winner, rival)) is not None
    ]
    best = max(found, key=lambda one: one.worth, default=None)
    return best if best is not None and best.worth >= WORTHLESS else None


def most_worth(spots: Iterable[Spot], count: int) -> list[Lesson]:
    """The lessons that are worth most, largest first.

    One for each pair of candidates, operation and number of ranks: the sizes beside it ask the same
    question, and its answer may settle them.
    """
    found: dict[tuple[str, int, frozenset[Candidate]], Lesson] = {}
    for spot in spots:
        one = lesson(spot)
        if one is None:
            continue
        pair = frozenset((one.winner.candidate, one.rival.candidate))
        question = (spot.what, spot.ranks, pair)
        if question not in found or one.worth > found[question].worth:
            found[question] = one
    return sorted(found.values(), key=lambda one: -one.worth)[:count]


def _doubt(winner: Expected, rival: Expected) -> tuple[float, float] | None:
    """Chance that the rival is faster, and by how much then; None where there is none."""
    if winner.sigma is None or rival.sigma is None:
        return None
    sigma = math.hypot(winner.sigma, rival.sigma)
    if sigma == 0:
        return None  # certain: the winner wins, or both take the same
    lead = math.log(winner.time_us / rival.time_us) / sigma  # 0 or below: the winner is faster
    chance = _NORMAL.cdf(lead)
    worth = sigma * (_NORMAL.pdf(lead) + lead * chance)
    return (chance, worth / chance) if chance > 0 and worth > 0 else None
