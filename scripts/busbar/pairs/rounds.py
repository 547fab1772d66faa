"""Which pairs to measure when: rounds of pairs that share no endpoint.

Endpoints are numbers from 0; a pair is directed. Each pattern uses every endpoint equally often,
or says which it leaves idle. A round of one pair is an isolated measurement.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from busbar.errors import UsageError
from busbar.record.key import format_ranks

PAIR_OPERATION = "one_way"
"""The root of a communicator sends, the next rank receives."""


class Pair(NamedTuple):
    """One direction between two endpoints."""

    source: int
    target: int

    def back(self) -> Pair:
        """The other direction."""
        return Pair(self.target, self.source)


Round = tuple[Pair, ...]
"""Pairs that are measured at the same time; no endpoint occurs twice."""


@dataclass(frozen=True)
class Request:
    """What the engine is asked for: parts of two ranks, and which of the two sends."""

    parts: tuple[str, ...]
    root: int
    """0: the lower rank sends; 1: the higher."""


@dataclass(frozen=True)
class Sample:
    """Pairs drawn at random, and how much of all pairs they are."""

    rounds: tuple[Round, ...]
    covered: float
    """Share of all directed pairs."""


@dataclass(frozen=True)
class Fan:
    """One endpoint and those that send to it (incast) or receive from it (outcast)."""

    centre: int
    others: tuple[int, ...]


def all_pairs(endpoints: int) -> tuple[Round, ...]:
    """Every two endpoints once, in both directions: 2(n-1) rounds, 2n with one idle if n is odd.

    Circle method: one endpoint stays, the others move on by one place per round.
    """
    _refuse_few(endpoints)
    turns = (_turn(endpoints, turn) for turn in range(_turns(endpoints)))
    return tuple(way for one in turns for way in both_ways(one))


def both_ways(one: Round) -> tuple[Round, Round]:
    """A round, and the same with every pair turned round."""
    return one, tuple(pair.back() for pair in one)


def isolated(pairs: Iterable[Pair]) -> tuple[Round, ...]:
    """Each pair alone."""
    return tuple((pair,) for pair in pairs)


def ring_shift(endpoints: int, distance: int) -> tuple[Pair, ...]:
    """Everyone sends `distance` further: n pairs that are no round, since all send and receive."""
    _refuse_few(endpoints)
    if not 1 <= distance < endpoints:
        raise UsageError(f"shift {distance}: accepted for {endpoints} endpoints is 1 to one less.")
    return tuple(Pair(i, (i + distance) % endpoints) for i in range(endpoints))


def ring_shifts(endpoints: int) -> tuple[tuple[Pair, ...], ...]:
    """Every shift: together all directed pairs."""
    _refuse_few(endpoints)
    return tuple(ring_shift(endpoints, distance) for distance in range(1, endpoints))


def rounds_of(pairs: Iterable[Pair]) -> tuple[Round, ...]:
    """Pairs put into rounds, each into the first that has neither of its endpoints yet.

    A shift needs two rounds, three where it runs through an odd number of endpoints: its pairs are
    followed along their chains.
    """
    rounds: list[list[Pair]] = []
    busy: list[set[int]] = []
    for pair in _along_chains(pairs):
        at = next((k for k, used in enumerate(busy) if not used.intersection(pair)), len(busy))
        if at == len(busy):
            busy.append(set())
            rounds.append([])
        busy[at].update(pair)
        rounds[at].append(pair)
    return tuple(tuple(one) for one in rounds)


def worst_bisection(leaves: Sequence[Sequence[int]]) -> Round:
    """Every endpoint of one half of the leaves with one of the other half: all cross the middle.

    Where the halves are not of one size, the larger leaves some idle. Raises UsageError for fewer
    than two leaves that have endpoints.
    """
    filled = [leaf for leaf in leaves if leaf]
    if len(filled) < 2:
        raise UsageError(f"{len(filled)} leaves with endpoints: a bisection takes two or more.")
    half = sum(map(len, filled)) / 2
    cut = min(range(1, len(filled)), key=lambda k: abs(sum(map(len, filled[:k])) - half))
    left = [endpoint for leaf in filled[:cut] for endpoint in leaf]
    right = [endpoint for leaf in filled[cut:] for endpoint in leaf]
    return tuple(Pair(a, b) for a, b in zip(left, right, strict=False))


def random_bisection(endpoints: int, seed: int) -> Round:
    """A perfect matching at random; with an odd number one endpoint is idle."""
    _refuse_few(endpoints)
    order = list(range(endpoints))
    random.Random(seed).shuffle(order)
    return tuple(Pair(a, b) for a, b in zip(order[::2], order[1::2], strict=False))


def fans(endpoints: int, width: int) -> tuple[Fan, ...]:
    """Everyone once the centre, of the `width` endpoints after it: each is among others as often.

    An incast where the others send, an outcast where the centre does.
    """
    _refuse_few(endpoints)
    if not 1 <= width < endpoints:
        raise UsageError(f"width {width}: accepted for {endpoints} endpoints is 1 to one less.")
    return tuple(
        Fan(i, tuple((i + k) % endpoints for k in range(1, width + 1))) for i in range(endpoints)
    )


def sample(endpoints: int, budget: int, seed: int) -> Sample:
    """At most `budget` directed pairs at random, every endpoint as often as the others.

    Whole rounds of a tournament among endpoints in random order, half of them turned round; only
    where the budget is less than one round, or ends within one, are some endpoints left out of it.
    """
    _refuse_few(endpoints)
    if budget < 1:
        raise UsageError(f"budget of {budget} pairs: accepted is 1 or more.")
    chance = random.Random(seed)
    order = list(range(endpoints))
    chance.shuffle(order)
    ways = [(turn, back) for turn in range(_turns(endpoints)) for back in (False, True)]
    chance.shuffle(ways)
    taken: list[Round] = []
    left = budget
    for turn, back in ways:
        if not left:
            break
        one = _turn(endpoints, turn)
        named = [Pair(order[a], order[b]) for a, b in both_ways(one)[back]]
        if left < len(named):
            chance.shuffle(named)
        taken.append(tuple(named[:left]))
        left -= len(taken[-1])
    covered = (budget - left) / (endpoints * (endpoints - 1))
    return Sample(tuple(taken), covered)


def requests(one: Round, ranks: Sequence[int]) -> tuple[Request, ...]:
    """A round as the engine takes it; `ranks` are those of the endpoints.

    Which of its two ranks sends is the same for all parts of a request, so a round in which both
    occur becomes two.
    """
    found: dict[int, list[str]] = {}
    for source, target in one:
        a, b = ranks[source], ranks[target]
        found.setdefault(int(a > b), []).append(format_ranks((a, b)))
    return tuple(Request(tuple(parts), root) for root, parts in sorted(found.items()))


def _turns(endpoints: int) -> int:
    """With an odd number, one plays in turns against a place that nobody has."""
    return endpoints - 1 + endpoints % 2


def _turn(endpoints: int, turn: int) -> Round:
    """One round of a tournament, the lower endpoint first."""
    last = _turns(endpoints)
    pairs = [(turn, last)]
    pairs += [((turn + k) % last, (turn - k) % last) for k in range(1, (last + 1) // 2)]
    return tuple(
        Pair(a, b) if a < b else Pair(b, a) for a, b in pairs if a < endpoints and b < endpoints
    )


def _along_chains(pairs: Iterable[Pair]) -> Iterable[Pair]:
    """The pairs so that where possible each begins where the one before ended."""
    left: dict[int, list[Pair]] = {}
    for pair in pairs:
        left.setdefault(pair.source, []).append(pair)
    for start in list(left):
        at = start
        while left.get(at):
            pair = left[at].pop()
            yield pair
            at = pair.target


def _refuse_few(endpoints: int) -> None:
    if endpoints < 2:
        raise UsageError(f"{endpoints} endpoints: a pair takes 2 or more.")
