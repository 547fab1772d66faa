"""Places to carry plans out on, for tests: placements, fabrics, and what an engine would say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from busbar import fabrics
from busbar.fabrics import Fabric
from busbar.fabrics.load import fabric_of
from busbar.launch.binary import Described, OperationInfo
from busbar.launch.options import MeasureOptions
from busbar.launch.plans.document import PlanDocument
from busbar.launch.plans.layout import Layout
from busbar.launch.plans.mechanisms import Machine, Mechanisms
from busbar.launch.plans.rows import Names, Situation
from busbar.pairs.sites import Sites
from busbar.record.models import Stopping, Warmup

_REDUCING = ("all_reduce", "reduce_scatter", "reduce")
_ROOTED = ("one_way", "broadcast", "reduce", "gather", "scatter")
_CHUNKED = ("all_to_all", "all_gather", "reduce_scatter", "gather", "scatter")
_TREES = ("all_reduce", "all_gather", "reduce_scatter", "broadcast", "reduce", "barrier")


def described() -> Described:
    """What the engine says of the operations that plans use."""
    names = (*_REDUCING, *_ROOTED, "all_to_all", "all_gather", "send_recv", "bidirectional")
    return Described(
        protocol=1,
        operations=[_info(name) for name in dict.fromkeys(names)],
        datatypes=[Described.Datatype(name="float", bytes=4)],
        redops=["sum"],
        transports=["mpi", "nccl", "ucx"],
    )


def _info(name: str) -> OperationInfo:
    return OperationInfo(
        name=name, summary="", reduces=name in _REDUCING, rooted=name in _ROOTED, in_place=True,
        chunked=name in _CHUNKED, has_data=True, point_to_point=False, min_ranks=2, bus_factor=1.0,
        in_network=name in _TREES,
    )  # fmt: skip


def placement(hosts: int, ranks_per_host: int) -> list[str]:
    """Host by host."""
    return [f"node{n}" for n in range(1, hosts + 1) for _ in range(ranks_per_host)]


ALL_THERE = Machine(sharp_missing=lambda transport: "", nvlink_switch_missing=lambda: "")
NO_SHARP = Machine(
    sharp_missing=lambda transport: f"no SHARP for {transport}.",
    nvlink_switch_missing=lambda: "no NVSwitch here.",
)


def situation(
    document: PlanDocument,
    hosts: Sequence[str],
    *,
    fabric: Fabric | None = None,
    transport: str = "mpi",
    on: str = "emulated",
    machine: Machine = ALL_THERE,
    sites: Sites | None = None,
) -> Situation:
    """All that decides about rows, without any process."""
    chosen = fabric or star()
    mechanisms = Mechanisms(transport, on, chosen, machine)
    return Situation(
        layout=Layout.of(hosts, chosen, sites),
        sweep=chosen.sweep,
        described=described(),
        mechanisms=mechanisms,
        names=Names.of(document, mechanisms),
        how=measure(),
    )


def measure() -> MeasureOptions:
    """Some way to measure."""
    return MeasureOptions(
        variants=[],
        launches=2,
        stopping=Stopping(relative_ci=0.02, min_samples=2, max_samples=5, max_seconds=1),
        warmup=Warmup(min_samples=1, min_seconds=0),
        rest_us=0,
        deadline_seconds=10,
        init_deadline_seconds=10,
        seed=1,
        observe="none",
    )


def star() -> Fabric:
    """One switch that reduces."""
    return fabrics.load("emulated-4x400m")


def boxes(**tables: Any) -> Fabric:
    """Four nodes of eight GPUs, two nodes to a leaf; None leaves a table out."""

    def figure(value: float) -> dict[str, object]:
        return {"value": float(value), "source": "typed"}

    document: dict[str, Any] = {
        "name": "boxes", "description": "four boxes", "kind": "cluster",
        "gpu": {"name": "GPU", "architecture": "hopper"},
        "node": {"gpus": 8, "count": 4, "cpu": "intel", "pcie_gbs": figure(50), "source": "typed"},
        "scale_up": {
            "name": "NVLink", "gpus": 8, "wiring": "switch", "port_gbs": figure(450),
            "ring_share": figure(0.8),
            "in_network": {"mechanism": "nvls", "share": figure(0.6)},
        },
        "nic": {
            "per_node": 8, "rate_bps": figure(400e9), "protocol": "infiniband", "mtu": 4096,
            "achievable": figure(0.97), "source": "typed",
        },
        "tier": [
            {"name": "leaf", "nodes": 2, "oversubscription": figure(1), "source": "typed"},
            {"name": "spine", "nodes": 4, "oversubscription": figure(1), "source": "typed"},
        ],
        "in_network": {"mechanism": "sharp", "source": "typed"},
        "sweep": {"min": "8", "max": "1G", "factor": 2},
    }  # fmt: skip
    document |= tables
    return fabric_of({k: v for k, v in document.items() if v is not None}, "boxes")
