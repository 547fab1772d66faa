"""What a part of a cluster can exchange with the rest, as far as the group's own GPUs reach.

A GPU that has partners beyond its scale-up domain exchanges bytes over its PCIe slot as well, which
leads to the NICs; over the port alone goes what stays inside. All GPUs of a domain together have no
more NICs than there are. Nothing runs on the GPUs that are not
in the group: of a mesh only the links between its ranks count, of an NVLink domain only the NICs of
its nodes in use.
"""

from __future__ import annotations

from dataclasses import dataclass

from busbar.fabrics.cluster import Cluster
from busbar.theory.cluster.layout import Kind, Layout, Part


@dataclass(frozen=True)
class Passage:
    """A way out of a part, and as wide a way in."""

    name: str
    gbs: float
    """Payload each way, GB/s."""


@dataclass(frozen=True)
class Rates:
    """A cluster's links, each at some share of its line rate."""

    cluster: Cluster
    port_share: float
    """Of a scale-up port."""
    slot_share: float
    """Of a PCIe slot, between GPUs."""
    network_share: float
    """Of a NIC or an uplink."""

    def port_gbs(self, reach: int) -> float:
        """Of a GPU with so many ranks in its scale-up domain; 0 where it has no partner there."""
        scale_up = self.cluster.scale_up
        if scale_up is None or reach < 2:
            return 0.0
        linked = (reach - 1) / (scale_up.gpus - 1) if scale_up.wiring == "mesh" else 1.0
        return scale_up.port_gbs.value * self.port_share * linked

    def peer_gbs(self) -> float:
        """Of one pair of GPUs of a scale-up domain: in a mesh only their own links."""
        return self.port_gbs(2)

    def slot_gbs(self) -> float:
        """Of one GPU's PCIe slot, between GPUs."""
        return self.cluster.node.pcie_gbs.value * self.slot_share

    def to_nic_gbs(self) -> float:
        """Of one GPU's PCIe slot, to NICs."""
        return self.cluster.node.pcie_gbs.value

    def nic_gbs(self) -> float:
        """Of one NIC; 0 without."""
        nic = self.cluster.nic
        return 0.0 if nic is None else nic.rate_bps.value / 8e9 * self.network_share

    def own_nics_gbs(self) -> float:
        """Of the NICs that one GPU sends over when it alone has something to send."""
        return min(self.cluster.own_nics() * self.nic_gbs(), self.to_nic_gbs())

    def passage(self, part: Part, ranks: int, times: int = 1) -> Passage:
        """Out of a part of a group of so many ranks.

        With so many `times` it is out of the parts of as many groups, which lie on the same nodes.
        """
        if part.kind is Kind.GPU:
            own = self._of_gpu(part, ranks)
            return Passage(own.name, times * own.gbs)
        if part.kind is Kind.ISLAND:
            return Passage(part.level.name, times * len(part.ranks) * self.slot_gbs())
        if part.kind is Kind.DOMAIN:
            return self._of_domain(part, times)
        return Passage(part.level.name, part.level.line_gbs * self.network_share)

    def parted_gbs(self, part: Part, times: int) -> float | None:
        """Out of all GPUs of a domain, each a part of its own: their ports, and the domain's NICs.

        None where the ports do not lead to all of the domain.
        """
        scale_up = self.cluster.scale_up
        if scale_up is None or scale_up.gpus < self.cluster.node.gpus:
            return None
        ports = times * len(part.ranks) * self.port_gbs(part.reach)
        return ports + self._of_domain(part, times).gbs

    def pairs_passage(self, part: Part, ranks: int, times: int = 1) -> Passage:
        """As `passage`, where each GPU sends over its own NICs only."""
        found = self.passage(part, ranks, times)
        if part.kind is not Kind.DOMAIN:
            return found
        return Passage(found.name, min(found.gbs, times * len(part.ranks) * self.own_nics_gbs()))

    def _of_gpu(self, part: Part, ranks: int) -> Passage:
        scale_up = self.cluster.scale_up
        slot = "PCIe slot of a GPU"
        port = self.port_gbs(part.reach)
        if scale_up is None or not port:
            return Passage(slot, self.slot_gbs())
        if part.reach == ranks:
            return Passage(part.level.name, port)
        return Passage(f"{part.level.name} and its PCIe slot", port + self._beside_port_gbs())

    def _beside_port_gbs(self) -> float:
        """Of one GPU's slot, to partners behind NICs, or in its node where NVLink does not lead."""
        nic, scale_up = self.cluster.nic, self.cluster.scale_up
        if nic is None or (scale_up is not None and scale_up.gpus < self.cluster.node.gpus):
            return self.slot_gbs()
        return min(self.slot_gbs(), nic.per_node * self.nic_gbs())

    def _of_domain(self, part: Part, times: int) -> Passage:
        nic = self.cluster.nic
        assert nic is not None  # or the cluster had no such level
        nics = part.nodes * nic.per_node * self.nic_gbs()
        slots = times * len(part.ranks) * self.to_nic_gbs()
        if nics <= slots:
            return Passage(part.level.name, nics)
        return Passage(f"PCIe slots before the {part.level.name}", slots)


def line_rates(cluster: Cluster) -> Rates:
    """What physics allows: headers alone are lost."""
    return Rates(cluster, 1.0, 1.0, cluster.payload_share())


# NCCL 2.28.9 src/graph/topo.h and search: bytes between GPUs over PCIe count 6/5 on Intel CPUs.
_INTEL_PCIE = 5 / 6


def usual_rates(cluster: Cluster) -> Rates:
    """What good kernels and transfers reach, by the fabric's own figures."""
    port = 1.0 if cluster.scale_up is None else cluster.scale_up.ring_share.value
    network = cluster.payload_share()
    if cluster.nic is not None:
        network = min(network, cluster.nic.achievable.value)
    slot = _INTEL_PCIE if cluster.node.cpu == "intel" else 1.0
    return Rates(cluster, port, slot, network)


def is_cut(layout: Layout, part: Part) -> bool:
    """Whether it leaves ranks outside."""
    return len(part.ranks) < layout.ranks
