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

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, takewhile

from busbar.fabrics.cluster import Cluster, Tier
from busbar.simulate.description import WORLD, Description, Link


@dataclass(frozen=True)
class Wires:
    """What a line carries here."""

    payload_share: float
    """Of its rate, what is neither headers nor other traffic."""
    half_s: float
    """Seconds on the link of each end, half of what a message costs."""

    def port(self, line_gbs: float) -> Link:
        """One direction of a NIC's."""
        return Link(line_gbs * 1e9 * self.payload_share, self.half_s)

    def uplink(self, line_gbs: float) -> Link:
        """The same between switches."""
        return Link(line_gbs * 1e9 * self.payload_share, 0.0)


class Switches:
    """The zones of the tiers among a cluster's first nodes, from the outermost inwards."""

    def __init__(
        self, made: Description, cluster: Cluster, nodes: int, wires: Wires, *, by_gpu: bool
    ) -> None:
        """With a zone for each rail where `by_gpu`: one rank of a node has all its NICs."""
        self._made = made
        self._cluster = cluster
        self._nodes = nodes
        self._wires = wires
        self._by_gpu = by_gpu
        with_rails = list(takewhile(lambda tier: tier.rails, cluster.tiers)) if by_gpu else []
        self._rails = len(with_rails)
        """Tiers with a switch for each rail; they are the innermost."""
        several = [t for t in cluster.tiers[self._rails :] if t.nodes < nodes]
        self._tiers = [*with_rails, *several]
        """From the inside. Of those without rails only ones with several groups among the nodes."""
        self._parents: dict[str, str] = {}
        """The zone that each zone is in, outer ones first; of zones that are no rail's."""
        self._rail_parents: dict[str, str] = {}
        """The same of the rails'."""
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

    def meeting(self, node: int) -> str:
        """The innermost zone that all NICs of a node lead to."""
        return self._zone(self._rails, node, 0) if len(self._tiers) > self._rails else WORLD

    def common(self, one: str, other: str) -> str:
        """The innermost zone that is, or holds, both."""
        around = set(self._outwards(one))
        return next(zone for zone in self._outwards(other) if zone in around)

    def aggregation(self) -> list[tuple[str, str | None]]:
        """The zones where all of a group's NICs meet, inner first, each with the one above it.

        The last has none above: it is the outermost switch, or, where groups are joined directly,
        the first group's. NICs of different rails meet above the rails alone.
        """
        first = next(iter(self._parents), WORLD)
        top = first if self._mesh else WORLD
        below = [zone for zone in reversed(self._parents) if zone != top]
        above = {zone: top if self._parents[zone] == WORLD else self._parents[zone]
                 for zone in below}  # fmt: skip
        return [*above.items(), (top, None)]

    def _outwards(self, zone: str) -> Iterator[str]:
        while zone != WORLD:
            yield zone
            zone = self._rail_parents.get(zone) or self._parents[zone]
        yield WORLD

    def _zone(self, level: int, node: int, nic: int) -> str:
        tier = self._tiers[level]
        group = f"{tier.name.replace(' ', '-')}{node // tier.nodes + 1}"
        return f"{group}.rail{nic}" if level < self._rails else group

    def _level(self, level: int) -> None:
        """The groups of a tier, or their rails."""
        tier = self._tiers[level]
        rails = self._nics_in_use() if level < self._rails else [0]
        parents = self._rail_parents if level < self._rails else self._parents
        for first in range(0, self._nodes, tier.nodes):
            for rail in rails:
                name = self._zone(level, first, rail)
                outermost = level + 1 == len(self._tiers)
                parents[name] = WORLD if outermost else self._zone(level + 1, first, rail)
                self._made.star(name, parents[name], of_zones=level > 0 or self._by_gpu)
                if not (outermost and self._mesh):
                    self._uplink(level, name, parents[name])

    def _nics_in_use(self) -> list[int]:
        node, nic = self._cluster.node, self._cluster.nic
        return [] if nic is None else sorted({g * nic.per_node // node.gpus
                                              for g in range(node.gpus)})  # fmt: skip

    def _uplink(self, level: int, name: str, parent: str) -> None:
        tier = self._tiers[level]
        of_rail = level < self._rails
        gbs = self._cluster.rail_gbs(tier) if of_rail else self._cluster.uplinks_gbs(tier)
        link = self._wires.uplink(gbs)
        self._made.uplink(name, parent, link, link)

    def _join(self, tier: Tier) -> None:
        link = self._wires.uplink(self._cluster.pair_gbs(tier))
        groups = [zone for zone, parent in self._parents.items() if parent == WORLD]
        for one, other in combinations(groups, 2):
            self._made.pair(one, other, WORLD, link)
