"""Everything, each measured well: the yardstick for the others."""

from __future__ import annotations

import random
from collections.abc import Iterator

from busbar.tune.ask import Ask
from busbar.tune.history import History
from busbar.tune.race import race, visits
from busbar.tune.space import PointSpace

SAMPLES = 64
"""Of each candidate: 10 % noise leaves a median known within some 3 %."""
_PER_VISIT = 16


def exhaustive(space: PointSpace, history: History, rng: random.Random) -> Iterator[Ask]:
    """All candidates in shuffled visits, several times over, then a race of the undecided."""
    for _ in range(SAMPLES):  # a visit of slow ones brings as many samples as it has time for
        short = [c for c in space.candidates if len(history.samples.get(c, ())) < SAMPLES]
        rng.shuffle(short)
        yield from visits(short, _PER_VISIT)
    yield from race(history.contenders(space.candidates), history, first_samples=_PER_VISIT)
