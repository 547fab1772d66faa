"""Runs of a thousand hosts, resampled from what a few hosts were really measured to do.

A replay of rows is many copies of the recorded network, islands, in one record. Each island draws
its launches with replacement from the recorded ones, all of its rows alike, and each block draws
samples with replacement from the recorded block. A replay of pairs draws for each pair a recorded
healthy one, for each launch a recorded launch, and its samples likewise. A slow port takes 1.25
times as long, as one of which a fifth of the rate is gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from busbar import fabrics
from busbar.check import RowResult, Verdict, check
from busbar.check.compare import compared
from busbar.check.measured import Measured, measured
from busbar.check.rows import judged_rows
from busbar.check.thresholds import DEFAULT
from busbar.fabrics import Fabric
from busbar.pairs.matrix import Endpoint, Layer, PairMatrix, matrices
from busbar.pairs.rounds import sample
from busbar.record.figures import figures
from busbar.record.key import parse_ranks
from busbar.record.load import load
from busbar.record.models import Block, PlannedPoint, Point, RunRecord
from busbar.record.point import PointWire

RESULTS = Path(__file__).resolve().parents[2] / "results"
SLOW = 1 / 0.8
ISLAND_HOSTS = 4


@dataclass(frozen=True)
class Recorded:
    """A recorded network, and which of its rows are sound."""

    record: RunRecord
    fabric: Fabric
    points: tuple[Point, ...]


def recorded(name: str = "emulated-4x400m-in-network") -> Recorded:
    """A record of `results/`, with the rows that its judge passes: others are no sound system's."""
    record = load(RESULTS / f"{name}.json")
    fabric = fabrics.for_run(record.run)
    assert fabric is not None
    rows = check(record, fabric).rows
    passed = {row.key for row in rows if row.verdict is Verdict.PASS}
    points = tuple(point for point in record.points if point.key in passed)
    return Recorded(record, fabric, points)


@dataclass(frozen=True)
class Slow:
    """Which port is slow: of an island's rank."""

    island: int
    rank: int


def replay(
    source: Recorded, islands: Iterable[int], rows_each: int, seed: int, slow: Slow | None = None
) -> RunRecord:
    """A record of these islands, each with so many of the recorded rows.

    An island is the same in every record of a seed.
    """
    points = [p for n in islands for p in _island(source, n, rows_each, seed, slow)]
    measure = [launch for launch in source.record.launches if launch.purpose == "measure"]
    plan = source.record.run.plan.model_copy(
        update={
            "rows": [
                PlannedPoint.model_construct(key=p.key.planned(), need="required", evidence=None)
                for p in points
            ]
        }
    )
    run = source.record.run.model_copy(update={"plan": plan})
    return source.record.model_copy(update={"run": run, "launches": measure, "points": points})


@dataclass(frozen=True)
class Island:
    """One island's rows, each judged alone, as `check` does before it compares them."""

    rows: tuple[RowResult, ...]
    found: tuple[Measured, ...]


def judged_island(
    source: Recorded, number: int, rows_each: int, seed: int, slow_rank: int | None = None
) -> Island:
    """Judging rows is most of the work, so that islands are judged once and drawn for many runs."""
    slow = None if slow_rank is None else Slow(number, slow_rank)
    record = replay(source, [number], rows_each, seed, slow)
    rows = judged_rows(record, source.fabric, source.fabric.limits, DEFAULT)
    return Island(rows, tuple(measured(record, rows)))


def run_of(islands: Iterable[Island]) -> tuple[RowResult, ...]:
    """What `check` says of the rows of a record of these islands."""
    rows: list[RowResult] = []
    found: list[Measured] = []
    for island in islands:
        found += [replace(one, at=one.at + len(rows)) for one in island.found]
        rows += island.rows
    return compared(rows, found, DEFAULT)


def island_of(label: str) -> int:
    """From the label of a row."""
    return int(label.rpartition(" ")[2])


def _island(
    source: Recorded, number: int, rows_each: int, seed: int, slow: Slow | None
) -> Iterator[Point]:
    chance = np.random.default_rng((seed, number))
    ids = [launch.id for launch in source.record.launches if launch.purpose == "measure"]
    drawn = dict(zip(ids, chance.choice(ids, len(ids)).tolist(), strict=True))
    rows = chance.choice(len(source.points), min(rows_each, len(source.points)), replace=False)
    for row in rows:
        point = source.points[int(row)]
        ranks = parse_ranks(point.key.group.ranks)
        factor = SLOW if slow and slow.island == number and slow.rank in ranks else 1.0
        yield _point(point, number, drawn, factor, chance)


