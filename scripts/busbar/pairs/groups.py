"""What could be slow, and which cells would be slow if it were.

A pair is as fast as the slowest of what it passes: the sender's port, the receiver's, and the path
between. So a slow port shows as a whole row or column, a leaf's uplink as a block, and a single
path as a single cell; any of its cells at the healthy rate acquits it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

import numpy as np

from busbar.pairs.matrix import Cells
from busbar.pairs.residuals import LEAST_CELLS, Codes, Layout, Mask, Residuals, line_medians

THRESHOLD = 0.05  # a deficit below this is nobody's fault: hosts of one kind differ that much
_CONTRADICTING = 0.1  # share of cells that may lie above by chance
_NOISE_WIDTH = 3.0

_EDGE = float(np.log1p(-THRESHOLD))


class Kind(Enum):
    """What can be slow."""

    HOST_EGRESS = "host egress"
    HOST_INGRESS = "host ingress"
    HOST_BOTH = "host, both directions"
    NIC_EGRESS = "NIC egress"
    NIC_INGRESS = "NIC ingress"
    NIC_BOTH = "NIC, both directions"
    LEAF_UP = "leaf uplink, towards the spine"
    LEAF_DOWN = "leaf uplink, from the spine"
    LEAF_PATH = "path between leaves"
    PATH = "single path"


EGRESS = (Kind.HOST_EGRESS, Kind.NIC_EGRESS)
INGRESS = (Kind.HOST_INGRESS, Kind.NIC_INGRESS)


@dataclass(frozen=True)
class Group:
    """A thing that could be slow: all cells from one of `sources` to one of `targets`."""

    kind: Kind
    subject: tuple[int, ...]
    """Endpoints of a port or path; leaves of what belongs to leaves."""
    sources: Codes
    targets: Codes

    def of(self, cells: Cells) -> Cells:
        """Its cells, of a matrix or of one per launch."""
        found: Cells = cells[..., self.sources[:, None], self.targets[None, :]]
        return found

    def mark(self, mask: Mask) -> None:
        """Set its cells."""
        mask[np.ix_(self.sources, self.targets)] = True

    def pairs(self, cells: Cells) -> list[tuple[int, int]]:
        """Which of its cells are measured, the slowest first."""
        own = self.of(cells)
        at = np.argwhere(np.isfinite(own))
        order = np.argsort(own[at[:, 0], at[:, 1]], kind="stable")
        return [(int(self.sources[a]), int(self.targets[b])) for a, b in at[order]]


def port(kind: Kind, endpoint: int, layout: Layout) -> Group:
    """The row (egress) or column (ingress) of an endpoint."""
    one, everyone = np.array([endpoint]), np.arange(len(layout.host))
    if kind in EGRESS:
        return Group(kind, (endpoint,), one, everyone)
    return Group(kind, (endpoint,), everyone, one)


def ports(kind: Kind, host: int, layout: Layout) -> Group:
    """The rows or columns of all endpoints of a host."""
    own, everyone = layout.of_host(host), np.arange(len(layout.host))
    subject = tuple(int(e) for e in own)
    if kind is Kind.HOST_EGRESS:
        return Group(kind, subject, own, everyone)
    return Group(kind, subject, everyone, own)


def uplink(kind: Kind, leaf: int, layout: Layout) -> Group:
    """What leaves (LEAF_UP) or enters (LEAF_DOWN) a leaf."""
    own = layout.of_leaf(leaf)
    others = np.flatnonzero((layout.leaf != leaf) & (layout.leaf >= 0))
    return Group(kind, (leaf,), *((own, others) if kind is Kind.LEAF_UP else (others, own)))


def between(source: int, target: int, layout: Layout) -> Group:
    """What goes from one leaf to another."""
    return Group(Kind.LEAF_PATH, (source, target), layout.of_leaf(source), layout.of_leaf(target))


def path(source: int, target: int) -> Group:
    """A single cell."""
    return Group(Kind.PATH, (source, target), np.array([source]), np.array([target]))


def deficit(group: Group, cells: Cells) -> float:
    """Median of a group's cells; NaN where none is measured."""
    own = group.of(cells)
    own = own[np.isfinite(own)]
    return float(np.median(own)) if len(own) else float("nan")


def is_slow(group: Group, found: Residuals, cells: Cells | None = None) -> bool:
    """Whether it is slow as a whole: in the middle, in every launch, and without contradiction.

    `cells`: `found.each` or what is left of it.
    """
    if not deficit(group, found.middle) <= _EDGE / 2:  # most are not: the quick answer
        return False
    each = group.of(found.each if cells is None else cells)
    per_launch = [x[np.isfinite(x)] for x in each]
    known = [float(np.median(x)) for x in per_launch if len(x)]
    if not known or np.median(known) > _EDGE or max(known) > _EDGE / 2:
        return False
    own = group.of(found.middle)[np.isfinite(each).any(axis=0)]
    centre = float(np.median(own))
    above = own > centre + max(-centre / 2, _NOISE_WIDTH * found.noise)
    return int(above.sum()) <= int(_CONTRADICTING * len(own))


