"""GPU clusters for tests of theory, by their figures, and made up by hypothesis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from busbar.fabrics import Fabric
from busbar.theory.cluster.layout import Layout, lay_out
from busbar.theory.cluster.shape import Shape


def figure(value: float) -> dict[str, Any]:
    """A figure of a test."""
    return {"value": float(value), "source": "typed"}


@dataclass(frozen=True)
class Spec:
    """Figures of a cluster; the default is 4 nodes like a DGX H100."""

    gpus: int = 8
    nodes: int = 4
    cpu: str = "amd"
    architecture: str = "hopper"
    pcie_gbs: float = 63.0
    domain: int | None = 8
    """GPUs of a scale-up domain; None without."""
    wiring: str = "switch"
    port_gbs: float = 450.0
    ring_share: float = 0.824
    nvls_share: float | None = 0.682
    nics: int = 8
    """0 without a network."""
    rate_gbps: float = 400.0
    protocol: str = "infiniband"
    mtu: int = 4096
    achievable: float = 0.97
    tiers: Sequence[tuple[int, float]] = ()
    """Nodes of a group, and its oversubscription."""
    rails: bool = False
    """Of all tiers whose groups are not joined directly."""
    direct: bool = False
    """Whether the groups of the outermost tier are."""
    sharp: bool = False
    switch_gbs: float | None = None

    def fabric(self) -> Fabric:
        """A fabric of those figures."""
        document: dict[str, Any] = {
            "name": "made up", "description": "made up", "kind": "cluster",
            "gpu": {"name": "made up", "architecture": self.architecture},
            "node": {"gpus": self.gpus, "count": self.nodes, "cpu": self.cpu,
                     "pcie_gbs": figure(self.pcie_gbs), "source": "typed"},
            "sweep": {"min": "8", "max": "4G", "factor": 2},
        }  # fmt: skip
        if self.domain is not None:
            document["scale_up"] = {
                "name": "NVLink", "gpus": self.domain, "wiring": self.wiring,
                "port_gbs": figure(self.port_gbs), "ring_share": figure(self.ring_share),
            }  # fmt: skip
            if self.nvls_share is not None:
                document["scale_up"]["in_network"] = {
                    "mechanism": "nvls", "share": figure(self.nvls_share),
                }  # fmt: skip
        if self.nics:
            document["nic"] = {
                "per_node": self.nics, "rate_bps": figure(self.rate_gbps * 1e9),
                "protocol": self.protocol, "mtu": self.mtu,
                "achievable": figure(self.achievable), "source": "typed",
            }  # fmt: skip
        document["tier"] = [
            {"name": f"tier {n}", "nodes": nodes, "oversubscription": figure(over),
             "rails": self.rails, "source": "typed"}
            for n, (nodes, over) in enumerate(self.tiers, start=1)
        ]  # fmt: skip
        if self.direct:
            document["tier"][-1] |= {"rails": False, "joined": "directly"}
        if self.sharp:
            rate = None if self.switch_gbs is None else figure(self.switch_gbs * 8e9)
            document["in_network"] = {"mechanism": "sharp", "source": "typed", "rate": rate}
        return Fabric.model_validate(document)

    def layout(
        self, ranks: int | None = None, per_node: int | None = None, root: int = 0
    ) -> Layout:
        """So many ranks of it; by default all."""
        cluster = self.fabric().cluster
        assert cluster is not None
        per_node = self.gpus if per_node is None else per_node
        ranks = self.nodes * per_node if ranks is None else ranks
        return lay_out(cluster, Shape(ranks, min(per_node, ranks)), root)


_SHARES = st.floats(0.3, 1.0)


@st.composite
def specs(draw: st.DrawFn, most_nodes: int = 12) -> Spec:
    """Any cluster that a fabric file may describe."""
    gpus = draw(st.sampled_from([1, 2, 3, 4, 6, 8]))
    inside = [n for n in range(2, gpus + 1) if gpus % n == 0]
    beyond = [gpus * 2, gpus * 3] if gpus < 8 else []
    domain = draw(st.sampled_from([None, *inside, *beyond]))
    domain_nodes = max(1, (domain or 1) // gpus)
    nodes = domain_nodes * draw(st.integers(1, max(1, most_nodes // domain_nodes)))
    wiring = draw(st.sampled_from(["switch", "mesh"]))
    tiers, inner = [], domain_nodes
    for _ in range(draw(st.integers(0, 3))):
        inner = -(-inner // domain_nodes) * domain_nodes * draw(st.integers(1, 3))
        tiers.append((inner, draw(st.floats(0.5, 8.0))))
    direct = inner < nodes and bool(tiers) and draw(st.booleans())
    return Spec(
        gpus=gpus, nodes=nodes, cpu=draw(st.sampled_from(["intel", "amd", "arm"])),
        architecture=draw(st.sampled_from(["ampere", "ada", "hopper", "blackwell", "rubin"])),
        pcie_gbs=draw(st.floats(10, 500)), domain=domain, wiring=wiring,
        port_gbs=draw(st.floats(50, 2000)), ring_share=draw(_SHARES),
        nvls_share=draw(st.one_of(st.none(), _SHARES)) if wiring == "switch" else None,
        nics=draw(st.integers(1, 8)), rate_gbps=draw(st.floats(50, 2000)),
        protocol=draw(st.sampled_from(["infiniband", "roce_v2", "srd", "tcp"])),
        mtu=draw(st.sampled_from([1024, 4096, 9000])), achievable=draw(_SHARES),
        tiers=tuple(tiers), rails=draw(st.booleans()), direct=direct, sharp=draw(st.booleans()),
        switch_gbs=draw(st.one_of(st.none(), st.floats(100, 10000))),
    )  # fmt: skip


@st.composite
def groups(draw: st.DrawFn, most_nodes: int = 12, most_ranks: int = 1 << 30) -> tuple[Spec, Layout]:
    """Any cluster, and any ranks on it."""
    spec = draw(specs(most_nodes))
    per_node = draw(st.integers(1, spec.gpus))
    ranks = draw(st.integers(1, min(most_ranks, spec.nodes * per_node)))
    return spec, spec.layout(ranks, per_node, draw(st.integers(0, ranks - 1)))
