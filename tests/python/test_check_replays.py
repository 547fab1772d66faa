"""Runs resampled from recorded launches and blocks: no false alarm, and the slow port by its name.

Small and seeded; `tests/bench/check_replays.py` has runs of 1,000 hosts, a thousand of them.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from busbar.check import Verdict, check
from busbar.errors import ExitCode
from busbar.pairs.blame import blame
from replays import (
    Recorded,
    Slow,
    island_of,
    judged_island,
    recorded,
    recorded_pairs,
    replay,
    replay_pairs,
    run_of,
)


@pytest.fixture(scope="module")
def source() -> Recorded:
    return recorded()


def test_a_replay_is_a_record_like_any(source: Recorded) -> None:
    record = replay(source, range(3), 4, seed=1)
    again = type(record).model_validate_json(record.model_dump_json())
    assert len(again.points) == len(again.run.plan.rows) == 12
    assert check(again, source.fabric) == check(record, source.fabric)


def test_islands_judged_apart_are_a_run(source: Recorded) -> None:
    """What the benchmark saves is no judgement."""
    slow = Slow(island=2, rank=0)
    whole = check(replay(source, range(6), 4, 9, slow), source.fabric).rows
    apart = run_of(judged_island(source, n, 4, 9, 0 if n == 2 else None) for n in range(6))
    assert [replace(row, settle="") for row in whole] == list(apart)
    assert {row.verdict for row in whole} >= {Verdict.PASS, Verdict.FAIL}


@pytest.mark.parametrize("seed", range(3))
def test_sound_islands_fail_nothing(source: Recorded, seed: int) -> None:
    result = check(replay(source, range(25), 4, seed), source.fabric)
    assert result.exit_code in (ExitCode.HOLDS, ExitCode.INCOMPLETE)
    assert {row.verdict for row in result.rows} <= {Verdict.PASS, Verdict.UNSURE}


@pytest.mark.parametrize("seed", range(3))
def test_a_slow_port_fails_rows_of_its_island_alone(source: Recorded, seed: int) -> None:
    slow = Slow(island=7 * seed % 25, rank=0)
    result = check(replay(source, range(25), 4, seed, slow), source.fabric)
    failed = {island_of(row.label) for row in result.rows if row.verdict is Verdict.FAIL}
    assert failed == {slow.island}
    assert result.exit_code is ExitCode.NEGATIVE


@pytest.mark.parametrize("seed", range(3))
def test_pairs_name_the_slow_port_and_nobody_else(seed: int) -> None:
    source = recorded_pairs()
    assert blame(replay_pairs(source, 64, 4, seed)).culprits == ()
    way = ("egress", "ingress")[seed % 2]
    (culprit,) = blame(replay_pairs(source, 64, 4, seed, (5 + seed, way))).culprits
    assert (culprit.name, culprit.kind.value) == (f"host{6 + seed}", f"host {way}")
