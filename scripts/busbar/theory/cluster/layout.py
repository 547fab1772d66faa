"""Where the ranks of a group lie in a cluster: parts of each level, and parts inside of parts.

Parts are alike but for a few: the last one may hold fewer ranks, and some hold a rank that an
operation treats otherwise (the root, the one after it, the first, the last). Each kind of part is
kept once with how often it occurs, so that a million ranks are as few parts as a hundred.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import IntEnum

from busbar.fabrics.cluster import Cluster, Level
from busbar.theory.cluster.shape import Shape, refuse_misfit


class Kind(IntEnum):
    """What a level's parts are, from the innermost."""

    GPU = 0
    ISLAND = 1
    """GPUs of a node that NVLink joins, where others of the node are beyond it."""
    DOMAIN = 2
    """GPUs that need no NIC to reach each other: a node, or several joined by NVLink."""
    TIER = 3
    """Nodes below one group of switches."""


@dataclass(frozen=True)
class Part:
    """Consecutive ranks that one cut separates from all others."""

    kind: Kind
    level: Level
    ranks: range
    nodes: int
    """Nodes that they are on."""
    reach: int
    """Ranks of the scale-up domain that they are in, or without one of the node."""


@dataclass(frozen=True)
class Block:
    """Parts of one kind inside the same larger part."""

    part: Part
    count: int
    inside: tuple[Block, ...]
    """What one of them is made of; empty for a GPU."""


@dataclass(frozen=True)
class Layout:
    """A group of ranks in a cluster."""

    cluster: Cluster
    shape: Shape
    root: int
    blocks: tuple[Block, ...]
    """Of the outermost level."""
    parts: tuple[Part, ...]
    """Of all levels, from the outermost; each that no other equals in what it counts."""
    domain_ranks: int
    """Of one full domain."""
    island_ranks: int
    """Of one full island; those of a domain where there are none."""
    times: int = 1
    """Groups that lie like this on the same nodes, each on GPUs of its own, at the same time."""

    @property
    def ranks(self) -> int:
        """Of the group."""
        return self.shape.ranks

    def domains(self) -> int:
        """Domains that the ranks are in."""
        return -(-self.ranks // self.domain_ranks)

    def most_in_domain(self) -> int:
        """Ranks of the fullest domain."""
        return min(self.ranks, self.domain_ranks)

    def reaches(self) -> tuple[int, ...]:
        """Ranks of each scale-up domain in use, every number once."""
        return tuple(dict.fromkeys(part.reach for part in self.parts if part.kind is Kind.GPU))

    def same_domain(self, a: int, b: int) -> bool:
        """Whether two ranks need no NIC to reach each other."""
        return a // self.domain_ranks == b // self.domain_ranks

    def same_reach(self, a: int, b: int) -> bool:
        """Whether two ranks are in one scale-up domain, or without one on one node."""
        if not self.same_domain(a, b):
            return False
        if self.island_ranks == self.domain_ranks:
            return True
        return a % self.domain_ranks // self.island_ranks == (
            b % self.domain_ranks // self.island_ranks
        )


@dataclass(frozen=True)
class _Step:
    """A level in the eyes of a group."""

    kind: Kind
    level: Level
    sizes: tuple[tuple[int, int], ...]
    """Ranks of a part and how many such there are, in order; 0: as many as it takes."""

    def largest(self) -> int:
        """Ranks of its largest part."""
        return max(ranks for ranks, _ in self.sizes)


@dataclass(frozen=True)
class Spread:
    """Where nodes lie on one level, if not in as few parts as can be."""

    capacity: int
    """Nodes of one full part, which tells the level."""
    nodes: tuple[tuple[int, int], ...]
    """Nodes of a part and how many such there are, in order."""


