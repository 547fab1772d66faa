"""The search among what can be tried in live processes: every point of the workload in turn."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from busbar.errors import BusbarError, ExitCode
from busbar.tune.ask import Ask, Strategy
from busbar.tune.bench import Bench
from busbar.tune.budget import Budget
from busbar.tune.candidate import DEFAULT, Candidate
from busbar.tune.certainty import LEAST_GAIN
from busbar.tune.history import History
from busbar.tune.journal import Answer, Pruned, SearchJournal
from busbar.tune.points import TunePoint
from busbar.tune.space import PointSpace

LeastUs = Callable[[TunePoint, Candidate], float | None]
"""Microseconds below which a candidate cannot get, by theory; None where theory says nothing."""

_FIRST_LOOK = 8
"""Samples of the default before anything else: all others are compared with it."""
_MOST_SECONDS = 1.0
"""Of one block; a block that would take longer has fewer samples."""


@dataclass
class PointSearch:
    """The search for one point."""

    point: TunePoint
    space: PointSpace
    strategy: Strategy
    history: History = field(default_factory=History)
    pruned: dict[Candidate, float] = field(default_factory=dict)
    """By theory, and the microseconds that it cannot get below."""
    failed: dict[Candidate, str] = field(default_factory=dict)
    seconds: float = 0.0
    """That its answers took."""
    finished: bool = False
    """The strategy came to its end; otherwise the budget did."""

    def times_us(self, candidate: Candidate) -> tuple[float, float] | None:
        """The default's median and the candidate's; None where one was not measured."""
        default, own = self.history.estimate(DEFAULT), self.history.estimate(candidate)
        return (default.median, own.median) if default and own else None

    def best(self) -> Candidate:
        """The fastest by its median, unless it gains less over the default than is worth a setting.

        It need not be surely faster: that is for the proof to say, whose launches see more.
        """
        found, default = self.history.best(), self.history.estimate(DEFAULT)
        fastest = self.history.estimate(found) if found is not None else None
        if found is None or fastest is None or default is None:
            return DEFAULT
        return found if default.median > LEAST_GAIN * fastest.median else DEFAULT


class DefaultFails(BusbarError):
    """What is to be made faster does not work: wrong data, a hang, or a launch that died."""

    exit_code = ExitCode.NEGATIVE


class Watcher(Protocol):
    """Who is told how a search goes on."""

    def answered(self, search: PointSearch, budget: Budget) -> None:
        """One ask has been answered."""

    def failed(self, point: TunePoint, candidate: Candidate, why: str) -> None:
        """A candidate must not be used."""


@dataclass(frozen=True)
class Surroundings:
    """What the searches of all points share."""

    bench: Bench
    journal: SearchJournal
    budget: Budget
    watcher: Watcher
    environment: Mapping[str, str]
    """Of the launches, beyond what all have: settings of scope `process`."""
    exact: bool = False
    """Whether whoever measures again sees the same: then nothing is measured twice."""


def search(
    searches: Sequence[PointSearch], here: Surroundings, *, least_us: LeastUs, seed: int
) -> None:
    """Let every point's strategy ask, until all have found or the budget is spent.

    Next is always the point that has had the least time: large messages do not starve small ones.
    """
    _take_turns(searches, here, least_us, seed)
    for one in searches:
        least = {candidate.name: us for candidate, us in one.pruned.items()}
        here.journal.note_pruned(
            Pruned(point=one.point.key, environment=dict(here.environment), least_us=least)
        )


def _take_turns(
    searches: Sequence[PointSearch], here: Surroundings, least_us: LeastUs, seed: int
) -> None:
    waiting = [(one, _asks(one, least_us, _rng(one, seed), here.exact)) for one in searches]
    while waiting:
        turn = min(waiting, key=lambda pair: pair[0].seconds)
        one, asks = turn
        ask = next(asks, None)
        if ask is None:
            one.finished = True
            waiting.remove(turn)
        elif _answer(one, ask, here):
            here.watcher.answered(one, here.budget)
        else:
            return


def _rng(one: PointSearch, seed: int) -> random.Random:
    return random.Random(f"{seed} {one.point.label}")


def _asks(one: PointSearch, least_us: LeastUs, rng: random.Random, exact: bool) -> Iterator[Ask]:
    """The strategy's, after a look at the default, and without what cannot win or is known."""
    if exact:
        yield from _looks(one, least_us, rng)
        return
    yield Ask((DEFAULT,), _FIRST_LOOK)
    for ask in one.strategy(one.space, one.history, rng):
        left = tuple(c for c in ask.candidates if not _hopeless(one, c, least_us))
        if left:
            yield Ask(left, ask.samples)


def _looks(one: PointSearch, least_us: LeastUs, rng: random.Random) -> Iterator[Ask]:
    """The same where one sample says all: nobody takes turns, and the budget can end it sooner."""
    yield Ask((DEFAULT,), 1)
    for ask in one.strategy(one.space, one.history, rng):
        for candidate in ask.candidates:
            if candidate not in one.history.samples and not _hopeless(one, candidate, least_us):
                yield Ask((candidate,), 1)


def _hopeless(one: PointSearch, candidate: Candidate, least_us: LeastUs) -> bool:
    """Whether theory says that it is slower than what has been seen already."""
    if candidate in one.history.samples:
        return False  # what was measured speaks for itself
    best = one.history.best()
    estimate = one.history.estimate(best) if best is not None else None
    least = least_us(one.point, candidate)
    if estimate is None or least is None or least <= estimate.high:
        return False
    one.pruned[candidate] = least
    return True


def _answer(one: PointSearch, ask: Ask, here: Surroundings) -> bool:
    """Measure it, or take it from the journal; false where the budget is spent."""
    environment = dict(here.environment)
    answer = here.journal.known(one.point.key, environment)
    if answer is None:
        left = here.budget.left()
        if left <= 0:
            return False
        seconds = min(_MOST_SECONDS, left / len(ask.candidates))
        since = here.budget.spent()
        seen = here.bench.measure(one.point, ask.candidates, ask.samples, seconds)
        answer = Answer(
            point=one.point.key,
            environment=environment,
            samples=ask.samples,
            times_us={c.name: times for c, times in seen.times_us.items()},
            failed={c.name: why for c, why in seen.failed.items()},
            seconds=here.budget.spent() - since,
            spent_seconds=here.budget.spent(),
        )
        here.journal.add(answer)
    one.history.tell(answer.seen(ask))
    one.seconds += answer.seconds
    by_name = {candidate.name: candidate for candidate in ask.candidates}
    for name, why in answer.failed.items():
        one.failed[by_name[name]] = why
        here.watcher.failed(one.point, by_name[name], why)
        if by_name[name] == DEFAULT:
            raise DefaultFails(f"the default itself fails, so there is nothing to tune: {why}.")
    return True
