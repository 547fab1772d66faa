"""A transport whose cost is known: settings with a true time each, and samples with noise."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping

from busbar.tune.ask import Strategy
from busbar.tune.candidate import Candidate
from busbar.tune.history import History
from busbar.tune.space import PointSpace, Setting, Value

ALGORITHMS = ("tree", "ring", "nvls", "collnet")
PROTOCOLS = ("ll", "ll128", "simple")
CHANNELS = ("1", "2", "4", "8", "16", "32")


def setting(name: str, values: tuple[str, ...], **more: object) -> Setting:
    return Setting.model_validate(
        {
            "name": name,
            "scope": "call",
            "safety": "search",
            "effect": "it is made up",
            "source": "this test",
            "values": [Value(value=value) for value in values],
            **more,
        }
    )


SPACE = PointSpace(
    (
        setting("algorithm", ALGORITHMS),
        setting("protocol", PROTOCOLS, only_with={"algorithm": ["*"]}, required=True),
        setting("channels", CHANNELS, only_with={"algorithm": ["*"]}, required=True, ordered=True),
    )
)


class Planted:
    """Time is a factor for each algorithm and protocol, and falls and rises with the channels."""

    def __init__(self, seed: int, noise: float = 0.1, outliers: float = 0.03) -> None:
        self._rng = random.Random(f"planted {seed}")
        self._noise, self._outliers = noise, outliers
        factors = {(a, p): self._rng.uniform(1.0, 3.0) for a in ALGORITHMS for p in PROTOCOLS}
        at = {key: self._rng.uniform(0, len(CHANNELS) - 1) for key in factors}
        self._truth = {c: self._time(c.settings, factors, at) for c in SPACE.candidates}
        self.samples = 0
        self.spent_us = 0.0

    def _time(
        self,
        settings: Mapping[str, str],
        factors: Mapping[tuple[str, str], float],
        at: Mapping[tuple[str, str], float],
    ) -> float:
        if not settings:
            return 100.0 * 1.6
        kind = settings["algorithm"], settings["protocol"]
        steps = CHANNELS.index(settings["channels"]) - at[kind]
        return 100.0 * factors[kind] * (1 + 0.04 * steps**2)

    def measure(self, candidate: Candidate, samples: int) -> list[float]:
        times = []
        for _ in range(samples):
            time = self._truth[candidate] * math.exp(self._rng.gauss(0, self._noise))
            if self._rng.random() < self._outliers:
                time *= self._rng.uniform(2, 20)
            times.append(time)
        self.samples += samples
        self.spent_us += sum(times)
        return times

    def share_of_optimum(self, candidate: Candidate) -> float:
        """1 is the optimum."""
        return min(self._truth.values()) / self._truth[candidate]


def search(strategy: Strategy, planted: Planted, seed: int, space: PointSpace = SPACE) -> Candidate:
    """What the strategy ends with."""
    history = History()
    for ask in strategy(space, history, random.Random(seed)):
        history.tell({c: planted.measure(c, ask.samples) for c in ask.candidates})
    best = history.best()
    assert best is not None
    return best
