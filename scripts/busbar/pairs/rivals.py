"""What else could explain the same cells, and which pairs would tell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from busbar.pairs.groups import (
    Group,
    Kind,
    between,
    is_slow,
    port,
    ports,
    uplink,
)
from busbar.pairs.matrix import Cells
from busbar.pairs.residuals import Layout, Residuals
from busbar.pairs.rounds import Pair

_COVERED = 0.9  # share of a group's cells that a rival must explain as well
MOST_PAIRS = 8  # to measure next: enough to tell, few enough to measure each alone


def rivals(group: Group, found: Residuals, layout: Layout, own: Cells) -> list[Group]:
    """Groups that are slow as a whole too, and explain what this one does.

    `own`: cells per launch without those of other culprits.
    """
    measured = group.pairs(found.middle)
    if not measured:
        return []
    others = [x for x in _through(measured[0], layout) if (x.kind, x.subject) != _name(group)]
    return [x for x in others if _covers(x, measured) and is_slow(x, found, own)]


def separating(group: Group, rival: Group, found: Residuals, layout: Layout) -> list[Pair]:
    """Pairs that only one of both would slow; none where they are the same pairs."""
    kinds = layout.kinds()
    pairs = [p for p in _cells(rival, kinds) if p not in set(_cells(group, kinds))]
    if not pairs:
        pairs = [p for p in _cells(group, kinds) if p not in set(_cells(rival, kinds))]
    unmeasured = [p for p in pairs if not np.isfinite(found.middle[p])]
    return _spread_out(unmeasured or pairs, layout)


def proving(group: Group, avoid: Sequence[Group], layout: Layout) -> list[Pair]:
    """Pairs of the group to measure, each alone: to partners that nobody is suspected of."""
    kinds = layout.kinds()
    suspected = {e for other in avoid if other.kind is not Kind.PATH for e in _ends(other)}
    own = set(_ends(group))
    pairs = [p for p in _cells(group, kinds) if not (set(p) - own) & suspected]
    return _spread_out(pairs or _cells(group, kinds), layout)


def _name(group: Group) -> tuple[Kind, tuple[int, ...]]:
    return group.kind, group.subject


def _through(pair: tuple[int, int], layout: Layout) -> Iterator[Group]:
    """Everything that a pair passes, once."""
    source, target = pair
    for end, of_host, of_nic in (
        (source, Kind.HOST_EGRESS, Kind.NIC_EGRESS),
        (target, Kind.HOST_INGRESS, Kind.NIC_INGRESS),
    ):
        host = int(layout.host[end])
        yield ports(of_host, host, layout)
        if len(layout.of_host(host)) > 1:
            yield port(of_nic, end, layout)
    a, b = int(layout.leaf[source]), int(layout.leaf[target])
    if a >= 0 and b >= 0 and a != b:
        yield uplink(Kind.LEAF_UP, a, layout)
        yield uplink(Kind.LEAF_DOWN, b, layout)
        yield between(a, b, layout)


def _covers(group: Group, pairs: Sequence[tuple[int, int]]) -> bool:
    sources, targets = set(group.sources.tolist()), set(group.targets.tolist())
    inside = sum(a in sources and b in targets for a, b in pairs)
    return inside >= _COVERED * len(pairs)


def _cells(group: Group, kinds: np.ndarray) -> list[Pair]:
    return [Pair(int(a), int(b)) for a in group.sources for b in group.targets if kinds[a, b] >= 0]


def _ends(group: Group) -> tuple[int, ...]:
    """The endpoints whose own a group is: the smaller side."""
    side = min((group.sources, group.targets), key=len)
    return tuple(int(e) for e in side)


def _spread_out(pairs: Sequence[Pair], layout: Layout) -> list[Pair]:
    """A few of them, of as many leaves and hosts as there are."""
    turns: dict[tuple[int, int], list[Pair]] = {}
    for pair in pairs:
        turns.setdefault((int(layout.leaf[pair.source]), int(layout.leaf[pair.target])), []).append(
            pair
        )
    chosen: list[Pair] = []
    while len(chosen) < MOST_PAIRS and any(turns.values()):
        for waiting in turns.values():
            if waiting and len(chosen) < MOST_PAIRS:
                chosen.append(waiting.pop(0))
    return chosen
