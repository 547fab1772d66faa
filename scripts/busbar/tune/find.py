"""The search stage: first what live processes can try, then what needs fresh ones."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from busbar.tune.ask import Ask, Strategy
from busbar.tune.bench import Bench
from busbar.tune.budget import Budget
from busbar.tune.candidate import DEFAULT, Candidate
from busbar.tune.history import History
from busbar.tune.journal import SearchJournal
from busbar.tune.points import TunePoint
from busbar.tune.processes import ProcessSearch, search_processes
from busbar.tune.prove import Contest
from busbar.tune.race import race
from busbar.tune.search import LeastUs, PointSearch, Surroundings, Watcher, search
from busbar.tune.space import PointSpace

_FOR_CALLS = 0.6
"""Share of the budget for what live processes can try, where fresh ones are tried as well."""
_FINALISTS = 6
"""Candidates of a point that race again where processes have been given other settings."""

OpenBench = Callable[[Mapping[str, str]], AbstractContextManager[Bench]]
"""Launches with these variables, beyond what all have."""


@dataclass(frozen=True)
class Means:
    """What a search stage is given."""

    open_bench: OpenBench
    journal: SearchJournal
    watcher: Watcher
    least_us: LeastUs
    budget_seconds: float
    seed: int
    exact: bool = False
    """Whether nothing needs to be measured twice."""


@dataclass(frozen=True)
class Found:
    """What a search stage thinks; nothing of it is proven."""

    searches: list[PointSearch]
    environment: Candidate = DEFAULT
    """Settings of scope `process`."""
    under_environment: list[PointSearch] = dataclasses.field(default_factory=list)
    """The same points in launches with it; empty where it is the default."""

    def contests(self) -> list[Contest]:
        """What is to be proven: each winner, and with an environment each winner under it."""
        found = [
            Contest(one.point, best, one.space.short_name(best), search_us=one.times_us(best))
            for one in self.searches
            if (best := one.best()) != DEFAULT
        ]
        return found + [
            Contest(one.point, best, one.space.short_name(best), self.environment)
            for one in self.under_environment
            for best in [one.best()]
        ]


def find(searches: Sequence[PointSearch], processes: PointSpace, even: bool, means: Means) -> Found:
    """Search for every point, and then for what the processes are given.

    `even` gives every point the same share of the workload's time, whatever its weight says.
    """
    share = _FOR_CALLS if processes.settings else 1.0
    for_calls = Budget(share * means.budget_seconds, means.journal.spent_seconds)
    _search(searches, {}, for_calls, means)
    weighted = [_even(one) if even else one for one in searches]
    if not processes.settings:
        return Found(weighted)
    budget = Budget(means.budget_seconds, for_calls.spent())
    outer = ProcessSearch(processes, {one.point: one.best() for one in weighted})
    search_processes(outer, means.open_bench, means.journal, budget, means.seed)
    environment = outer.best()
    if environment == DEFAULT:
        return Found(weighted)
    again = [_again(one) for one in weighted]
    _search(again, environment.settings, budget, means)
    return Found(weighted, environment, again)


def _search(
    searches: Sequence[PointSearch], environment: Mapping[str, str], budget: Budget, means: Means
) -> None:
    with means.open_bench(environment) as bench:
        here = Surroundings(bench, means.journal, budget, means.watcher, environment, means.exact)
        search(searches, here, least_us=means.least_us, seed=means.seed)


def _even(one: PointSearch) -> PointSearch:
    default = one.history.estimate(DEFAULT)
    if default is None:
        return one
    point: TunePoint = dataclasses.replace(one.point, weight=1.0 / default.median)
    return dataclasses.replace(one, point=point)


def _again(one: PointSearch) -> PointSearch:
    """The finalists race once more: other processes, another winner perhaps."""
    finalists = one.history.ranked(one.history.samples)[:_FINALISTS]
    return PointSearch(one.point, one.space, _race_of(finalists), pruned=one.pruned)


def _race_of(runners: Sequence[Candidate]) -> Strategy:
    def strategy(space: PointSpace, history: History, rng: random.Random) -> Iterator[Ask]:
        yield from race(runners, history)

    return strategy
