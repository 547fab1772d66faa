"""The platform of a fabric of kind `cluster`: GPUs, NVLink domains, NICs and tiers.

With one rank for each GPU, every GPU is a simulated host: it reaches those of its domain over its
scale-up port, the others of its node over its PCIe slot, and all else over the NIC of its node that
is nearest by number. With one rank for each node, that rank has all NICs of the node together.

Above the NICs, the groups of each tier hang on an uplink of what the fabric file says they carry;
within a group nothing blocks. Rails are part of that: who stays on a rail never blocks, and
collective libraries change rails inside the node.
"""

from __future__ import annotations

from collections.abc import Iterator

from busbar.errors import UsageError
from busbar.fabrics.cluster import Cluster, Nic
from busbar.simulate.description import WORLD, Description, Link, Platform, Reduction


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
    made = Description(reduction)
    by_gpu = ranks_per_node > 1
    building = _Building(made, cluster, nodes, message_us, 1 - background, by_gpu=by_gpu)
    building.fill()
    names = [f"node{n}" for n in range(1, nodes + 1)]
    aggregators = building.aggregation() if trees else []
    return Platform(
        parts=tuple(building.made.parts),
        workers=tuple(building.workers),
        nodes=tuple(name for name in names for _ in range(ranks_per_node)),
        aggregators=tuple(name for name in aggregators for _ in range(trees)),
        trees=(building.tree(names),) * trees,
    )


def _refuse_misfit(cluster: Cluster, nodes: int, ranks_per_node: int) -> None:
    if not 1 <= nodes <= cluster.node.count:
        raise UsageError(f"{nodes} nodes: accepted is 1 to {cluster.node.count} on this fabric.")
    if ranks_per_node not in (1, cluster.node.gpus):
        raise UsageError(
            f"{ranks_per_node} ranks per node: accepted is 1, with all NICs, or "
            f"{cluster.node.gpus}, one for each GPU."
        )
    wide = cluster.scale_up is not None and cluster.scale_up.gpus > cluster.node.gpus
    if wide and ranks_per_node == 1 and cluster.node.gpus > 1:
        raise UsageError(
            "1 rank per node: a domain of several nodes needs one for each GPU, accepted is "
            f"{cluster.node.gpus}."
        )


