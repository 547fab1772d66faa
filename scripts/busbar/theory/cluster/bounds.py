"""The shortest time in which hosts can carry an operation out on a cluster.

For every part of every level, the least bytes it must exchange with the rest over what passes; for
an all_reduce also all parts together (`partition`); and where ranks reduce at a known rate, what
they must reduce (`theory.reduction`). What crosses is stated once, in `theory.operations`, and is
linear in the size: so is the bound, and the cut that sets it is the same for every size.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from busbar.theory.cluster.layout import Kind, Layout
from busbar.theory.cluster.partition import strictest
from busbar.theory.cluster.rates import Rates, is_cut, line_rates
from busbar.theory.operations import OPERATIONS, Crosses, Exchange
from busbar.theory.reduction import ON_HOSTS, least_share

BYTES_PER_US = 1000.0  # of 1 GB/s


@dataclass(frozen=True)
class Limit:
    """What one cut, in one direction, allows."""

    cut: str
    share: float
    """Payload bytes over the size that must pass."""
    gbs: float

    def us_per_byte(self) -> float:
        """Least microseconds per byte of the size."""
        return self.share / (self.gbs * BYTES_PER_US)


@dataclass(frozen=True)
class Slope:
    """The shortest time, as a multiple of the size."""

    us_per_byte: float
    """More than 0."""
    limit: Limit
    """The strictest, of the phase that takes longest."""


def host_bound(layout: Layout, op: str, reduced_per_us: float | None = None) -> Slope | None:
    """The bound of a known operation; None where no byte has to cross a cut.

    `reduced_per_us`: bytes of one of two vectors that a rank combines; None where that is free.
    """
    what = OPERATIONS[op]
    reduction = list(reducing(layout, op, reduced_per_us))
    return mean([longest([*_limits(layout, op, each), *reduction]) for each in what.phases])


def mean(phases: list[Limit | None]) -> Slope | None:
    """Of phases one after another, whose reported time is their mean."""
    known = [limit for limit in phases if limit is not None]
    total = sum(limit.us_per_byte() for limit in known)
    if total <= 0:
        return None
    return Slope(total / len(phases), max(known, key=Limit.us_per_byte))


def longest(limits: Iterable[Limit]) -> Limit | None:
    """The strictest; of equals the first, and so the outermost."""
    return max(limits, key=Limit.us_per_byte, default=None)


def _limits(layout: Layout, op: str, crosses: Crosses) -> Iterator[Limit]:
    rates = line_rates(layout.cluster)
    yield from together(layout, op, rates)
    yield from crossings(layout, crosses, rates)


def reducing(layout: Layout, op: str, reduced_per_us: float | None) -> Iterator[Limit]:
    """What ranks must combine; `reduced_per_us` as `host_bound`'s."""
    share = least_share(OPERATIONS[op], layout.ranks)
    if reduced_per_us is not None and share:
        yield Limit(ON_HOSTS, share, reduced_per_us / BYTES_PER_US)


def together(layout: Layout, op: str, rates: Rates, *, into: Kind = Kind.GPU) -> Iterator[Limit]:
    """All parts at once, where that asks for more than each on its own; `into` as `strictest`'s."""
    least = OPERATIONS[op].together
    parted = strictest(layout, rates, into=into) if least is not None else None
    if least is not None and parted is not None:
        passage = parted.passage()
        share = layout.times * least(unit(layout), parted.parts)
        yield Limit(f"{passage.name}, egress", share, passage.gbs)


def crossings(
    layout: Layout, crosses: Crosses, rates: Rates, *, gpus: bool = True
) -> Iterator[Limit]:
    """Each part on its own, with single GPUs or without."""
    exchange = unit(layout)
    for part in layout.parts:
        if is_cut(layout, part) and (gpus or part.kind is not Kind.GPU):
            passage = rates.passage(part, layout.ranks, layout.times)
            crossing = crosses(exchange, part.ranks)
            for way, share in (("egress", crossing.out_bytes), ("ingress", crossing.in_bytes)):
                yield Limit(f"{passage.name}, {way}", layout.times * share, passage.gbs)


def unit(layout: Layout) -> Exchange:
    """An execution of one byte, of which every other is a multiple."""
    return Exchange(1, layout.ranks, layout.root)
