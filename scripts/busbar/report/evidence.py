"""What stands behind the figures: first calls, bytes on the wire, and who was late or last."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from busbar.record.key import parse_ranks
from busbar.record.models import Point
from busbar.report.panels import Curve, Panel
from busbar.report.rows import Judged, Row


@dataclass(frozen=True)
class FirstCall:
    """First calls of one curve: what users wait for before anything is warm."""

    op: str
    name: str
    setting: str
    median_us: float
    worst_us: float
    worst_size: int
    worst_launch: int
    times_steady: float | None
    """Median over sizes of first call over steady time."""
    prepare_us: float | None


def first_calls(panels: Iterable[Panel]) -> list[FirstCall]:
    """One line for each curve that has any, the slowest first call at the top."""
    lines = [_first_call(panel, curve) for panel in panels for curve in panel.curves]
    return sorted((x for x in lines if x), key=lambda line: -line.worst_us)


def _first_call(panel: Panel, curve: Curve) -> FirstCall | None:
    calls: list[tuple[float, int, int]] = []
    ratios: list[float] = []
    prepared: list[float] = []
    for row in curve.rows:
        blocks = row.point.blocks if row.point else []
        first = [(b.first_call_us, row.key.size_bytes, b.launch) for b in blocks]
        known = [(t, s, n) for t, s, n in first if t is not None]
        calls += known
        prepared += [b.prepare_us for b in blocks if b.prepare_us is not None]
        if known and row.median_us:
            ratios.append(median(t for t, _, _ in known) / row.median_us)
    if not calls:
        return None
    worst = max(calls)
    return FirstCall(
        op=panel.op,
        name=curve.name,
        setting=panel.setting,
        median_us=median(t for t, _, _ in calls),
        worst_us=worst[0],
        worst_size=worst[1],
        worst_launch=worst[2],
        times_steady=median(ratios) if ratios else None,
        prepare_us=median(prepared) if prepared else None,
    )


@dataclass(frozen=True)
class WireLine:
    """Bytes a node sends and receives per execution, beside the payload."""

    row: Row
    name: str
    tx_low: float | None
    tx_high: float | None
    rx_low: float | None
    rx_high: float | None
    ratio: float | None
    """The most that a node sends, over the payload."""
    in_network: bool | None
    algorithm: str | None
    how: str


def wire_lines(panels: Iterable[Panel]) -> list[WireLine]:
    """One line for each row whose bytes were counted."""
    return [
        _wire_line(curve.name, row, row.point)
        for panel in panels
        for curve in panel.curves
        for row in curve.rows
        if row.point and row.point.wire
    ]


def _wire_line(name: str, row: Row, point: Point) -> WireLine:
    tx = [b for b in (point.wire.tx_bytes_per_node if point.wire else []) if b is not None]
    rx = [b for b in (point.wire.rx_bytes_per_node if point.wire else []) if b is not None]
    return WireLine(
        row=row,
        name=name,
        tx_low=min(tx, default=None),
        tx_high=max(tx, default=None),
        rx_low=min(rx, default=None),
        rx_high=max(rx, default=None),
        ratio=max(tx) / row.key.size_bytes if tx and row.key.size_bytes else None,
        in_network=point.observed.in_network,
        algorithm=point.observed.algorithm,
        how=", ".join(point.observed.how),
    )


@dataclass(frozen=True)
class Straggler:
    """How often a rank was late or last."""

    rank: int
    host: str
    samples: int
    last_share: float
    late_share: float


@dataclass(frozen=True)
class Lateness:
    """Stragglers of one record, and who was last in each operation."""

    record: str
    even_share: float
    """How often each rank would be last if chance decided."""
    stragglers: tuple[Straggler, ...]
    by_op: tuple[tuple[str, Straggler], ...]


def lateness(judged: Judged, panels: Iterable[Panel]) -> Lateness | None:
    """Who was late or last; None if the record does not say."""
    points = [
        row.point
        for panel in panels
        for row in panel.rows
        if row.point and row.record == judged.name
    ]
    hosts = {
        p.rank: p.host
        for launch in judged.record.launches
        for p in launch.processes
        if p.role == "worker"
    }
    everyone = _stragglers(points, hosts)
    if not everyone:
        return None
    ops = dict.fromkeys(point.key.op for point in points)
    by_op = [(op, _stragglers([p for p in points if p.key.op == op], hosts)) for op in ops]
    return Lateness(
        record=judged.name,
        even_share=_even_share(points),
        stragglers=everyone,
        by_op=tuple((op, ranks[0]) for op, ranks in by_op if ranks),
    )


def _stragglers(points: Sequence[Point], hosts: dict[int, str]) -> tuple[Straggler, ...]:
    """Ranks that were ever late or last, the most frequent first."""
    last: Counter[int] = Counter()
    late: Counter[int] = Counter()
    samples: Counter[int] = Counter()
    for point in points:
        total = sum(len(block.samples_us) for block in point.blocks)
        samples.update({rank: total for rank in parse_ranks(point.key.group.ranks)})
        for block in point.blocks:
            last.update(rank for rank in block.last_rank if rank is not None)
            late.update(rank for rank in block.late_rank if rank is not None)
    found = [
        Straggler(
            rank=rank,
            host=hosts.get(rank, "host not recorded"),
            samples=samples[rank],
            last_share=last[rank] / samples[rank],
            late_share=late[rank] / samples[rank],
        )
        for rank in sorted(last.keys() | late.keys())
        if samples[rank]
    ]
    return tuple(sorted(found, key=lambda s: (-s.last_share, -s.late_share, s.rank)))


def _even_share(points: Sequence[Point]) -> float:
    """Mean over samples of one over the number of ranks."""
    weights = [(sum(len(b.samples_us) for b in p.blocks), p.key.group.size()) for p in points]
    total = sum(samples for samples, _ in weights)
    return sum(samples / ranks for samples, ranks in weights) / total if total else 0.0
