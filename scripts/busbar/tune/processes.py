"""The outer level: settings that a library reads once, so that each value needs fresh launches.

One setting after another; the values of one race by what the whole workload takes in a launch,
every point under the best that the inner search found for it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from statistics import median

from busbar.tune.ask import Ask
from busbar.tune.bench import Bench
from busbar.tune.budget import Budget
from busbar.tune.candidate import DEFAULT, Candidate
from busbar.tune.history import History
from busbar.tune.journal import Answer, SearchJournal
from busbar.tune.points import TunePoint
from busbar.tune.race import race
from busbar.tune.space import PointSpace, Setting

_SAMPLES = 8
"""Of each point in each launch."""
_MOST_SECONDS = 0.5
_FIRST_LAUNCHES = 2
_MOST_LAUNCHES = 12
"""Of one value: the launch is the unit, and costs a start-up."""

OpenBench = Callable[[Mapping[str, str]], AbstractContextManager[Bench]]
"""A fresh launch with these variables."""


@dataclass
class ProcessSearch:
    """The search for one environment."""

    space: PointSpace
    winners: Mapping[TunePoint, Candidate]
    history: History = field(default_factory=History)
    failed: dict[Candidate, str] = field(default_factory=dict)

    def best(self) -> Candidate:
        """The fastest environment, unless it is not surely faster than none."""
        found = self.history.best()
        if found is None or not self.history.surely_worse(DEFAULT, found):
            return DEFAULT
        return found


def search_processes(
    one: ProcessSearch, open_bench: OpenBench, journal: SearchJournal, budget: Budget, seed: int
) -> None:
    """Try the values of each setting, until all have raced or the budget is spent."""
    rng = random.Random(f"{seed} processes")
    for ask in _asks(one):
        answer = journal.known(None, {})
        if answer is None:
            if budget.left() <= 0:
                return
            answer = _measure(one, ask, open_bench, budget, rng)
            if answer is None:
                return
            journal.add(answer)
        one.history.tell(answer.seen(ask))
        names = {candidate.name: candidate for candidate in ask.candidates}
        one.failed |= {names[name]: why for name, why in answer.failed.items()}


def _asks(one: ProcessSearch) -> Iterator[Ask]:
    here = DEFAULT
    for setting in one.space.settings:
        runners = [here, *_values(here, setting)]
        yield from race(
            runners, one.history, first_samples=_FIRST_LAUNCHES, most_samples=_MOST_LAUNCHES
        )
        best = one.history.best(runners)
        if best is not None and one.history.surely_worse(here, best):
            here = best


def _values(here: Candidate, setting: Setting) -> list[Candidate]:
    if not setting.belongs_with(here.settings):
        return []
    return [here.with_value(setting.name, value.value) for value in setting.values]


def _measure(
    one: ProcessSearch, ask: Ask, open_bench: OpenBench, budget: Budget, rng: random.Random
) -> Answer | None:
    """None where the budget is spent before all have had their launches."""
    since = budget.spent()
    times: dict[str, list[float]] = {}
    failed: dict[str, str] = {}
    for _ in range(ask.samples):
        order = list(ask.candidates)
        rng.shuffle(order)  # drift hits all alike
        for environment in order:
            if budget.left() <= 0:
                return None
            taken, why = _launch(one, environment, open_bench)
            if why is not None:
                failed[environment.name] = why
            elif taken is not None:
                times.setdefault(environment.name, []).append(taken)
    return Answer(
        point=None,
        environment={},
        samples=ask.samples,
        times_us={name: values for name, values in times.items() if name not in failed},
        failed=failed,
        seconds=budget.spent() - since,
        spent_seconds=budget.spent(),
    )


def _launch(
    one: ProcessSearch, environment: Candidate, open_bench: OpenBench
) -> tuple[float | None, str | None]:
    """What the workload takes in one launch, us; or why it cannot be said."""
    total = 0.0
    with open_bench(environment.settings) as bench:
        for point, winner in one.winners.items():
            seen = bench.measure(point, [winner], _SAMPLES, _MOST_SECONDS)
            if winner in seen.failed:
                return None, seen.failed[winner]
            total += point.weight * median(seen.times_us[winner])
    return total, None
