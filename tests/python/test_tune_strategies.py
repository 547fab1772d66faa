"""Strategies on a transport whose cost is known: 10 % noise, and 3 % of samples far off."""

from __future__ import annotations

import itertools
import random
from concurrent.futures import ProcessPoolExecutor

import pytest

import planted
from busbar.tune.candidate import DEFAULT, Candidate
from busbar.tune.history import History
from busbar.tune.race import GOOD_ENOUGH, race
from busbar.tune.strategies import STRATEGIES, strategy

SEEDS = 100


def _share(name: str, seed: int) -> float:
    truth = planted.Planted(seed)
    return truth.share_of_optimum(planted.search(STRATEGIES[name], truth, seed))


@pytest.mark.parametrize("name", STRATEGIES)
def test_the_optimum_is_found_in_95_of_100_seeds(name: str) -> None:
    with ProcessPoolExecutor() as pool:
        shares = list(pool.map(_share, [name] * SEEDS, range(SEEDS), chunksize=10))
    assert sum(share >= 0.98 for share in shares) >= 95, sorted(shares)[:10]


def test_looking_briefly_first_costs_a_fraction_of_looking_everywhere() -> None:
    spent = dict.fromkeys(("halving", "exhaustive"), 0.0)
    for name, seed in itertools.product(spent, range(20)):
        truth = planted.Planted(seed, noise=0.02)
        planted.search(strategy(name), truth, seed)
        spent[name] += truth.spent_us
    assert spent["halving"] < 0.2 * spent["exhaustive"]


@pytest.mark.parametrize("name", STRATEGIES)
def test_the_same_seed_asks_the_same(name: str) -> None:
    asked = []
    for _ in range(2):
        truth, history, asks = planted.Planted(3), History(), []
        for ask in STRATEGIES[name](planted.SPACE, history, random.Random(3)):
            asks.append(ask)
            history.tell({c: truth.measure(c, ask.samples) for c in ask.candidates})
        asked.append(asks)
    assert asked[0] == asked[1]


@pytest.mark.parametrize("name", STRATEGIES)
def test_candidates_that_fail_never_win(name: str) -> None:
    truth, history = planted.Planted(5), History()
    for ask in STRATEGIES[name](planted.SPACE, history, random.Random(5)):
        history.tell(
            {
                c: [float("inf")] * ask.samples
                if c.settings.get("algorithm") == "nvls"
                else truth.measure(c, ask.samples)
                for c in ask.candidates
            }
        )
    best = history.best()
    assert best is not None and best.settings.get("algorithm") != "nvls"


def test_a_race_among_equals_ends() -> None:
    history, asked = History(), 0
    for ask in race([DEFAULT, Candidate.of({"a": "1"})], history):
        asked += ask.samples
        rng = random.Random(asked)
        history.tell({c: [rng.gauss(100, 10) for _ in range(ask.samples)] for c in ask.candidates})
    assert asked < 2000


def test_a_race_drops_only_who_is_surely_worse() -> None:
    near, far = Candidate.of({"a": "1"}), Candidate.of({"a": "2"})
    history, rng, seen = History(), random.Random(1), []
    true = {DEFAULT: 100.0, near: 100.0 * (1 + (GOOD_ENOUGH - 1) / 2), far: 150.0}
    for ask in race(true, history, first_samples=8):
        seen.append(set(ask.candidates))
        history.tell(
            {c: [rng.gauss(true[c], 5) for _ in range(ask.samples)] for c in ask.candidates}
        )
    assert far in seen[0]
    assert far not in seen[-1]
    assert {DEFAULT, near} <= seen[-1]
