"""Folders as `busbar tune` leaves them, of times that are made up: nothing measured them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import factories
from busbar.record.fold import fold
from busbar.record.journal import write_record
from busbar.record.lines import EndLine, JournalLine, RunLine
from busbar.record.models import SCHEMA_VERSION, RunRecord
from busbar.theory.scaling import growth
from busbar.tune.candidate import DEFAULT, Candidate
from busbar.tune.conclude import conclude
from busbar.tune.files import Folder
from busbar.tune.journal import Answer, Pruned, SearchJournal, SystemLine
from busbar.tune.naming import algorithm_of
from busbar.tune.points import TunePoint
from busbar.tune.prove import Contest
from busbar.tune.search import PointSearch
from busbar.tune.space import PointSpace, load_space
from busbar.tune.strategies import STRATEGIES
from busbar.tune.tuned import Cost, MadeFor, Tuned

KIB, MIB = 1 << 10, 1 << 20
ALGORITHM = "coll_tuned_allreduce_algorithm"
RATE_BYTES_PER_US = 50.0
"""400 Mbit/s."""
BEYOND = 1.03
"""A size's own deviation from latency and bandwidth, up or down: no real curve is two constants."""


@dataclass(frozen=True)
class FolderSpec:
    """What is in it."""

    ops: Sequence[str] = ("all_reduce", "all_gather")
    sizes: Sequence[int] = (64 * KIB, 256 * KIB, MIB, 4 * MIB)
    ranks: int = 4
    gain: float = 1.3
    """Of the proof's winners over the default; 1 leaves nothing kept."""
    seed: int = 1
    fake: bool = True
    on: str = "emulated"
    failing: bool = True
    """Whether a candidate gives wrong data."""


def write_folder(path: Path, spec: FolderSpec) -> Path:
    """A whole folder: the search's journal, the proof's record, and what came of them."""
    path.mkdir(parents=True)
    folder, rng = Folder(path), random.Random(spec.seed)
    command = ["tune", *spec.ops, "--on", spec.on]
    with SearchJournal.create(folder.search, command, factories.STARTED) as journal:
        journal.meet(
            SystemLine(fingerprint="0f1e2d", versions=VERSIONS, nodes=spec.ranks, fake=spec.fake)
        )
        searches = [
            _searched(journal, spec, op, size, rng) for op in spec.ops for size in spec.sizes
        ]
    contests = [
        Contest(one.point, best, one.space.short_name(best))
        for one in searches
        if (best := one.best()) != DEFAULT
    ]
    proof = _proof(contests, searches, spec) if contests and spec.ranks == factories.HOSTS else None
    if proof is not None:
        write_record(proof, folder.proof)
    found = conclude(searches, contests, proof)
    tuned = Tuned(
        made_for=MadeFor(
            transport="mpi", fabric="emulated-4x400m", on=spec.on, versions=VERSIONS,
            nodes=spec.ranks, ranks=spec.ranks, fake=spec.fake, simulated=spec.on == "simulated",
            made=factories.FINISHED,
        ),
        workload="a sweep, every point the same share of time",
        environment={},
        choices=found.choices,
        total_gain=found.total_gain,
        total_gain_interval=found.total_interval,
        cost=Cost(
            search_seconds=42.5, proof_seconds=61.0, strategy="halving",
            candidates_measured=sum(len(one.history.samples) for one in searches),
            candidates=sum(len(one.space.candidates) for one in searches),
        ),
    )  # fmt: skip
    folder.tuned.write_text(tuned.model_dump_json(indent=1) + "\n", encoding="utf-8")
    return path


VERSIONS = {"busbar": "0.1.0", "mpi": "Open MPI v4.1.4"}


def _proof(
    contests: Sequence[Contest], searches: Sequence[PointSearch], spec: FolderSpec
) -> RunRecord:
    """Five launches in which the default takes what it took in the search, the others by `gain`."""
    rng = random.Random(spec.seed)
    default_us = {one.point: _median(one) for one in searches}
    rows = {
        factories.Row(key.op, key.size_bytes, variant=name): default_us[contest.point] / gain
        for contest in contests
        for key in [contest.point.key]
        for name, gain in (("default", 1.0), (contest.variant.name, _gain(contest, spec)))
    }
    example = factories.Example(rows=list(rows))
    run = factories.run(example)
    variants = {contest.variant.name: contest.variant for contest in contests}
    named = [variants.get(variant.name, variant) for variant in run.plan.variants]
    plan = run.plan.model_copy(update={"variants": named})
    lines: list[JournalLine] = [
        RunLine(schema_version=SCHEMA_VERSION, run=run.model_copy(update={"plan": plan}))
    ]
    for launch in range(example.launches):
        lines.append(factories.launch_line(launch))
        for row, time_us in rows.items():
            centre = time_us * rng.gauss(1.0, 0.003)
            samples = [centre * rng.uniform(0.999, 1.001) for _ in range(20)]
            lines.append(factories.block_line(row, launch, samples))
    return fold([*lines, EndLine(finished=factories.FINISHED, status="complete")])


def _median(one: PointSearch) -> float:
    estimate = one.history.estimate(DEFAULT)
    assert estimate is not None
    return estimate.median


def _gain(contest: Contest, spec: FolderSpec) -> float:
    """The smallest size gains nothing, so that something is tried and not kept."""
    return 1.0 if contest.point.key.size_bytes == min(spec.sizes) else spec.gain


def _searched(
    journal: SearchJournal, spec: FolderSpec, op: str, size: int, rng: random.Random
) -> PointSearch:
    """A search for one point, and its lines in the journal."""
    space = load_space("mpi").of_calls(op, spec.ranks)
    key = factories.point_key(op, size, nodes=None, ranks=spec.ranks)
    one = PointSearch(TunePoint(key, 1.0), space, STRATEGIES["halving"], finished=True)
    times, failed, least = {}, {}, {}
    for candidate in space.candidates:
        if spec.failing and candidate == space.candidates[-1]:
            failed[candidate] = "17 wrong elements"
        elif candidate.values and candidate.values[0][1] == "1":
            least[candidate] = 6 * size / RATE_BYTES_PER_US
        else:
            time = _time_us(space, op, candidate, size, spec.ranks) * rng.uniform(
                1 / BEYOND, BEYOND
            )
            times[candidate] = [time * rng.uniform(0.99, 1.01) for _ in range(40)]
    one.history.tell(times)
    journal.add(
        Answer(
            point=key, environment={}, samples=40, seconds=0.5, spent_seconds=1.0,
            times_us={c.name: values for c, values in times.items()},
            failed={c.name: why for c, why in failed.items()},
        )
    )  # fmt: skip
    journal.note_pruned(
        Pruned(point=key, environment={}, least_us={c.name: us for c, us in least.items()})
    )
    return one


def _time_us(space: PointSpace, op: str, candidate: Candidate, size: int, ranks: int) -> float:
    """By theory's model where it has one; otherwise some way above the ring's."""
    algorithm = algorithm_of(space, op, candidate)
    known = algorithm or ("pairwise" if op == "all_to_all" else "ring")
    takes = growth(op, known, ranks)
    assert takes is not None
    slower = 1.0 if algorithm else 1.45 if candidate == DEFAULT else 1.15
    slower *= 4.0 if candidate.values and candidate.values[0][1] == "2" else 1.0
    slower *= 1.0 + 0.03 * (len(candidate.name) % 7)
    return slower * (40.0 * takes.messages + takes.bytes_share * size / RATE_BYTES_PER_US)