def slow_ports(found: Residuals, layout: Layout, cells: Cells) -> Iterator[Group]:
    """Rows and columns that are slow as a whole; a host's are one if all of its endpoints' are."""
    sizes = np.bincount(layout.host)
    for axis, of_host, of_nic in (
        (1, Kind.HOST_EGRESS, Kind.NIC_EGRESS),
        (0, Kind.HOST_INGRESS, Kind.NIC_INGRESS),
    ):
        lines = np.array([line_medians(launch, axis) for launch in cells])
        worst = np.where(np.isfinite(lines), lines, -np.inf).max(axis=0, initial=-np.inf)
        likely = np.flatnonzero(np.isfinite(worst) & (worst <= _EDGE / 2))
        slow = {int(e) for e in likely if is_slow(port(of_nic, int(e), layout), found, cells)}
        for host in dict.fromkeys(int(layout.host[e]) for e in sorted(slow)):
            own = [e for e in sorted(slow) if layout.host[e] == host]
            if len(own) == sizes[host]:
                yield ports(of_host, host, layout)
            else:
                yield from (port(of_nic, e, layout) for e in own)


def slow_uplinks(found: Residuals, layout: Layout) -> list[Group]:
    """Uplinks that are slow as a whole while their hosts are not among themselves.

    Two leaves have one path each way, which cannot be told from either end of it.
    """
    leaves = range(len(layout.leaves))
    slow: list[Group] = []
    if len(layout.leaves) > 2:
        for leaf in leaves:
            for kind in (Kind.LEAF_UP, Kind.LEAF_DOWN):
                group = uplink(kind, leaf, layout)
                if _spans(group, found, layout) and _by_itself(group, found, layout):
                    slow.append(group)
    known = {(group.kind, group.subject[0]) for group in slow}
    for a in leaves:
        for b in leaves:
            if a == b or (Kind.LEAF_UP, a) in known or (Kind.LEAF_DOWN, b) in known:
                continue
            group = between(a, b, layout)
            if _by_itself(group, found, layout):
                slow.append(group)
    return slow


def slow_paths(found: Residuals, cells: Cells, least: float) -> list[Group]:
    """Single cells that are slow in every launch, and in the middle by `least` or more."""
    worst = np.where(np.isfinite(cells), cells, -np.inf).max(axis=0, initial=-np.inf)
    measured = np.isfinite(cells).any(axis=0)
    slow = measured & (worst <= _EDGE / 2) & (found.middle <= min(_EDGE, -least))
    order = np.argwhere(slow)
    return [path(int(a), int(b)) for a, b in order]


def _spans(group: Group, found: Residuals, layout: Layout) -> bool:
    """Whether cells towards two other leaves are measured: else it is no more than one path."""
    far = group.targets if group.kind is Kind.LEAF_UP else group.sources
    measured = np.isfinite(group.of(found.middle))
    seen = measured.any(axis=0 if group.kind is Kind.LEAF_UP else 1)
    return len(set(layout.leaf[far[seen]].tolist())) >= 2


def _by_itself(group: Group, found: Residuals, layout: Layout) -> bool:
    """Slow, over more than one host at each end, and not because hosts are slow everywhere."""
    measured = np.isfinite(group.of(found.middle))
    if measured.sum() < LEAST_CELLS or not is_slow(group, found):
        return False
    for ends, seen in (
        (group.sources, measured.any(axis=1)),
        (group.targets, measured.any(axis=0)),
    ):
        if len(set(layout.host[ends[seen]].tolist())) < 2:
            return False
    centre = deficit(group, found.middle)
    for ends, is_source in ((group.sources, True), (group.targets, False)):
        elsewhere = _elsewhere(group, ends, is_source=is_source, found=found, layout=layout)
        if np.isfinite(elsewhere) and elsewhere <= centre / 2:
            return False
    return True


def _elsewhere(
    group: Group, ends: Codes, *, is_source: bool, found: Residuals, layout: Layout
) -> float:
    """What the hosts at one end do below their own leaf."""
    leaves = set(layout.leaf[ends].tolist())
    if len(leaves) > 1:  # the far end of an uplink: whole leaves, each with its own
        return float("nan")
    inside = Group(group.kind, group.subject, ends, ends)
    own = inside.of(found.middle)
    lines = line_medians(own, 1 if is_source else 0, least=1)
    lines = lines[np.isfinite(lines)]
    return float(np.median(lines)) if len(lines) else float("nan")
