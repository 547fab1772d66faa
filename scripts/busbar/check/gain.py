"""What reduction in the network gained in a run, over each baseline by its name.

A gain is a baseline's time over the time in the network: the median of that ratio over launches,
with its 95 % interval. Variants that took turns in the same launches are paired by launch; those of
different environments by the order of their launches, which is how the launcher interleaves them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median
from typing import Literal

from busbar.fabrics.model import Fabric
from busbar.record.evidence import asking_variants
from busbar.record.key import PointKey
from busbar.record.models import Point, RunRecord
from busbar.record.pairing import medians_by_launch, paired_ratios
from busbar.record.placement import placement
from busbar.record.statistics import interval_95
from busbar.theory.gain import Most, most
from busbar.theory.operations import OPERATIONS

Kind = Literal["variant", "best", "bound"]


@dataclass(frozen=True)
class Gain:
    """Over one baseline; below 1 it was lost."""

    baseline: str
    """A variant of the hosts, or hosts at their bound as `theory.gain` names it.

    The bound is no measurement: the interval is that of the time in the network alone.
    """
    kind: Kind
    """`best`: of the variants the one with the lowest median at this size. It was chosen by the
    figures it is compared by, so it looks better than it is, and the gain smaller."""
    ratio: float
    ci95: tuple[float, float] | None
    """None for one launch."""


@dataclass(frozen=True)
class GainRow:
    """One point under a variant that reduces in the network."""

    key: PointKey
    hosts: int
    in_network: bool | None
    """Whether it is proven (`Observed.in_network`)."""
    time_us: float
    algbw_gbs: float | None
    busbw_gbs: float | None
    """An equivalent figure that may exceed the links' rate."""
    sent_over_size: float | None
    """Bytes that the busiest host sent, over the size; None where a host was not counted."""
    gains: tuple[Gain, ...]
    """Best first, then the other variants in the order of the plan, then hosts at their bound."""
    most: Most | None
    """The most that theory allows over hosts at their bound; None without a bound."""


def gains(record: RunRecord, fabric: Fabric) -> tuple[GainRow, ...]:
    """One row for each point that was timed under a variant that asks for it, as planned.

    Points that are shown to have been carried out by hosts are left out: they say nothing of it.
    Raises UsageError for hosts that the fabric does not have.
    """
    return tuple(_rows(record, fabric))


def _rows(record: RunRecord, fabric: Fabric) -> Iterator[GainRow]:
    asking = asking_variants(record.run)
    order = {variant.name: n for n, variant in enumerate(record.run.plan.variants)}
    by_hosts: dict[PointKey, list[Point]] = {}
    for point in sorted(record.points, key=lambda p: order.get(p.key.variant, len(order))):
        if point.key.variant not in asking and _usable(point) and not point.observed.in_network:
            by_hosts.setdefault(_without_variant(point.key), []).append(point)
    planned = {row.key: n for n, row in enumerate(record.run.plan.rows)}
    for point in sorted(record.points, key=lambda p: planned.get(p.key.planned(), len(planned))):
        wanted = point.key.variant in asking and point.observed.in_network is not False
        if wanted and _usable(point) and _has_meaning(point):
            yield _row(record, fabric, point, by_hosts.get(_without_variant(point.key), []))


def _has_meaning(point: Point) -> bool:
    known = OPERATIONS.get(point.key.op)
    return known is not None and known.in_network is not None


def _usable(point: Point) -> bool:
    return point.status == "ok" and point.time_us is not None and point.time_us.median > 0


def _without_variant(key: PointKey) -> PointKey:
    return key.model_copy(update={"variant": ""})


def _row(record: RunRecord, fabric: Fabric, point: Point, by_hosts: list[Point]) -> GainRow:
    assert point.time_us is not None
    own = medians_by_launch(record, point)
    over = {p.key.variant: medians_by_launch(record, p) for p in by_hosts}
    found = []
    if by_hosts:
        best = min(by_hosts, key=lambda p: p.time_us.median if p.time_us else 0.0).key.variant
        others = [name for name in over if name != best]
        named: list[tuple[str, Kind]] = [(best, "best"), *((name, "variant") for name in others)]
        found = [_gain(name, kind, paired_ratios(over[name], own)) for name, kind in named]
    hosts = _placement(record, point)
    top = next(iter(_most(fabric, point.key, hosts)), None)
    if top is not None:
        ratios = [top.baseline_us / time_us for time_us in own.values()]
        found.append(_gain(top.baseline, "bound", ratios))
    return GainRow(
        key=point.key,
        hosts=len(set(hosts)),
        in_network=point.observed.in_network,
        time_us=point.time_us.median,
        algbw_gbs=point.algbw_gbs,
        busbw_gbs=point.busbw_gbs,
        sent_over_size=_sent_over_size(point),
        gains=tuple(gain for gain in found if gain is not None),
        most=top,
    )


def _most(fabric: Fabric, key: PointKey, hosts: tuple[str, ...]) -> list[Most]:
    if fabric.kind == "shared_memory" or not hosts:
        return []
    return most(fabric, key.op, key.size_bytes, hosts, key.root or 0)


def _gain(baseline: str, kind: Kind, ratios: list[float]) -> Gain | None:
    if not ratios:
        return None
    return Gain(baseline, kind, median(ratios), interval_95(ratios))


def _placement(record: RunRecord, point: Point) -> tuple[str, ...]:
    """The host of each rank; empty where its launch does not have them all."""
    launch = next(launch for launch in record.launches if launch.id == point.blocks[0].launch)
    try:
        return placement(point.key.group, launch)
    except KeyError:
        return ()


def _sent_over_size(point: Point) -> float | None:
    sent = point.wire.tx_bytes_per_node if point.wire else []
    if not sent or None in sent or not point.key.size_bytes:
        return None
    return max(bytes_sent for bytes_sent in sent if bytes_sent is not None) / point.key.size_bytes
