"""A race: candidates take turns, and who is surely worse than the best drops out.

Every strategy ends with one among those that it could not tell apart: picking the luckiest of
many short looks would find noise.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from busbar.tune.ask import Ask
from busbar.tune.candidate import Candidate
from busbar.tune.history import History

GOOD_ENOUGH = 1.02
"""Contenders that cannot differ by more are not told apart: which of them wins does not matter."""
MOST_SAMPLES = 640
"""Of one candidate. The median of so many, 10 % noise each, is known within 1 %."""
_AT_ONCE = 12
"""Candidates in one visit. Nobody waits long for a turn, and drift hits all alike."""


def race(
    runners: Iterable[Candidate],
    history: History,
    *,
    first_samples: int = 4,
    good_enough: float = GOOD_ENOUGH,
    most_samples: int = MOST_SAMPLES,
) -> Iterator[Ask]:
    """Ask for more of those that are still in it, twice as many samples each time."""
    left = list(dict.fromkeys(runners))
    samples = first_samples
    while len(left) > 1 and not _settled(left, history, good_enough, most_samples):
        yield from visits(left, samples)
        left = history.contenders(left)
        samples = min(2 * samples, max(1, most_samples // 4))


def visits(candidates: Iterable[Candidate], samples: int) -> Iterator[Ask]:
    """All of them, in visits of as many as may take turns."""
    rest = list(candidates)
    count = -(-len(rest) // _AT_ONCE)
    for n in range(count):
        yield Ask(tuple(rest[n::count]), samples)


def _settled(
    left: list[Candidate], history: History, good_enough: float, most_samples: int
) -> bool:
    known = [history.estimate(candidate) for candidate in left]
    if any(estimate is None for estimate in known):
        return False
    if min(estimate.samples for estimate in known if estimate is not None) >= most_samples:
        return True
    best = history.ranked(left)[0]
    return all(history.most_lost(best, other) <= good_enough for other in left if other != best)
