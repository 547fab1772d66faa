"""When a candidate is surely faster than the default: of real time after several launches, in
virtual time at the first look.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median, stdev
from typing import Protocol

from scipy.special import stdtrit

from busbar import simulate
from busbar.record.models import Stopping, Warmup

LEAST_GAIN = 1.01
"""A setting that gains less is not worth its line (Intel's mpitune keeps the default below 1 %)."""
WRONG_IN_ALL = 0.05
"""Chance that any of what is kept is no gain at all, whatever the number of points."""
LEAST_LAUNCHES = 5
NOT_WORTH = "not worth a setting"
_CONNECTING = Warmup(min_samples=2, min_seconds=0.002)
"""A communicator's first execution sets up its connections."""


@dataclass(frozen=True)
class Pairing:
    """What there is of a candidate beside the default of its point, in microseconds."""

    default_us: float
    tuned_us: float
    ratios: Sequence[float]
    """The default's time over the candidate's, of each pair of the proof's launches."""
    search_us: tuple[float, float] | None
    """Default and candidate in the search; None where it has not measured both."""

    @property
    def gain(self) -> float:
        """Median over launches; 0 where there was none."""
        return median(self.ratios) if self.ratios else 0.0


@dataclass(frozen=True)
class Judgement:
    """Whether the candidate is to be kept, and why."""

    proven: bool
    why: str
    interval: tuple[float, float] | None = None
    """Of the gain; None where nothing varies, or too little was measured."""


class Certainty(Protocol):
    """How a target's figures are got, and when they decide."""

    @property
    def exact(self) -> bool:
        """Whether whoever measures again sees the same, so that nobody needs to."""
        ...

    @property
    def launches(self) -> int:
        """Of a proof, at least."""
        ...

    @property
    def warmup(self) -> Warmup:
        """Of every block of the search."""
        ...

    def proof(self, max_seconds: float) -> tuple[Stopping, Warmup]:
        """How the proof samples within a launch, for `max_seconds` a block at most."""
        ...

    def judge(self, pairing: Pairing, questions: int) -> Judgement:
        """Of one candidate among so many that are judged together."""
        ...


@dataclass(frozen=True)
class OverLaunches:
    """Of real time: an interval over launches, which must not reach a gain of 1."""

    exact: bool = False
    launches: int = LEAST_LAUNCHES
    warmup: Warmup = _CONNECTING

    def proof(self, max_seconds: float) -> tuple[Stopping, Warmup]:
        """See `Certainty`."""
        stopping = Stopping(
            relative_ci=0.01, min_samples=10, max_samples=200, max_seconds=max_seconds
        )
        return stopping, Warmup(min_samples=2, min_seconds=0.02)

    def judge(self, pairing: Pairing, questions: int) -> Judgement:
        """See `Certainty`. All questions together are answered wrongly with WRONG_IN_ALL."""
        count, gain = len(pairing.ratios), pairing.gain
        interval = interval_of_mean(pairing.ratios, WRONG_IN_ALL / max(1, questions))
        if count < LEAST_LAUNCHES or interval is None:
            why = f"{count} launches were measured, {LEAST_LAUNCHES} are needed"
            return Judgement(False, why, interval)
        low, high = interval
        said = f"{gain:.3f} times as fast ({low:.3f} to {high:.3f} over {count} launches)"
        if low <= 1:
            return Judgement(False, f"{said}: it may be no gain at all", interval)
        if gain <= LEAST_GAIN:
            return Judgement(False, f"{said}: {NOT_WORTH}", interval)
        return Judgement(True, said, interval)


@dataclass(frozen=True)
class InVirtualTime:
    """Of simulated hosts: less is less, and a fresh launch must say exactly what the search saw."""

    several_on_a_host: bool
    """Ranks: then there are algorithms that make communicators in their first call."""
    exact: bool = True
    launches: int = simulate.LAUNCHES

    @property
    def warmup(self) -> Warmup:
        """See `Certainty`."""
        return simulate.FIRST_CALL if self.several_on_a_host else simulate.NO_WARMUP

    def proof(self, max_seconds: float) -> tuple[Stopping, Warmup]:
        """See `Certainty`. A limit of seconds would be one of virtual time."""
        stopping = Stopping(relative_ci=0.01, min_samples=1, max_samples=1, max_seconds=max_seconds)
        return simulate.stopping(stopping, ()), self.warmup

    def judge(self, pairing: Pairing, questions: int) -> Judgement:
        """See `Certainty`."""
        proof_us = (pairing.default_us, pairing.tuned_us)
        if proof_us != pairing.search_us:
            seen = pairing.search_us or ("nothing", "nothing")
            return Judgement(
                False,
                f"the proof saw {proof_us[0]} us by default and {proof_us[1]} us, the search "
                f"{seen[0]} and {seen[1]}: virtual time repeats itself, so something has changed",
            )
        said = f"{pairing.gain:.3f} times as fast, exactly as in the search"
        if pairing.gain <= LEAST_GAIN:
            return Judgement(False, f"{said}: {NOT_WORTH}")
        return Judgement(True, said)


OVER_LAUNCHES = OverLaunches()


def interval_of_mean(ratios: Sequence[float], level: float) -> tuple[float, float] | None:
    """The interval that misses the ratio's centre with chance `level`; None below two launches.

    Student's t on the logarithms, as gains are factors.
    """
    if len(ratios) < 2 or min(ratios) <= 0:
        return None
    logarithms = [math.log(ratio) for ratio in ratios]
    reach = float(stdtrit(len(ratios) - 1, 1 - level / 2))
    half = reach * stdev(logarithms) / math.sqrt(len(ratios))
    centre = fmean(logarithms)
    return math.exp(centre - half), math.exp(centre + half)
