"""The tables of a fabric file that describe a GPU cluster, and the levels they make.

Nodes are alike, and so are the groups of each tier: a cluster of any size is a handful of levels,
which theory reads in closed form. A level says what a part of the cluster (a GPU, an NVLink domain,
a leaf group) can exchange with all the rest.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from pydantic import Field

from busbar.fabrics.figure import Figure, Name, Part, Share
from busbar.fabrics.protocols import NetworkProtocol, full_packet

Architecture = Literal["ampere", "ada", "hopper", "blackwell", "rubin"]


class Gpu(Part):
    """The GPU, one kind throughout."""

    name: Name
    architecture: Architecture


class Node(Part):
    """The node, one kind throughout."""

    gpus: int = Field(ge=1)
    count: int = Field(ge=1)
    """Nodes of the whole cluster."""
    cpu: Literal["intel", "amd", "arm"]
    pcie_gbs: Figure
    """GB/s each way between one GPU and the rest of its node, without NVLink."""
    source: Name
    """Of the counts."""


class ScaleUpReduction(Part):
    """NVLink switches that reduce and copy (NVLS)."""

    mechanism: Literal["nvls"]
    share: Share
    """Of a GPU's port, what such an all_reduce keeps busy."""


class ScaleUp(Part):
    """Links between GPUs beside the network. Without this table GPUs of a node have only PCIe."""

    name: Name
    gpus: int = Field(ge=2)
    """GPUs of one domain: those of a node, of part of one, or of several."""
    wiring: Literal["switch", "mesh"]
    port_gbs: Figure
    """GB/s each way of one GPU, over all its links."""
    ring_share: Share
    """Of the port, what the kernels of a ring reach."""
    in_network: ScaleUpReduction | None = None
    source: Name | None = None
    """Of the count and the wiring."""


class Nic(Part):
    """The network ports of a node that carry collectives."""

    per_node: int = Field(ge=1)
    rate_bps: Figure
    """Line rate of one, each way."""
    protocol: NetworkProtocol
    mtu: int = Field(ge=256, le=65536)
    achievable: Share
    """Of the line rate, what the best transfers reach."""
    source: Name
    """Of the count and the MTU."""


class Tier(Part):
    """A level of switches, by the group of nodes below it."""

    name: Name
    nodes: int = Field(ge=1)
    """Nodes of one group."""
    oversubscription: Figure
    """What the group's NICs can send over what its uplinks carry; 1 where they carry all."""
    rails: bool = False
    """Whether each NIC of a node hangs on a switch of its own rail."""
    joined: Literal["by switches", "directly"] = "by switches"
    """Directly: each group has links of its own to every other, as in a dragonfly. They share the
    group's uplinks evenly."""
    source: Name
    """Of the count."""


@dataclass(frozen=True)
class Level:
    """Parts of a cluster, and the line rate at which one can exchange bytes with the rest."""

    name: str
    gpus: int
    """Of one part."""
    line_gbs: float
    """Each way."""
    payload_share: float
    """Of the line rate, what is not headers."""

    def payload_gbs(self) -> float:
        """GB/s of payload, each way."""
        return self.line_gbs * self.payload_share


