"""How often the judge cries wolf at a sound system of 1,000 hosts, and how often it misses a port.

python tests/bench/check_replays.py [REPLAYS] [JOBS]    exit 1 unless, of REPLAYS (1000) runs,
    resampled from recorded launches and blocks (`tests/python/replays.py`), each of 1,000 rows and
    of 1,000 hosts' pairs,
    with nothing wrong: at most 1 % fail a row or name anybody;
    with one direction of one host's port at 80 %, another one each time: at least 99 % name it,
    and nobody else.

    Rows that lie exactly at their limit, which is the worst a sound system can be: of 20 runs for
    each replay at most 1 % (and chance) fail any of 1,000 rows. Their launches are normal, and have
    a share in common, from none to nearly all.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np
from scipy.special import stdtr

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "python"))

from busbar.check import Verdict, check
from busbar.check.discovery import RATE, control
from busbar.errors import ExitCode
from busbar.pairs.blame import blame
from replays import (
    ISLAND_HOSTS,
    Recorded,
    RecordedPairs,
    Slow,
    island_of,
    recorded,
    recorded_pairs,
    replay,
    replay_pairs,
)

HOSTS = 1000
ROWS_EACH = 4  # of an island of four hosts: a row for each host
ISOLATED = 4  # pairs of each host, as `busbar run --pattern pairs` takes beyond 16 ranks
MOST_FALSE = 0.01
LEAST_FOUND = 0.99
LAUNCHES = (2, 3, 5, 10)
SHARED = (0.0, 0.2, 0.5, 0.9, 0.99)


@dataclass(frozen=True)
class Outcome:
    """Of one run."""

    code: ExitCode
    islands: frozenset[int]
    """Whose rows failed."""
    culprits: tuple[str, ...]
    """Whom pairs name."""

    @property
    def alarmed(self) -> bool:
        return self.code is ExitCode.NEGATIVE or bool(self.culprits)


@cache
def sources() -> tuple[Recorded, RecordedPairs]:
    """Once for each process."""
    return recorded(), recorded_pairs()


def one(seed: int, slow_port: bool) -> tuple[Outcome, int, str]:
    """What a run says, the island of its slow port, and what pairs should name."""
    rows, pairs = sources()
    host = seed * 7919 % HOSTS
    way = ("egress", "ingress")[seed % 2]
    island, rank = divmod(host, ISLAND_HOSTS)
    slow = Slow(island, rank) if slow_port else None
    record = replay(rows, HOSTS // ISLAND_HOSTS, ROWS_EACH, seed, slow)
    result = check(record, rows.fabric)
    matrix = replay_pairs(pairs, HOSTS, ISOLATED, seed, (host, way) if slow_port else None)
    outcome = Outcome(
        result.exit_code,
        frozenset(island_of(r.label) for r in result.rows if r.verdict is Verdict.FAIL),
        tuple(f"{c.name} {c.kind.value}" for c in blame(matrix).culprits),
    )
    return outcome, island, f"host{host + 1} host {way}"


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
    replays = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    jobs = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    with ProcessPoolExecutor(jobs) as pool:
        sound = [x for x, _, _ in pool.map(partial(one, slow_port=False), range(replays))]
        slow = list(pool.map(partial(one, slow_port=True), range(replays, 2 * replays)))
    false = sum(x.alarmed for x in sound)
    by_rows = sum(x.islands == {island} for x, island, _ in slow)
    by_pairs = sum(x.culprits == (name,) for x, _, name in slow)
    wrong = sum(
        bool(x.islands - {island}) or bool(set(x.culprits) - {name}) for x, island, name in slow
    )
    found = sum(
        (x.islands == {island} or x.culprits == (name,))
        and not (x.islands - {island} or set(x.culprits) - {name})
        for x, island, name in slow
    )
    unsure = sum(x.code is ExitCode.INCOMPLETE for x in sound)
    print(f"nothing wrong: {false} of {replays} alarmed, {unsure} have rows that are unsure")
    print(
        f"one port at 80 %: {found} of {replays} found (its rows alone {by_rows}, its pairs alone "
        f"{by_pairs}), {wrong} named others as well"
    )
    worst = 0.0
    runs = 20 * replays
    for launches, shared, share in at_the_limit(runs):
        worst = max(worst, share)
        print(f"at the limit, {launches} launches, {shared:.2f} in common: {share:.2%} failed")
    chance = 4 * (RATE * (1 - RATE) / runs) ** 0.5
    holds = (
        false <= MOST_FALSE * replays and found >= LEAST_FOUND * replays and worst <= RATE + chance
    )
    print("holds" if holds else "does not hold")
    return int(not holds)


if __name__ == "__main__":
    sys.exit(main())