def _point(
    point: Point, number: int, drawn: dict[int, int], factor: float, chance: np.random.Generator
) -> Point:
    by_launch: dict[int, list[Block]] = {}
    for block in point.blocks:
        by_launch.setdefault(block.launch, []).append(block)
    blocks = [
        _block(block, launch, factor, chance)
        for launch, instead in drawn.items()
        for block in by_launch.get(instead, [])
    ]
    found = figures(blocks, blocks, point.algorithm_bytes, point.bus_factor)
    wire = PointWire(**dict(found.wire), expected={}) if found.wire else None
    group = point.key.group.model_copy(
        update={"name": f"{point.key.group.name} of island {number}"}
    )
    key = point.key.model_copy(update={"group": group})
    return point.model_copy(update={**vars(found), "key": key, "blocks": blocks, "wire": wire})


def _block(block: Block, launch: int, factor: float, chance: np.random.Generator) -> Block:
    count = len(block.samples_us)
    places = chance.integers(count, size=count).tolist()
    spoiled = set(block.spoiled_samples)
    return block.model_copy(
        update={
            "launch": launch,
            "samples_us": [factor * block.samples_us[place] for place in places],
            "spoiled_samples": [n for n, place in enumerate(places) if place in spoiled],
        }
    )


@dataclass(frozen=True)
class RecordedPairs:
    """Healthy pairs, each measured alone."""

    samples: NDArray[np.float64]
    """[launch][pair][sample]: logarithm of a time over the launch's median."""
    size_bytes: int


def recorded_pairs(name: str = "emulated-6x400m-slow-host3", slow: str = "host3") -> RecordedPairs:
    """Pairs of a record of `results/` that the slow host does not send."""
    record = load(RESULTS / f"{name}.json")
    (matrix,) = matrices(record)
    found: dict[tuple[int, str], list[float]] = {}
    for point in record.points:
        ranks = parse_ranks(point.key.group.ranks)
        sender = ranks[point.key.root or 0]
        if len(ranks) == 2 and matrix.endpoints[sender].host != slow:
            for block in point.blocks:
                found[block.launch, f"{point.key.group.ranks} {sender}"] = block.samples_us
    launches = sorted({launch for launch, _ in found})
    pairs = sorted({pair for _, pair in found})
    least = min(map(len, found.values()))
    times = np.log([[found[launch, pair][:least] for pair in pairs] for launch in launches])
    return RecordedPairs(times - np.median(times, axis=(1, 2), keepdims=True), matrix.size_bytes)


def replay_pairs(
    source: RecordedPairs,
    hosts: int,
    each: int,
    seed: int,
    slow: tuple[int, str] | None = None,
    launches: int = 3,
) -> PairMatrix:
    """As many pairs per host, both ways, as `busbar run --pattern pairs --isolated EACH` measures.

    `slow` is an endpoint, and `egress` or `ingress`.
    """
    chance = np.random.default_rng(seed)
    _, pairs, samples = source.samples.shape
    taken = {tuple(sorted(p)) for one in sample(hosts, hosts * each // 2, seed).rounds for p in one}
    cells = np.array([way for a, b in sorted(taken) for way in ((a, b), (b, a))])
    which = chance.integers(pairs, size=len(cells))
    times = np.full((launches, hosts, hosts), np.nan)
    for launch in range(launches):
        drawn = source.samples[chance.integers(len(source.samples))][which]
        again = np.take_along_axis(drawn, chance.integers(samples, size=drawn.shape), axis=1)
        times[launch, cells[:, 0], cells[:, 1]] = 20_000.0 * np.exp(np.median(again, axis=1))
    if slow is not None:
        endpoint, way = slow
        if way == "egress":
            times[:, endpoint, :] *= SLOW
        else:
            times[:, :, endpoint] *= SLOW
    return PairMatrix(
        title="one_way replayed",
        size_bytes=source.size_bytes,
        endpoints=tuple(Endpoint(f"host{n + 1}", 0, n) for n in range(hosts)),
        isolated=Layer(tuple(range(launches)), times),
        concurrent=Layer((), np.empty((0, hosts, hosts))),
    )
