"""The groups of ranks that a stage runs on, or the fact that there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from busbar.launch.patterns import FEWER_ISOLATED, MOST_ISOLATED, Pattern, PatternName
from busbar.launch.plans.document import Stage
from busbar.launch.plans.layout import Layout
from busbar.record.key import Group, format_ranks

_PATTERNS: dict[str, PatternName] = {
    "pairs": "pairs", "bisection": "bisection", "shifts": "shifts", "incast": "incast",
    "outcast": "outcast",
}  # fmt: skip
_LEAST_ROUNDS = 3
"""Each shows every rank with one more partner; of fewer than three nobody is blamed."""


@dataclass(frozen=True)
class Thinning:
    """How many pairs are left out where time is short."""

    isolated: int | None
    """Pairs that each rank sends to alone, at most; None: as the stage wants."""
    rounds: int | None
    """None: all."""

    def sentence(self) -> str:
        """What it leaves, for people."""
        return (
            f"To fit the budget, each rank sends to {self.isolated} others alone at most, and in "
            f"{self.rounds} rounds side by side at most: the other pairs are left out."
        )


THINNINGS = (
    Thinning(None, None),
    Thinning(FEWER_ISOLATED, 16),
    Thinning(2, 8),
    Thinning(1, _LEAST_ROUNDS),
)
"""From all that a stage asks for to the least that can still blame a host."""


@dataclass(frozen=True)
class Found:
    """What a stage runs on."""

    groups: tuple[Group, ...]
    missing: str = ""
    """Why there is no group, in one sentence."""
    pattern: Pattern | None = None
    """Whose roots are measured, where it is one."""


def groups_of(stage: Stage, layout: Layout, seed: int, thinning: Thinning) -> Found:
    """The groups of a stage on these ranks, of which there are two or more."""
    count, hosts = len(layout.placement), layout.hosts
    if stage.groups in _PATTERNS:
        pattern = _pattern(stage, count, seed, thinning)
        return Found(tuple(pattern.groups(count)), pattern=pattern)
    if stage.groups == "all":
        return Found((_everyone(count),))
    if stage.groups == "nodes":
        return _nodes(layout)
    if len(hosts) == 1:
        return Found((), f"One host only, {hosts[0]}: there is no network between hosts.")
    if stage.groups == "rails":
        return _rails(layout)
    if stage.groups == "leaves":
        return _leaves(layout)
    return _doubling(layout)


def _everyone(count: int) -> Group:
    return Group(name="all", ranks=format_ranks(range(count)), nodes=None)


def _pattern(stage: Stage, count: int, seed: int, thinning: Thinning) -> Pattern:
    name = _PATTERNS[stage.groups]
    if name != "pairs":
        return Pattern(name, None, seed)
    wanted = stage.isolated
    if wanted is None:
        wanted = count - 1 if count <= MOST_ISOLATED else FEWER_ISOLATED
    if thinning.isolated is not None:
        wanted = min(wanted, thinning.isolated)
    return Pattern(name, wanted, seed, thinning.rounds)


def _nodes(layout: Layout) -> Found:
    """Every host for itself, all side by side: they share nothing."""
    each = layout.ranks_per_host()
    if max(each) == 1:
        return Found((), "One rank on every host: nothing passes inside a host.")
    if len(layout.hosts) == 1:
        return Found((_everyone(len(layout.placement)),))
    if len(each) == 1:
        return Found(tuple(layout.ranks.groups([], ["node"])))
    ranks = {
        host: [r for r, h in enumerate(layout.placement) if h == host] for host in layout.hosts
    }
    return Found(
        tuple(
            Group(name=f"host {host}", ranks=format_ranks(own), nodes=None)
            for host, own in ranks.items()
            if len(own) > 1
        )
    )


def _rails(layout: Layout) -> Found:
    each = layout.ranks_per_host()
    if len(each) > 1 or each == {1}:
        return Found((), "Hosts do not have the same number of ranks, two or more each: no rails.")
    return Found(tuple(layout.ranks.groups([], ["index"])))


def _leaves(layout: Layout) -> Found:
    """Every leaf for itself; those with as many ranks side by side."""
    if not layout.leaves:
        return Found((), layout.leaves_from)
    below = layout.ranks_by_leaf()
    if len(below) == 1:
        return Found((), f"All hosts hang on {next(iter(below))}, {layout.leaves_from}")
    several = [
        ranks for ranks in below.values() if len({layout.placement[rank] for rank in ranks}) > 1
    ]
    if not several:
        return Found((), f"Every leaf has one of these hosts only, {layout.leaves_from}")
    sizes = sorted({len(ranks) for ranks in several})
    return Found(
        tuple(
            _side_by_side(
                "each leaf" if len(sizes) == 1 else f"each leaf of {size} ranks",
                [ranks for ranks in several if len(ranks) == size],
            )
            for size in sizes
        )
    )


def _side_by_side(name: str, members: Sequence[Sequence[int]]) -> Group:
    everyone = format_ranks(rank for ranks in members for rank in ranks)
    parts = tuple(format_ranks(ranks) for ranks in members)
    return Group(name=name, ranks=everyone, nodes=None, parts=parts if len(parts) > 1 else None)


def _doubling(layout: Layout) -> Found:
    """The first 2, 4, 8, … hosts, below all of them."""
    total = len(layout.hosts)
    numbers = [2**k for k in range(1, total.bit_length()) if 2**k < total]
    if not numbers:
        return Found((), f"{total} hosts only: from 2 on no power of two is below that.")
    groups = layout.ranks.groups(numbers, [None])
    return Found(tuple(group for group in groups if group.name != "all"))
