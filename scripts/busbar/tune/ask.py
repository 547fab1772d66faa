"""Ask and tell: what a strategy wants measured next.

A strategy is a generator. It yields what it wants measured; when it is asked for the next, the
history holds the answer. So it knows nothing of launches, budgets or interruptions, and going on
after an interruption is to run it again and answer from the journal.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from busbar.tune.candidate import Candidate
from busbar.tune.history import History
from busbar.tune.space import PointSpace


@dataclass(frozen=True)
class Ask:
    """Candidates to be measured side by side, taking turns."""

    candidates: tuple[Candidate, ...]
    samples: int
    """Of each."""


class Strategy(Protocol):
    """Where to look. All that counts in the end is in the history."""

    def __call__(self, space: PointSpace, history: History, rng: random.Random) -> Iterator[Ask]:
        """What to measure, until it has found what it looks for."""
        ...