@dataclass(frozen=True)
class Cluster:
    """The tables together; a fabric of kind `cluster` has one."""

    gpu: Gpu
    node: Node
    scale_up: ScaleUp | None
    nic: Nic | None
    tiers: tuple[Tier, ...]

    def gpus(self) -> int:
        """Of the whole cluster."""
        return self.node.gpus * self.node.count

    def domain_gpus(self) -> int:
        """GPUs that need no NIC to reach each other."""
        return max(self.node.gpus, self.scale_up.gpus if self.scale_up else 1)

    def trees(self) -> int:
        """Of switches, that share data to reduce: one for each rail, if NICs are on their own."""
        rails = bool(self.tiers) and self.tiers[0].rails
        return self.nic.per_node if self.nic is not None and rails else 1

    def payload_share(self) -> float:
        """Of the network's line rate, what is not headers; 1 without a network."""
        if self.nic is None:
            return 1.0
        return full_packet(self.nic.protocol, self.nic.mtu).efficiency()

    def own_nics(self) -> int:
        """NICs of its node that one GPU sends over: its own, or the one that it shares."""
        return 0 if self.nic is None else max(1, self.nic.per_node // self.node.gpus)

    def first_nic(self, gpu: int) -> int:
        """The first of them, the nearest by number; GPUs and NICs of a node count from 0."""
        return 0 if self.nic is None else gpu * self.nic.per_node // self.node.gpus

    def groups(self, tier: Tier) -> int:
        """Of a tier, in the whole cluster; the last may be smaller."""
        return -(-self.node.count // tier.nodes)

    def uplinks_gbs(self, tier: Tier) -> float:
        """Line rate each way of all uplinks of a group, GB/s."""
        return tier.nodes * self._node_gbs() / tier.oversubscription.value

    def rail_gbs(self, tier: Tier) -> float:
        """Of these what one rail has, where the tier has rails."""
        return self.uplinks_gbs(tier) / (1 if self.nic is None else self.nic.per_node)

    def pair_gbs(self, tier: Tier) -> float:
        """Of these what leads to one other group, where groups are joined directly."""
        return self.uplinks_gbs(tier) / (self.groups(tier) - 1)

    def _node_gbs(self) -> float:
        """Line rate each way of a node's NICs; 0 without."""
        return 0.0 if self.nic is None else self.nic.per_node * self.nic.rate_bps.value / 8e9

    def levels(self) -> tuple[Level, ...]:
        """From one GPU outwards; each level's parts hold whole parts of the one before."""
        return tuple(self._levels())

    def _levels(self) -> Iterator[Level]:
        pcie = self.node.pcie_gbs.value
        if self.scale_up is None:
            yield Level("PCIe slot of a GPU", 1, pcie, 1.0)
        else:
            yield Level(f"{self.scale_up.name} port of a GPU", 1, self.scale_up.port_gbs.value, 1.0)
            inside = self.scale_up.gpus
            if inside < self.node.gpus:
                name = f"PCIe slots of an {self.scale_up.name} island"
                yield Level(name, inside, inside * pcie, 1.0)
        if self.nic is None:
            return
        nodes = self.domain_gpus() // self.node.gpus
        whose = f"an {self.scale_up.name} domain" if self.scale_up and nodes > 1 else "a node"
        nics = nodes * self._node_gbs()
        yield Level(f"NICs of {whose}", self.domain_gpus(), nics, self.payload_share())
        for tier in self.tiers:
            if tier.nodes < self.node.count:
                gpus, uplinks = tier.nodes * self.node.gpus, self.uplinks_gbs(tier)
                yield Level(f"uplinks of a {tier.name}", gpus, uplinks, self.payload_share())


class ClusterTables(Part):
    """Those tables of a fabric file, each where it is given."""

    gpu: Gpu | None = None
    node: Node | None = None
    scale_up: ScaleUp | None = None
    nic: Nic | None = None
    tier: list[Tier] = Field(default=[])

    def joined(self) -> Cluster:
        """The tables together. Raises ValueError, one sentence, if they do not make a cluster."""
        if self.gpu is None or self.node is None:
            missing = "gpu" if self.gpu is None else "node"
            raise ValueError(f"table [{missing}] is missing, kind 'cluster' needs it")
        found = Cluster(self.gpu, self.node, self.scale_up, self.nic, tuple(self.tier))
        _refuse_misfit(found)
        return found


def _refuse_misfit(cluster: Cluster) -> None:
    """Raises ValueError, one sentence, where counts contradict each other."""
    node, scale_up = cluster.node, cluster.scale_up
    if scale_up and node.gpus % scale_up.gpus and scale_up.gpus % node.gpus:
        raise ValueError(
            f"'scale_up.gpus' is {scale_up.gpus}, accepted beside {node.gpus} GPUs of a node is a "
            "divisor or a multiple"
        )
    domain_nodes = cluster.domain_gpus() // node.gpus
    if node.count % domain_nodes:
        raise ValueError(
            f"'node.count' is {node.count}, accepted is a multiple of the {domain_nodes} nodes of "
            "a domain"
        )
    if cluster.nic is None and (node.count > domain_nodes or cluster.tiers):
        raise ValueError("table [nic] is missing, nodes beyond one domain need it")
    sizes = [domain_nodes, *(tier.nodes for tier in cluster.tiers)]
    for inner, outer in pairwise(sizes):
        if outer < inner or outer % domain_nodes:
            raise ValueError(
                f"'tier.nodes' is {outer}, accepted is a multiple of {domain_nodes} that is not "
                f"below the {inner} nodes inside"
            )
    _refuse_wiring(cluster)


def _refuse_wiring(cluster: Cluster) -> None:
    """Raises ValueError, one sentence, where groups cannot be joined as their tiers say."""
    for inner, outer in pairwise(cluster.tiers):
        if inner.joined == "directly":
            raise ValueError(
                f"groups of tier '{inner.name}' are joined directly and have tier '{outer.name}' "
                "above, accepted is joined = 'directly' for the outermost tier"
            )
        if outer.rails and not inner.rails:
            raise ValueError(
                f"tier '{outer.name}' has rails, accepted are rails where tier '{inner.name}' "
                "inside has them too"
            )
    for tier in cluster.tiers[-1:]:
        if tier.joined == "directly" and (tier.rails or cluster.groups(tier) < 2):
            why = "has rails" if tier.rails else f"has all {cluster.node.count} nodes in one group"
            raise ValueError(
                f"tier '{tier.name}' is joined directly and {why}, accepted are two groups or more "
                "without rails"
            )