def lay_out(
    cluster: Cluster, shape: Shape, root: int = 0, spread: Spread | None = None, times: int = 1
) -> Layout:
    """Where those ranks lie: on neighbours, which fill one part of each level after the other.

    With `spread` they lie on its level as that says, and other levels beyond the node are left out.
    Raises UsageError if the cluster has no room for them.
    """
    refuse_misfit(cluster, shape)
    n = shape.ranks
    steps = _steps(cluster, shape.ranks_per_node)
    if spread is not None:
        steps = list(_spread_out(steps, spread, cluster, shape))
    marks = frozenset({0, n - 1, root, (root + 1) % n})
    blocks = tuple(_blocks(range(n), steps, marks, shape.ranks_per_node, n))
    distinct: dict[object, Part] = {}
    for part in _all_parts(blocks):
        inside = frozenset(mark for mark in marks if mark in part.ranks)
        distinct.setdefault((part.level, len(part.ranks), part.reach, inside), part)
    capacity = {step.kind: step.largest() for step in reversed(steps)}
    domain = capacity.get(Kind.DOMAIN, _capacity(cluster.domain_gpus(), cluster, shape))
    return Layout(
        cluster, shape, root, blocks, tuple(distinct.values()), domain,
        capacity.get(Kind.ISLAND, domain), times,
    )  # fmt: skip


def _steps(cluster: Cluster, ranks_per_node: int) -> list[_Step]:
    """The levels, outermost first."""
    found: list[_Step] = []
    for level in cluster.levels():
        if not found:
            kind = Kind.GPU
        elif level.gpus < cluster.node.gpus:
            kind = Kind.ISLAND
        elif not any(step.kind is Kind.DOMAIN for step in found):
            kind = Kind.DOMAIN
        else:
            kind = Kind.TIER
        capacity = _capacity(level.gpus, cluster, Shape(1, ranks_per_node))
        found.append(_Step(kind, level, ((capacity, 0),)))
    return found[::-1]


def _spread_out(
    steps: list[_Step], spread: Spread, cluster: Cluster, shape: Shape
) -> Iterator[_Step]:
    """That level with its parts as they are, and those inside a node."""
    per_node = shape.ranks_per_node
    sizes = tuple((nodes * per_node, count) for nodes, count in spread.nodes if nodes and count)
    for step in steps:
        nodes = step.level.gpus // cluster.node.gpus
        if nodes == spread.capacity and step.kind is not Kind.GPU:
            yield replace(step, sizes=sizes)
        elif nodes < 2:
            yield step


def _capacity(gpus: int, cluster: Cluster, shape: Shape) -> int:
    """Ranks on so many GPUs when each node has its ranks on its first GPUs."""
    if gpus < cluster.node.gpus:
        return min(gpus, shape.ranks_per_node)
    return gpus // cluster.node.gpus * shape.ranks_per_node


def _blocks(
    ranks: range, steps: list[_Step], marks: frozenset[int], ranks_per_node: int, reach: int
) -> Iterator[Block]:
    """The parts of the outermost of these levels that make up consecutive ranks."""
    if not steps:
        return
    step = steps[0]
    joined = step.kind in (Kind.DOMAIN, Kind.ISLAND)
    for part_ranks, count in _cut_up(ranks, step.sizes, marks):
        own_reach = len(part_ranks) if joined else reach
        nodes = -(-len(part_ranks) // ranks_per_node)
        part = Part(step.kind, step.level, part_ranks, nodes, own_reach)
        inside = _blocks(part_ranks, steps[1:], marks, ranks_per_node, own_reach)
        yield Block(part, count, tuple(inside))


def _cut_up(
    ranks: range, sizes: tuple[tuple[int, int], ...], marks: frozenset[int]
) -> Iterator[tuple[range, int]]:
    """Parts of those sizes, one after another, and the rest."""
    start = ranks.start
    for size, count in sizes:
        stop = min(ranks.stop, start + size * count) if count else ranks.stop
        yield from _alike(range(start, stop), size, marks)
        start = stop


def _alike(ranks: range, capacity: int, marks: frozenset[int]) -> Iterator[tuple[range, int]]:
    """Blocks of that many ranks and the rest; those without a mark are one, with their number."""
    full, rest = divmod(len(ranks), capacity)
    marked = {(mark - ranks.start) // capacity for mark in marks if mark in ranks}
    own = sorted(index for index in marked if index < full)
    alike = next((index for index in range(full) if index not in marked), None)
    for index in own if alike is None else [*own, alike]:
        start = ranks.start + index * capacity
        yield range(start, start + capacity), full - len(own) if index == alike else 1
    if rest:
        yield range(ranks.stop - rest, ranks.stop), 1


def _all_parts(blocks: tuple[Block, ...]) -> Iterator[Part]:
    """Level by level."""
    while blocks:
        yield from (block.part for block in blocks)
        blocks = tuple(inner for block in blocks for inner in block.inside)
