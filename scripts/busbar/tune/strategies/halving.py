"""Successive halving: a short look at everything, a longer one at what is left.

Jamieson and Talwalkar, "Non-stochastic Best Arm Identification and Hyperparameter Optimization",
2016, drop the worse half each time. Here a candidate is dropped when it is surely worse than the
best, so noise costs time and not the winner; where times differ by factors, as they do between
algorithms, most go after the first look.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from busbar.tune.ask import Ask
from busbar.tune.history import History
from busbar.tune.race import race
from busbar.tune.space import PointSpace


def successive_halving(space: PointSpace, history: History, rng: random.Random) -> Iterator[Ask]:
    """A race of all."""
    shuffled = list(space.candidates)
    rng.shuffle(shuffled)
    yield from race(shuffled, history)
