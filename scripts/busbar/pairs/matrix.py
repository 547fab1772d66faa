"""A record's pairs as matrices: the time of each directed pair, isolated and concurrent apart.

A pair is `one_way` from the root of a communicator to the next rank. One communicator at a time is
isolated; several at once are concurrent. A cell that was not measured is missing: NaN here, null in
JSON, never 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from busbar.pairs.rounds import PAIR_OPERATION, Pair
from busbar.record.models import Block, Launch, Point, PointKey, RunRecord
from busbar.units import format_size

Cells: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class Endpoint:
    """One process at one NIC, or whatever it uses."""

    host: str
    index: int
    """Of its GPU where all of the host's processes have their own, else among them."""
    rank: int
    """In the first launch that has it."""
    gpu: int | None = None
    nics: tuple[str, ...] = ()


@dataclass(frozen=True)
class Layer:
    """Median times of directed pairs per launch."""

    launches: tuple[int, ...]
    times_us: Cells
    """[launch][from][to]; NaN where not measured."""

    def time_us(self) -> Cells:
        """[from][to]: median over launches."""
        return over_launches(self.times_us)

    def spread(self) -> Cells:
        """[from][to]: half the range over launches, as a share; NaN for fewer than two launches."""
        low, high, seen = self._ends()
        with np.errstate(invalid="ignore"):
            return np.where(seen >= 2, (high - low) / (high + low), np.nan)

    def measured(self) -> int:
        """How many directed pairs have a time."""
        return int(np.isfinite(self.times_us).any(axis=0).sum())

    def _ends(self) -> tuple[Cells, Cells, NDArray[np.int_]]:
        finite = np.isfinite(self.times_us)
        low = np.where(finite, self.times_us, np.inf).min(axis=0, initial=np.inf)
        high = np.where(finite, self.times_us, -np.inf).max(axis=0, initial=-np.inf)
        return low, high, finite.sum(axis=0)


@dataclass(frozen=True)
class PairMatrix:
    """What was measured between endpoints with one operation, size and variant."""

    title: str
    """`one_way 4M default`: what tells matrices of a record apart."""
    size_bytes: int
    endpoints: tuple[Endpoint, ...]
    isolated: Layer
    concurrent: Layer
    errors: Mapping[Pair, Mapping[str, int | None]] = field(default_factory=dict)
    """What counters of an isolated pair's hosts saw, both together; null where unreadable."""
    exact: bool = False
    """Whether another launch would give the same figures, as in virtual time."""

    def names(self) -> tuple[str, ...]:
        """Of endpoints: the host, with GPU or index where it has several."""
        hosts = [e.host for e in self.endpoints]
        return tuple(
            e.host if hosts.count(e.host) == 1 else f"{e.host} {_which(e)}" for e in self.endpoints
        )

    def rates_gbs(self, layer: Layer) -> Cells:
        """[from][to] in GB/s; NaN where not measured."""
        return self.size_bytes / layer.time_us() / 1000

    def hosts(self) -> tuple[str, ...]:
        """Each once, in order."""
        return tuple(dict.fromkeys(e.host for e in self.endpoints))


