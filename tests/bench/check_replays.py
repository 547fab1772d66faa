"""How often the judge cries wolf at a sound system of 1,000 hosts, and how often it misses a port.

python tests/bench/check_replays.py [RUNS [PAIRS]]    exit 1 unless, of RUNS (2000) runs of 1,000
    rows and PAIRS (300) of 1,000 hosts' pairs, resampled from recorded launches and blocks
    (`tests/python/replays.py`),
    with nothing wrong: at most 1 % fail a row or name anybody, both together;
    with one direction of one host's port at 80 %, another one each time: at least 99 % fail rows of
    its island and of no other, and at least 99 % name just that host and direction.

    Rows that lie exactly at their limit, which is the worst a sound system can be: of 10 times as
    many runs at most 1 % (and chance) fail any of 1,000 rows. Their launches are normal, and have a
    share in common, from none to nearly all.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from scipy.special import stdtr

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "python"))

from busbar.check import Verdict
from busbar.check.discovery import RATE, control
from busbar.pairs.blame import blame
from replays import (
    ISLAND_HOSTS,
    Island,
    Recorded,
    island_of,
    judged_island,
    recorded,
    recorded_pairs,
    replay_pairs,
    run_of,
)

HOSTS = 1000
ISLANDS = HOSTS // ISLAND_HOSTS
ROWS_EACH = 4  # of an island of four hosts: a row for each host
POOL = 20 * ISLANDS  # islands of which each run draws its own
ISOLATED = 4  # pairs of each host, as `busbar run --pattern pairs` takes beyond 16 ranks
MOST_FALSE = 0.01
LEAST_FOUND = 0.99
LAUNCHES = (2, 3, 5, 10)
SHARED = (0.0, 0.2, 0.5, 0.9, 0.99)


def failed_islands(islands: list[Island]) -> set[int]:
    """Those of which a row is negative."""
    negative = (Verdict.FAIL, Verdict.IMPOSSIBLE)
    return {island_of(row.label) for row in run_of(islands) if row.verdict in negative}


def rows(source: Recorded, runs: int) -> tuple[float, float]:
    """Shares of runs that alarm with nothing wrong, and that find a slow port."""
    pool = [judged_island(source, n, ROWS_EACH, seed=1) for n in range(POOL)]
    slow = [judged_island(source, n, ROWS_EACH, seed=2, slow_rank=n % 2) for n in range(POOL)]
    verdicts = [row.verdict for island in pool for row in island.rows]
    print(f"islands: {verdicts.count(Verdict.UNSURE) / len(verdicts):.1%} of sound rows are unsure")
    chance = np.random.default_rng(1)
    alarmed = found = 0
    for _ in range(runs):
        drawn = [pool[n] for n in chance.choice(POOL, ISLANDS, replace=False)]
        alarmed += bool(failed_islands(drawn))
        place = int(chance.integers(POOL))
        others = [pool[n] for n in chance.choice(POOL, ISLANDS, replace=False) if n != place]
        found += failed_islands([slow[place], *others[1:]]) == {place}
    print(f"rows, nothing wrong: {alarmed} of {runs} runs fail")
    print(f"rows, one port at 80 %: {found} of {runs} runs fail those of its island alone")
    return alarmed / runs, found / runs


def pairs(runs: int) -> tuple[float, float]:
    """The same of pairs."""
    source = recorded_pairs()
    alarmed = found = 0
    for seed in range(runs):
        alarmed += bool(blame(replay_pairs(source, HOSTS, ISOLATED, seed)).culprits)
        host, way = seed * 7919 % HOSTS, ("egress", "ingress")[seed % 2]
        said = blame(replay_pairs(source, HOSTS, ISOLATED, runs + seed, (host, way))).culprits
        found += [(c.name, c.kind.value) for c in said] == [(f"host{host + 1}", f"host {way}")]
    print(f"pairs, nothing wrong: {alarmed} of {runs} runs name anybody")
    print(f"pairs, one port at 80 %: {found} of {runs} runs name it alone")
    return alarmed / runs, found / runs


def at_the_limit(runs: int) -> Iterator[tuple[int, float, float]]:
    """Launches, what they have in common, and the share of runs that fail any row."""
    chance = np.random.default_rng(1)
    for launches in LAUNCHES:
        for shared in SHARED:
            failed = 0
            for _ in range(runs):
                own = chance.standard_normal((launches, HOSTS))
                common = chance.standard_normal((launches, 1))
                x = np.sqrt(1 - shared) * own + np.sqrt(shared) * common
                t = x.mean(0) / (x.std(0, ddof=1) / np.sqrt(launches))
                failed += bool(control(stdtr(launches - 1, t).tolist()).proven)
            yield launches, shared, failed / runs


def main() -> int:
    """Replay, print, decide."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    of_pairs = int(sys.argv[2]) if len(sys.argv) > 2 else 300
    false_rows, found_rows = rows(recorded(), runs)
    false_pairs, found_pairs = pairs(of_pairs)
    worst = 0.0
    for launches, shared, share in at_the_limit(10 * runs):
        worst = max(worst, share)
        print(f"at the limit, {launches} launches, {shared:.2f} in common: {share:.2%} fail")
    chance = 4 * (RATE * (1 - RATE) / (10 * runs)) ** 0.5
    holds = (
        false_rows + false_pairs <= MOST_FALSE
        and min(found_rows, found_pairs) >= LEAST_FOUND
        and worst <= RATE + chance
    )
    print("holds" if holds else "does not hold")
    return int(not holds)


if __name__ == "__main__":
    sys.exit(main())
