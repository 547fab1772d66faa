"""The platform of a fabric of kind `cluster`: GPUs, NVLink domains and NICs, below its tiers.

Every GPU is a simulated host: it reaches those of its domain over its scale-up port, the others of
its node over its PCIe slot, and all else over that and the NIC of its node that is nearest by
number; several NICs of its own are one, named after the first. It never sends over another GPU's
NIC, as libraries may that change rails inside the node. Where nodes have fewer ranks than GPUs, the
first GPUs have one each.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from busbar.errors import UsageError
from busbar.fabrics.cluster import Cluster, Nic
from busbar.simulate.description import Description, Platform, Reduction
from busbar.simulate.tiers import Switches, Wires


def cluster_platform(
    cluster: Cluster,
    nodes: int,
    ranks_per_node: int,
    message_us: float,
    trees: int,
    background: float,
    reduction: Reduction,
) -> Platform:
    """The first `nodes` nodes of a cluster, with `trees` aggregators at each switch.

    Raises UsageError for a number of nodes or ranks that it has not.
    """
    _refuse_misfit(cluster, nodes, ranks_per_node)
    wires = Wires(cluster.payload_share() * (1 - background), message_us / 2e6)
    building = _Building(Description(reduction), cluster, nodes, wires)
    building.fill()
    names = [f"node{n}" for n in range(1, nodes + 1)]
    aggregators, tree = building.aggregation() if trees else ([], "")
    return Platform(
        parts=tuple(building.made.parts),
        workers=tuple(f"{name}.gpu{gpu}" for name in names for gpu in range(ranks_per_node)),
        nodes=tuple(name for name in names for _ in range(ranks_per_node)),
        aggregators=tuple(name for name in aggregators for _ in range(trees)),
        trees=(tree,) * trees,
    )


def _refuse_misfit(cluster: Cluster, nodes: int, ranks_per_node: int) -> None:
    if not 1 <= nodes <= cluster.node.count:
        raise UsageError(f"{nodes} nodes: accepted is 1 to {cluster.node.count} on this fabric.")
    if not 1 <= ranks_per_node <= cluster.node.gpus:
        raise UsageError(
            f"{ranks_per_node} ranks per node: accepted is 1 to {cluster.node.gpus}, each on a GPU."
        )


@dataclass(frozen=True)
class _Gpu:
    """A GPU, by the names of what it is in and on."""

    name: str
    node: str
    nic: str
    zone: str
    switch: str
    """The zone that `zone` is in."""


class _Building:
    """What hangs on the switches."""

    def __init__(self, made: Description, cluster: Cluster, nodes: int, wires: Wires) -> None:
        self.made = made
        self._cluster = cluster
        self._names = [f"node{n + 1}" for n in range(nodes)]
        self._wires = wires
        self._switches = Switches(self.made, cluster, nodes, wires)

    def fill(self) -> None:
        """The hosts below the switches."""
        each = self._cluster.domain_gpus() // self._cluster.node.gpus
        for first in range(0, len(self._names), each):
            nodes = range(first, min(first + each, len(self._names)))
            self._domain(f"domain{first // each + 1}", nodes)

    def aggregation(self) -> tuple[list[str], str]:
        """A host at every switch, inner ones first, and the tree of nodes below them."""
        found = self._switches.aggregation()
        edges = {**dict(zip(self._names, found.of_nodes, strict=True)), **found.above}
        return list(found.names), ",".join(f"{below}={above}" for below, above in edges.items())

    def _domain(self, domain: str, nodes: range) -> None:
        """The GPUs of a domain, and every way between two of them and out."""
        gpus = list(self._gpus(domain, nodes))
        for zone, switch in {gpu.zone: gpu.switch for gpu in gpus}.items():
            self.made.domain(zone, switch)
        for gpu in gpus:
            self.made.domain_host(gpu.name, gpu.zone, gpu.node)
            self._ports(gpu)
        if self._cluster.nic is not None:
            self._nics(gpus, self._cluster.nic)
        for i, source in enumerate(gpus):
            for j, target in enumerate(gpus):
                if i != j:
                    port = self._joining(i, j)
                    links = [f"{source.name}.{port}.tx", f"{target.name}.{port}.rx"]
                    self._way(source, target, links)

    def _gpus(self, domain: str, nodes: range) -> Iterator[_Gpu]:
        """In one zone, or where they are on several rails each in its own below its switch."""
        count = self._cluster.node.gpus
        near = [self._cluster.first_nic(g) for g in range(count)]
        places = [(n, g, self._switches.of_nic(n, near[g])) for n in nodes for g in range(count)]
        apart = len({switch for _, _, switch in places}) > 1
        for n, g, switch in places:
            node = self._names[n]
            name = f"{node}.gpu{g}"
            zone = f"{name}.place" if apart else domain
            yield _Gpu(name, node, f"{node}.nic{near[g]}", zone, switch)

    def _way(self, source: _Gpu, target: _Gpu, links: list[str]) -> None:
        if source.zone == target.zone:
            self.made.domain_route(source.zone, source.name, target.name, links)
            return
        around = self._switches.common(source.switch, target.switch)
        zones, hosts = (source.zone, target.zone), (source.name, target.name)
        self.made.shortcut(around, zones, hosts, links)

    def _joining(self, i: int, j: int) -> str:
        """By what two GPUs of a domain reach each other."""
        island = self._cluster.scale_up.gpus if self._cluster.scale_up else 1
        return "port" if i // island == j // island else "pcie"

    def _ports(self, gpu: _Gpu) -> None:
        rates = {"pcie": self._cluster.node.pcie_gbs.value}
        if self._cluster.scale_up is not None:
            rates["port"] = self._cluster.scale_up.port_gbs.value
        for kind, gbs in rates.items():
            link = self._wires.host(gbs)
            for direction in ("tx", "rx"):
                self.made.domain_link(f"{gpu.name}.{kind}.{direction}", gpu.zone, link)

    def _nics(self, gpus: list[_Gpu], nic: Nic) -> None:
        """Those that are the nearest of a GPU, and its way to the switch."""
        link = self._wires.network(self._cluster.own_nics() * nic.rate_bps.value / 8e9)
        for name, zone in {gpu.nic: gpu.zone for gpu in gpus}.items():
            for direction in ("tx", "rx"):
                self.made.domain_link(f"{name}.{direction}", zone, link)
        for gpu in gpus:
            up, down = f"{gpu.name}.pcie.tx,{gpu.nic}.tx", f"{gpu.nic}.rx,{gpu.name}.pcie.rx"
            self.made.domain_exit(gpu.zone, gpu.name, up, down)
