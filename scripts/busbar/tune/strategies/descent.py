"""Coordinate descent: along each ordered setting to where it is best, one after the other.

One walk for each combination of the settings that have no order (AutoCCL, NSDI 2025, splits NCCL's
space in the same way by algorithm, protocol and transport): within one, time over channels or
segment sizes falls and then rises. The walks' ends race.
"""

from __future__ import annotations

import random
from collections.abc import Generator, Iterator

from busbar.tune.ask import Ask
from busbar.tune.candidate import Candidate
from busbar.tune.history import History
from busbar.tune.race import race, visits
from busbar.tune.space import PointSpace

_LOOK = 8
"""Samples of the first look at a combination."""
_STEP = 1.08
"""Steps that cannot matter more are not weighed longer: the walks' ends race."""
_HOPELESS = 2.0
"""A combination that is so many times slower than the best, at its middle, is not walked through
(AutoCCL drops one at 1.5 to 3 times)."""


def coordinate_descent(space: PointSpace, history: History, rng: random.Random) -> Iterator[Ask]:
    """A look at the middle of every walk, then the walks, the most promising first."""
    starts = [members[len(members) // 2] for members in space.kinds().values()]
    rng.shuffle(starts)
    yield from visits(starts, _LOOK)
    ends = []
    for start in _promising(starts, history):
        ends.append((yield from walk(start, space, history)))
    yield from race([*ends, *history.contenders(history.samples)], history)


def _promising(starts: list[Candidate], history: History) -> list[Candidate]:
    known = [(e.median, c) for c in starts if (e := history.estimate(c)) is not None]
    fastest = min(known)[0]
    return [c for time, c in sorted(known) if time <= _HOPELESS * fastest]


def walk(here: Candidate, space: PointSpace, history: History) -> Generator[Ask, None, Candidate]:
    """Where it leads from here: a candidate that no step along any setting improves."""
    while True:
        around = [
            step
            for setting in space.settings
            for step in space.along(here, setting)
            if space.contains(step)
        ]
        yield from race([here, *around], history, first_samples=_LOOK, good_enough=_STEP)
        best = history.best([here, *around])
        if best is None or best == here:
            return here
        here = best
