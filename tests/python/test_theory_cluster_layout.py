"""Where ranks lie in a cluster, and what a handful of parts says of all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest
from clusters import Spec, groups
from hypothesis import given, settings

from busbar.errors import UsageError
from busbar.theory.bound import bound
from busbar.theory.cluster.bounds import host_bound
from busbar.theory.cluster.layout import Block, Kind, Layout
from busbar.theory.cluster.partition import strictest
from busbar.theory.cluster.rates import line_rates
from busbar.theory.cluster.shape import Shape, shape_of
from busbar.theory.operations import OPERATIONS, Crosses, Crossing, Exchange, Ranks

NETWORK_OPS = [op for op, what in OPERATIONS.items() if what.phases]


@pytest.mark.parametrize(
    ("placement", "shape"),
    [
        ("aabbcc", Shape(6, 2)),
        ("aabbc", Shape(5, 2)),
        ("a", Shape(1, 1)),
        ("aaa", Shape(3, 3)),
        ("abc", Shape(3, 1)),
        ("aabcc", None),
        ("abb", None),
        ("abab", None),
        ("", None),
    ],
)
def test_the_shape_of_a_placement(placement: str, shape: Shape | None) -> None:
    assert shape_of(placement) == shape


def test_a_group_that_a_cluster_has_no_room_for_is_refused() -> None:
    fabric = Spec(nodes=2).fabric()
    with pytest.raises(UsageError, match="9 ranks per node: accepted is 1 to the 8 GPUs"):
        bound(fabric, "all_reduce", 8, ["a"] * 9)
    with pytest.raises(UsageError, match="3 nodes: accepted is 1 to the 2 of the fabric"):
        bound(fabric, "all_reduce", 8, ["a", "b", "c"])


def _levels(blocks: tuple[Block, ...]) -> Iterator[Counter[int]]:
    """How many parts of each number of ranks every level has, from the outermost."""
    counted = [(block, block.count) for block in blocks]
    while counted:
        sizes: Counter[int] = Counter()
        for block, count in counted:
            sizes[len(block.part.ranks)] += count
        yield sizes
        counted = [(i, i.count * count) for block, count in counted for i in block.inside]


@settings(deadline=None)
@given(groups())
def test_parts_of_every_level_hold_all_ranks(group: tuple[Spec, Layout]) -> None:
    _, layout = group
    for sizes in _levels(layout.blocks):
        assert sum(size * count for size, count in sizes.items()) == layout.ranks


def _part_of(layout: Layout, rank: int, kind: Kind, level_gpus: int) -> tuple[int, ...]:
    """A name for the part of a level that holds a rank, found from the rank alone."""
    per_node, gpus = layout.shape.ranks_per_node, layout.cluster.node.gpus
    node, local = divmod(rank, per_node)
    if kind is Kind.GPU:
        return (rank,)
    if kind is Kind.ISLAND:
        return (node, local // level_gpus)
    return (node // (level_gpus // gpus),)


@settings(max_examples=50, deadline=None)
@given(groups(most_nodes=6))
def test_every_part_has_an_example_that_crosses_as_much(group: tuple[Spec, Layout]) -> None:
    _, layout = group
    for kind, gpus in {(part.kind, part.level.gpus) for part in layout.parts}:
        whose = [_part_of(layout, rank, kind, gpus) for rank in range(layout.ranks)]
        examples = [p for p in layout.parts if (p.kind, p.level.gpus) == (kind, gpus)]
        for name in set(whose):
            inside = {rank for rank, part in enumerate(whose) if part == name}
            for op in NETWORK_OPS:
                for crosses in OPERATIONS[op].phases:
                    exchange = Exchange(1, layout.ranks, layout.root)
                    found = _both_ways(crosses(exchange, inside))
                    each = [_both_ways(crosses(exchange, one.ranks)) for one in examples]
                    assert any(found == pytest.approx(one) for one in each)


def _both_ways(crossing: Crossing) -> tuple[float, float]:
    return crossing.out_bytes, crossing.in_bytes


def _partitions(block: Block, layout: Layout) -> Iterator[tuple[int, float]]:
    """Every way to part one block: how many parts, and their rates added up."""
    rates = line_rates(layout.cluster)
    yield 1, rates.passage(block.part, layout.ranks).gbs
    together = rates.parted_gbs(block.part, 1) if block.part.kind is Kind.DOMAIN else None
    for parts, gbs in _of_all(block.inside, layout) if block.inside else ():
        # GPUs of a domain have no more NICs together than the domain has.
        yield parts, gbs if together is None else min(gbs, together)


def _of_all(blocks: tuple[Block, ...], layout: Layout) -> Iterator[tuple[int, float]]:
    ways = {(0, 0.0)}
    for block in blocks:
        one = set(_partitions(block, layout))
        for _ in range(block.count):
            ways = {(a + c, b + d) for a, b in ways for c, d in one}
    yield from ways


@settings(max_examples=40, deadline=None)
@given(groups(most_nodes=3, most_ranks=8))
def test_no_partition_is_stricter_than_the_one_found(group: tuple[Spec, Layout]) -> None:
    _, layout = group
    found = strictest(layout, line_rates(layout.cluster))
    ways = [(k, gbs) for k, gbs in _of_all(layout.blocks, layout) if k > 1]
    if not ways:
        assert found is None
        return
    assert found is not None
    strict = max((k - 1) / gbs for k, gbs in ways)
    assert (found.parts - 1) / found.gbs == pytest.approx(strict)


@pytest.mark.parametrize("op", NETWORK_OPS)
def test_a_million_ranks_take_no_more_work_than_a_hundred_thousand(
    op: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = Spec(nodes=128 * 1024, tiers=((16, 1.0), (512, 2.0), (8192, 4.0)))
    what = OPERATIONS[op]
    asked = 0

    def counted(crosses: Crosses) -> Crosses:
        def count(exchange: Exchange, inside: Ranks) -> Crossing:
            nonlocal asked
            asked += 1
            return crosses(exchange, inside)

        return count

    phases = tuple(counted(crosses) for crosses in what.phases)
    monkeypatch.setitem(OPERATIONS, op, replace(what, phases=phases))
    evaluations = []
    for nodes in (16 * 1024 + 3, 128 * 1024):
        asked = 0
        assert host_bound(spec.layout(nodes * 8), op) is not None
        evaluations.append(asked)
    assert evaluations[1] <= evaluations[0] < 60 * len(phases)
