"""The switches of a cluster's tiers, as zones of a simulated platform.

The groups of a tier hang on an uplink of what the fabric file says they carry, below the switches
of the next tier; within a switch nothing blocks. Two things differ from that:

* Groups that are joined directly, as in a dragonfly, have a link to each other group instead, which
  has an even share of their uplinks: of the whole fabric's groups, also where only the first take
  part. Routes are minimal, over the one link between two groups. Real switches also go by way of a
  third group where that link is crowded, so traffic between few groups is slower here, and never
  faster than theory's bound, which holds for every route.
* A group with rails has a switch for each, and a rail has its share of the group's uplinks. Who
  stays on a rail passes its switch alone. From one rail to another the way leads up the uplinks to
  the switches above, where rails meet, and down again, also within one group. So is a scalable unit
  of a DGX SuperPOD wired: a leaf for each rail, and spines that whoever changes rails has to pass
  (NVIDIA, DGX SuperPOD reference architecture, network fabrics).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, takewhile

from busbar.fabrics.cluster import Cluster, Tier
from busbar.simulate.description import WORLD, Description, Link

_TOP = "top-agg"


@dataclass(frozen=True)
class Wires:
    """What a line carries here."""

    payload_share: float
    """Of its rate, what is neither headers nor other traffic."""
    half_s: float
    """Seconds on the link of each end, half of what a message costs."""

    def host(self, payload_gbs: float) -> Link:
        """One direction of the link by which messages leave a host, whatever its headers."""
        return Link(payload_gbs * 1e9, self.half_s)

    def network(self, line_gbs: float) -> Link:
        """One of a NIC or between switches, beyond that."""
        return Link(line_gbs * 1e9 * self.payload_share, 0.0)


@dataclass(frozen=True)
class Aggregation:
    """Hosts that reduce, as a tree."""

    names: tuple[str, ...]
    """Inner ones first."""
    of_nodes: list[str]
    """The one above each node."""
    above: dict[str, str]
    """The one above each other; the top has none."""


class Switches:
    """The zones of the tiers among a cluster's first nodes, from the outermost inwards."""

    def __init__(self, made: Description, cluster: Cluster, nodes: int, wires: Wires) -> None:
        self._made = made
        self._cluster = cluster
        self._nodes = nodes
        self._wires = wires
        with_rails = list(takewhile(lambda tier: tier.rails, cluster.tiers))
        self._rails = len(with_rails)
        """Tiers with a switch for each rail; they are the innermost."""
        several = [t for t in cluster.tiers[self._rails :] if t.nodes < nodes]
        self._tiers = [*with_rails, *several]
        """From the inside. Of those without rails only ones with several groups among the nodes."""
        self._firsts = _firsts(nodes, [tier.nodes for tier in self._tiers])
        self._parents: dict[str, str] = {}
        """The zone that each zone is in, outer ones first."""
        self._mesh = bool(several) and several[-1].joined == "directly"
        if self._mesh:
            made.mesh(WORLD)
        else:
            made.star(WORLD, None)
        for level in reversed(range(len(self._tiers))):
            self._level(level)
        if self._mesh:
            self._join(several[-1])

    def of_nic(self, node: int, nic: int) -> str:
        """The zone of the switch that a NIC of a node hangs on; nodes and NICs count from 0."""
        return self._zone(0, node, nic) if self._tiers else WORLD

    def common(self, one: str, other: str) -> str:
        """The innermost zone that is, or holds, both."""
        around = set(self._outwards(one))
        return next(zone for zone in self._outwards(other) if zone in around)

    def aggregation(self) -> Aggregation:
        """Puts a host that reduces at every switch, and says who is below whom.

        A group's rails have one for all of them, on the first. It stands for one on each, which
        all would do the same: every rail reaches it past the uplinks, and it sends up by those of
        its own rail.
        """
        names, above = [], {}
        for level in range(len(self._tiers)):
            for first in self._firsts[level]:
                name = f"{self._group(level, first)}-agg"
                above[name] = self._aggregator(level + 1, first)
                names.append(name)
                self._made.aggregator(name, self._zone(level, first, 0))
                for rail in self._rails_of(level)[1:]:
                    zone = self._zone(level, first, rail)
                    around = self.common(zone, self._zone(level, first, 0))
                    self._made.beside(name, zone, around)
        if not self._mesh:
            names.append(_TOP)
            self._made.aggregator(_TOP, WORLD)
        of_nodes = [self._aggregator(0, node) for node in range(self._nodes)]
        edges = {name: parent for name, parent in above.items() if parent != name}
        return Aggregation(tuple(names), of_nodes, edges)

    def _aggregator(self, level: int, node: int) -> str:
        """Of a node's group; beyond all tiers the top, of a dragonfly its first group's."""
        if level < len(self._tiers):
            return f"{self._group(level, node)}-agg"
        return f"{self._group(level - 1, 0)}-agg" if self._mesh else _TOP

    def _outwards(self, zone: str) -> Iterator[str]:
        while zone != WORLD:
            yield zone
            zone = self._parents[zone]
        yield WORLD

    def _group(self, level: int, node: int) -> str:
        number = bisect_right(self._firsts[level], node)
        return f"{self._tiers[level].name.replace(' ', '-')}{number}"

    def _zone(self, level: int, node: int, nic: int) -> str:
        group = self._group(level, node)
        return f"{group}.rail{nic}" if level < self._rails else group

    def _rails_of(self, level: int) -> list[int]:
        """Those that GPUs are on, by the first NIC of each; one where there are none."""
        if level >= self._rails:
            return [0]
        return sorted({self._cluster.first_nic(gpu) for gpu in range(self._cluster.node.gpus)})

    def _level(self, level: int) -> None:
        """The groups of a tier, or their rails."""
        outermost = level + 1 == len(self._tiers)
        for first in self._firsts[level]:
            for rail in self._rails_of(level):
                name = self._zone(level, first, rail)
                parent = WORLD if outermost else self._zone(level + 1, first, rail)
                self._parents[name] = parent
                self._made.star(name, parent, of_zones=True)
                if not (outermost and self._mesh):
                    self._uplink(level, name, parent)

    def _uplink(self, level: int, name: str, parent: str) -> None:
        tier = self._tiers[level]
        gbs = self._cluster.uplinks_gbs(tier)
        if level < self._rails:
            gbs = self._cluster.rail_gbs(tier) * self._cluster.own_nics()
        link = self._wires.network(gbs)
        self._made.uplink(name, parent, link, link)

    def _join(self, tier: Tier) -> None:
        link = self._wires.network(self._cluster.pair_gbs(tier))
        groups = [zone for zone, parent in self._parents.items() if parent == WORLD]
        for one, other in combinations(groups, 2):
            self._made.pair(one, other, WORLD, link)


def _firsts(nodes: int, sizes: Sequence[int]) -> list[list[int]]:
    """The first node of each group of each tier, from the inside.

    Groups fill those of the tier above from its first node on, so that the last in each may be
    smaller.
    """
    found: list[list[int]] = []
    above = [range(nodes)]
    for size in reversed(sizes):
        above = [whole[n : n + size] for whole in above for n in range(0, len(whole), size)]
        found.append([group.start for group in above])
    return found[::-1]