def over_launches(values: Cells) -> Cells:
    """Median over the first axis of what is there; NaN where nothing is."""
    if not len(values):
        return np.full(values.shape[1:], np.nan)
    ordered = np.sort(values, axis=0)  # NaN last
    count = np.isfinite(values).sum(axis=0)
    low = np.take_along_axis(ordered, np.maximum(count - 1, 0)[None] // 2, axis=0)[0]
    high = np.take_along_axis(ordered, count[None] // 2, axis=0)[0]
    middle: Cells = np.where(count % 2 == 0, (low + high) / 2, high)
    return np.where(count > 0, middle, np.nan)


def in_json(values: Cells, digits: int = 6) -> list[list[float | None]]:
    """A matrix for JSON: null where it is missing, figures with so many significant digits."""
    return [
        [float(f"{value:.{digits}g}") if np.isfinite(value) else None for value in row]
        for row in values.tolist()
    ]


def matrices(record: RunRecord) -> tuple[PairMatrix, ...]:
    """One per operation, size and variant that has pairs; none where the record has no pairs."""
    launches = {x.id: x for x in record.launches if x.purpose == "measure"}
    found: dict[PointKey, list[Point]] = {}
    for point in record.points:
        if point.key.op == PAIR_OPERATION and point.key.size_bytes and not point.wrong_elements:
            found.setdefault(_comparable(point.key), []).append(point)
    several = [_title(key, found) for key in found]
    built = (
        _matrix(title, key, points, launches, exact=record.run.simulated)
        for title, (key, points) in zip(several, found.items(), strict=True)
    )
    return tuple(matrix for matrix in built if len(matrix.endpoints) > 1)


def _comparable(key: PointKey) -> PointKey:
    """The key without what tells pairs apart."""
    group = key.group.model_copy(
        update={"name": "pairs", "ranks": "0", "nodes": None, "split": None, "parts": None}
    )
    return key.model_copy(update={"root": None, "group": group})


def _title(key: PointKey, among: Iterable[PointKey]) -> str:
    others = list(among)
    parts = [key.op, format_size(key.size_bytes), key.variant]
    for name in ("transport", "datatype", "memory", "timing", "registration", "clock_scope"):
        if len({getattr(other, name) for other in others}) > 1:
            parts.append(str(getattr(key, name)))
    parts += ["graph"] if key.graph else []
    return " ".join(parts)


_Spot = tuple[str, int]  # host and index: ranks may be dealt anew in each launch
_Samples = dict[tuple[int, _Spot, _Spot], list[float]]


def _matrix(
    title: str,
    key: PointKey,
    points: Sequence[Point],
    launches: Mapping[int, Launch],
    *,
    exact: bool,
) -> PairMatrix:
    at = {number: _endpoints(launch) for number, launch in launches.items()}
    # Simulations of one slot are parts of one launch, which nothing tells from each other.
    whole = {number: launch.slot if exact else number for number, launch in launches.items()}
    alone: _Samples = {}
    together: _Samples = {}
    errors: dict[tuple[_Spot, _Spot], dict[str, int | None]] = {}
    for point in points:
        for block in point.blocks:
            if block.launch not in at:
                continue
            pairs = list(_pairs(point.key, block, at[block.launch]))
            for source, target, samples in pairs:
                into = alone if len(pairs) == 1 else together
                into.setdefault((whole[block.launch], source, target), []).extend(samples)
                if len(pairs) == 1:
                    _add(errors.setdefault((source, target), {}), block.errors)
    spots = _in_order((s for cells in (alone, together) for _, a, b in cells for s in (a, b)), at)
    number = {(e.host, e.index): n for n, e in enumerate(spots)}
    return PairMatrix(
        title=title,
        size_bytes=key.size_bytes,
        endpoints=spots,
        isolated=_layer(alone, number),
        concurrent=_layer(together, number),
        errors={Pair(number[a], number[b]): seen for (a, b), seen in errors.items()},
        exact=exact,
    )


def _endpoints(launch: Launch) -> dict[int, Endpoint]:
    """By rank."""
    workers = [p for p in launch.processes if p.role == "worker"]
    found: dict[int, Endpoint] = {}
    for host in dict.fromkeys(p.host for p in workers):
        here = sorted((p for p in workers if p.host == host), key=lambda p: p.rank)
        gpus = [p.gpu for p in here]
        own = None not in gpus and len(set(gpus)) == len(gpus)
        for place, p in enumerate(here):
            index = p.gpu if own and p.gpu is not None else place
            found[p.rank] = Endpoint(host, index, p.rank, p.gpu, tuple(p.nics))
    return found


def _pairs(
    key: PointKey, block: Block, endpoints: Mapping[int, Endpoint]
) -> Iterator[tuple[_Spot, _Spot, Sequence[float]]]:
    """Source, target and samples of each communicator."""
    parts = key.group.members()
    times = [block.samples_us] if len(parts) == 1 else block.parts_us or []
    root = 0 if key.root is None else key.root
    for ranks, samples in zip(parts, times, strict=False):
        if root >= len(ranks) or len(ranks) < 2:
            continue
        ends = [endpoints.get(ranks[(root + k) % len(ranks)]) for k in (0, 1)]
        if ends[0] and ends[1]:
            source, target = ((e.host, e.index) for e in ends if e)
            yield source, target, [s for s in samples if s > 0]


def _in_order(
    spots: Iterable[_Spot], at: Mapping[int, Mapping[int, Endpoint]]
) -> tuple[Endpoint, ...]:
    """The endpoints that occur, by the rank they had first."""
    wanted = set(spots)
    found: dict[_Spot, Endpoint] = {}
    for endpoints in at.values():
        for e in endpoints.values():
            if (e.host, e.index) in wanted:
                found.setdefault((e.host, e.index), e)
    return tuple(sorted(found.values(), key=lambda e: (e.rank, e.host, e.index)))


def _layer(cells: _Samples, number: Mapping[_Spot, int]) -> Layer:
    launches = tuple(sorted({launch for launch, _, _ in cells}))
    place = {launch: n for n, launch in enumerate(launches)}
    times = np.full((len(launches), len(number), len(number)), np.nan)
    for (launch, source, target), samples in cells.items():
        if samples:
            times[place[launch], number[source], number[target]] = median(samples)
    return Layer(launches, times)


def _add(total: dict[str, int | None], errors: Mapping[str, int | None]) -> None:
    for name, count in errors.items():
        before = total.get(name, 0)
        total[name] = None if count is None or before is None else before + count


def _which(endpoint: Endpoint) -> str:
    return f"GPU {endpoint.gpu}" if endpoint.gpu == endpoint.index else f"rank {endpoint.rank}"
