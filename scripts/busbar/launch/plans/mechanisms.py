"""Which reduction in the network a plan measures, and the fact that excuses where there is none.

Facts come from the fabric's file, from what the transport can do, and from looking at this machine.
A row is waived on a fact only. What is there and does not work is measured, and fails; what the
fabric promises and nothing here can ask for is waived, and the evidence says both.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from busbar.errors import Incomplete
from busbar.fabrics.model import Fabric
from busbar.launch import nccl, sharp, ucx
from busbar.launch.binary import OperationInfo
from busbar.launch.plan import no_algorithm
from busbar.launch.plans.layout import Layout
from busbar.record.key import Group, parse_ranks


@dataclass(frozen=True)
class Machine:
    """What can be seen on this machine; asked only where it decides."""

    sharp_missing: Callable[[str], str]
    """By transport: what SHARP lacks here, in one sentence; empty where nothing is seen to lack."""
    nvlink_switch_missing: Callable[[], str]
    """That this host has no NVLink switch, in one sentence; empty where it has, or may have."""


@dataclass(frozen=True)
class Mechanisms:
    """Reduction in the network on one target, by one transport."""

    transport: str
    on: str
    fabric: Fabric | None
    """None: emulated as the run wants it, with what reduces."""
    machine: Machine
    aggregators: bool = False
    """Of --on hostfile: whether hosts that reduce are named."""
    _said: dict[str, str] = field(default_factory=dict)

    def possible(self) -> list[str]:
        """Every mechanism that some group may have, in the words of variants."""
        if self.transport == nccl.TRANSPORT:
            both = ["nvls"] if self.on == "local" else ["nvls", "sharp"]
            return [mechanism for mechanism in both if not self.missing(mechanism)]
        mechanism = self._of_mpi()
        return [mechanism] if mechanism and not self.missing(mechanism) else []

    def of_group(self, group: Group, layout: Layout) -> str:
        """The mechanism that would serve a group; empty where the transport has none at all."""
        if self.transport != nccl.TRANSPORT:
            return self._of_mpi()
        hosts = {layout.placement[rank] for rank in parse_ranks(group.ranks)}
        one_domain = len(hosts) == 1 or group.split == "node" or self._is_one_domain(layout)
        return "nvls" if one_domain else "sharp"

    def why_waived(self, info: OperationInfo, group: Group, layout: Layout) -> str:
        """Why an operation cannot be reduced in the network here, in one sentence; else empty."""
        if self.transport == ucx.TRANSPORT:
            return "Transport ucx carries messages and reduces nothing."
        if self.transport == "mpi" and self.on == "local":
            return "One machine's shared memory has no switch that could reduce."
        without = no_algorithm(info, self.transport)
        if without:
            return without
        mechanism = self.of_group(group, layout)
        missing = self.missing(mechanism)
        if missing:
            return missing
        if mechanism == "nvls":
            return ""
        hosts = {layout.placement[rank] for rank in parse_ranks(group.ranks)}
        if len(hosts) == 1 or group.split == "node":
            return "Its ranks are on one host: nothing passes a switch of the network."
        if group.split is not None or group.parts is not None:
            return (
                f"Groups are side by side here, and {mechanism} serves one communicator at a time."
            )
        return ""

    def missing(self, mechanism: str) -> str:
        """The fact that there is no such mechanism, in one sentence; empty where there may be."""
        if mechanism not in self._said:
            self._said[mechanism] = self._by_fabric(mechanism) or self._by_machine(mechanism)
        return self._said[mechanism]

    def _of_mpi(self) -> str:
        if self.transport != "mpi" or self.on == "local":
            return ""
        named = self.on == "hostfile" and self.aggregators
        return "tree" if named or self.on == "emulated" else "sharp"

    def _is_one_domain(self, layout: Layout) -> bool:
        cluster = self.fabric.cluster if self.fabric else None
        return cluster is not None and len(layout.placement) <= cluster.domain_gpus()

    def _by_fabric(self, mechanism: str) -> str:
        if self.fabric is None or self.fabric.kind == "shared_memory":
            return ""
        name, cluster = self.fabric.name, self.fabric.cluster
        if mechanism == "nvls":
            if cluster is None:
                return f"Fabric {name} describes no NVLink."
            if cluster.scale_up is None:
                return f"Fabric {name} has no NVLink: its GPUs reach each other over PCIe."
            if cluster.scale_up.in_network is None:
                return f"Fabric {name} has no switch that reduces in its {cluster.scale_up.name}."
            return ""
        if mechanism == "tree" and self.on == "hostfile":
            return ""  # hosts that were named reduce, whatever the switches do
        if self.fabric.in_network is None:
            return f"Fabric {name} has no switches that reduce."
        return ""

    def _by_machine(self, mechanism: str) -> str:
        if mechanism == "sharp":
            missing = self.machine.sharp_missing(self.transport)
            promised = missing and self.fabric is not None and self.fabric.in_network is not None
            told = f" Fabric {self.fabric.name} says its switches reduce." if self.fabric else ""
            return missing + (told if promised else "")
        if mechanism == "nvls" and self.on == "local":
            return self.machine.nvlink_switch_missing()
        return ""


def this_machine() -> Machine:
    """Looks when it is asked."""
    return Machine(_sharp_missing, _nvlink_switch_missing)


def _sharp_missing(transport: str) -> str:
    seen = sharp.look()
    if transport != nccl.TRANSPORT:
        try:
            sharp.library_on(seen)
        except Incomplete as error:
            return error.message
        return ""
    # NCCL needs no MPI component; the rest is the same.
    if seen.libsharp is None:
        return "SHARP's library libsharp_coll.so is not found on this machine."
    if not seen.infiniband:
        return "No InfiniBand port is active on this machine, and SHARP needs one."
    if seen.hello is not None:
        return f"SHARP's aggregation manager is not reached: sharp_hello says {seen.hello}."
    return ""


def _nvlink_switch_missing() -> str:
    """As `busbar doctor` finds it."""
    from busbar.doctor.examine import examine
    from busbar.doctor.facts import HostFacts
    from busbar.doctor.probe.facts import read_facts
    from busbar.doctor.probe.machine import Machine as Host

    facts = HostFacts.model_validate(read_facts(Host(), ""))
    answer = next(a for a in examine([facts]).answers if a.check == "fabric-manager")
    return "".join(
        f"busbar doctor finds {one.reason} on {facts.host}." for one in answer.inapplicable[:1]
    )