class _Building:
    """Switches from the outermost inwards, then what hangs on the innermost."""

    def __init__(
        self,
        made: Description,
        cluster: Cluster,
        nodes: int,
        message_us: float,
        network_share: float,
        *,
        by_gpu: bool,
    ) -> None:
        self.made = made
        self.workers: list[str] = []
        self._cluster = cluster
        self._nodes = nodes
        self._by_gpu = by_gpu
        self._half_s = message_us / 2e6
        self._payload_share = cluster.payload_share() * network_share
        self._levels = [tier for tier in cluster.tiers if tier.nodes < nodes]
        """Tiers with several groups among these nodes, from the inside."""
        self._above: dict[str, str] = {}
        """The zone above each zone and node."""
        self.made.star(WORLD, None)
        self._switches()

    def fill(self) -> None:
        """The hosts below the switches."""
        if self._by_gpu:
            self._gpus()
        else:
            self._whole_nodes()

    def _whole_nodes(self) -> None:
        """A simulated host for each node."""
        nic = self._nic()
        link = self._wire(nic.per_node * nic.rate_bps.value)
        for name, zone in self._places():
            self.made.host(name, zone, name, link, link)
            self.workers.append(name)

    def _gpus(self) -> None:
        """A simulated host for each GPU."""
        each = max(1, self._cluster.domain_gpus() // self._cluster.node.gpus)
        places = list(self._places())
        for first in range(0, len(places), each):
            members = places[first : first + each]
            zone = members[0][1]
            name = f"domain{first // each + 1}"
            self.made.domain(name, zone)
            self._fill(name, [node for node, _ in members])

    def aggregation(self) -> list[str]:
        """A host at every switch; their names, inner ones first."""
        zones = [*reversed(list(self._zones())), WORLD]
        for zone in zones:
            self.made.aggregator(_aggregator(zone), zone)
        return [_aggregator(zone) for zone in zones]

    def tree(self, nodes: list[str]) -> str:
        """Each node below the aggregator of its switch, each aggregator below the next."""
        edges = [f"{node}={_aggregator(self._above[node])}" for node in nodes]
        edges += [f"{_aggregator(z)}={_aggregator(self._above[z])}" for z in self._zones()]
        return ",".join(edges)

    def _zones(self) -> Iterator[str]:
        nodes = {f"node{n}" for n in range(1, self._nodes + 1)}
        return (zone for zone in self._above if zone not in nodes)

    def _places(self) -> Iterator[tuple[str, str]]:
        """Each node with the zone of its switch."""
        for n in range(self._nodes):
            name, zone = f"node{n + 1}", self._group(0, n) if self._levels else WORLD
            self._above[name] = zone
            yield name, zone

    def _group(self, level: int, node: int) -> str:
        tier = self._levels[level]
        return f"{tier.name.replace(' ', '-')}{node // tier.nodes + 1}"

    def _switches(self) -> None:
        for level in reversed(range(len(self._levels))):
            tier = self._levels[level]
            nic = self._nic()
            rate = tier.nodes * nic.per_node * nic.rate_bps.value / tier.oversubscription.value
            uplink = self._wire(rate, latency_s=0.0)
            for first in range(0, self._nodes, tier.nodes):
                name = self._group(level, first)
                outermost = level + 1 == len(self._levels)
                parent = WORLD if outermost else self._group(level + 1, first)
                self._above[name] = parent
                self.made.star(name, parent, of_zones=level > 0 or self._by_gpu)
                self.made.uplink(name, parent, uplink, uplink)

    def _fill(self, domain: str, nodes: list[str]) -> None:
        """The GPUs of a domain, and every way between two of them and out."""
        per_node = self._cluster.node.gpus
        gpus = [f"{node}.gpu{g}" for node in nodes for g in range(per_node)]
        self.workers += gpus
        for gpu in gpus:
            self.made.domain_host(gpu, domain, gpu.partition(".")[0])
            self._port(domain, gpu)
        for node in nodes if self._cluster.nic else []:
            self._nics(domain, node)
        for i, source in enumerate(gpus):
            for j, target in enumerate(gpus):
                if i != j:
                    port = self._joining(i, j)
                    ways = [f"{source}.{port}.tx", f"{target}.{port}.rx"]
                    self.made.domain_route(domain, source, target, ways)

    def _joining(self, i: int, j: int) -> str:
        """By what two GPUs of a domain reach each other."""
        island = self._cluster.scale_up.gpus if self._cluster.scale_up else 1
        return "port" if i // island == j // island else "pcie"

    def _port(self, domain: str, gpu: str) -> None:
        rates = {"pcie": self._cluster.node.pcie_gbs.value}
        if self._cluster.scale_up is not None:
            rates["port"] = self._cluster.scale_up.port_gbs.value
        for kind, gbs in rates.items():
            for direction in ("tx", "rx"):
                link = Link(gbs * 1e9, self._half_s)
                self.made.domain_link(f"{gpu}.{kind}.{direction}", domain, link)

    def _nics(self, domain: str, node: str) -> None:
        nic, gpus = self._nic(), self._cluster.node.gpus
        for n in range(nic.per_node):
            for direction in ("tx", "rx"):
                link = self._wire(nic.rate_bps.value)
                self.made.domain_link(f"{node}.nic{n}.{direction}", domain, link)
        for g in range(gpus):
            nearest = f"{node}.nic{g * nic.per_node // gpus}"
            self.made.domain_exit(domain, f"{node}.gpu{g}", f"{nearest}.tx", f"{nearest}.rx")

    def _nic(self) -> Nic:
        if self._cluster.nic is None:
            raise UsageError("this fabric has no [nic]: accepted is one rank for each GPU.")
        return self._cluster.nic

    def _wire(self, rate_bps: float, latency_s: float | None = None) -> Link:
        payload = rate_bps / 8 * self._payload_share
        return Link(payload, self._half_s if latency_s is None else latency_s)


def _aggregator(zone: str) -> str:
    return "top-agg" if zone == WORLD else f"{zone}-agg"
