"""The parts that together take longest for what they must all send.

Where K parts send D(K-1) bytes in all, T >= D(K-1) / (sum of their rates) for every way to part the
ranks: into groups of a tier, domains, GPUs, or some of each where the last group is not full. Found
as `theory.partitions` does for hosts with names: for a ratio, each part on its own chooses between
staying whole and being parted (Dinkelbach 1967, On nonlinear fractional programming).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from busbar.theory.cluster.layout import Block, Kind, Layout
from busbar.theory.cluster.rates import Passage, Rates

_SAME = 1e-12  # ratios that differ by rounding alone


@dataclass(frozen=True)
class Partition:
    """Disjoint parts that hold all ranks."""

    parts: int
    gbs: float
    """Of all of them, each way."""
    names: tuple[str, ...]
    """Of their passages, outermost first."""

    def passage(self) -> Passage:
        """All together."""
        return Passage(f"{' and '.join(self.names)}, all together", self.gbs)

    def bought(self, price: float) -> float:
        """What its rates cost beyond the parts they buy, at GB/s per part."""
        return self.gbs - price * self.parts


def strictest(layout: Layout, rates: Rates, *, into: Kind = Kind.GPU) -> Partition | None:
    """The partition that takes longest; no part is smaller than one of kind `into`.

    None where there are no two such parts.
    """
    blocks = layout.blocks
    while len(blocks) == 1 and blocks[0].count == 1 and blocks[0].part.kind > into:
        blocks = blocks[0].inside
    found = _join([_whole(block, layout, rates) for block in blocks], blocks)
    if found.parts < 2 or blocks[0].part.kind < into:
        return None
    while True:
        price = found.gbs / (found.parts - 1)
        other = _join([_cheapest(b, layout, rates, into, price) for b in blocks], blocks)
        if other.gbs / (other.parts - 1) >= price * (1 - _SAME):
            return found
        found = other


def _cheapest(block: Block, layout: Layout, rates: Rates, into: Kind, price: float) -> Partition:
    """Of one part, whole or parted."""
    whole = _whole(block, layout, rates)
    if block.part.kind is into or not block.inside:
        return whole
    inside = [_cheapest(inner, layout, rates, into, price) for inner in block.inside]
    parted = _join(inside, block.inside)
    if block.part.kind is Kind.DOMAIN:
        parted = _at_most(rates.parted_gbs(block.part, layout.times), parted, whole)
    return parted if parted.bought(price) < whole.bought(price) else whole


def _at_most(gbs: float | None, parted: Partition, whole: Partition) -> Partition:
    """GPUs of a domain, whose slots may lead to fewer NICs than they could use one by one."""
    if gbs is None or gbs >= parted.gbs:
        return parted
    return replace(parted, gbs=gbs, names=(*parted.names, *whole.names))


def _whole(block: Block, layout: Layout, rates: Rates) -> Partition:
    passage = rates.passage(block.part, layout.ranks, layout.times)
    return Partition(1, passage.gbs, (passage.name,))


def _join(chosen: list[Partition], blocks: tuple[Block, ...]) -> Partition:
    """Of parts that occur so often, all."""
    each = list(zip(chosen, blocks, strict=True))
    return Partition(
        sum(one.parts * block.count for one, block in each),
        sum(one.gbs * block.count for one, block in each),
        tuple(dict.fromkeys(name for one, _ in each for name in one.names)),
    )
