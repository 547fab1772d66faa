"""All facts of a host, in one document."""

from __future__ import annotations

from typing import Any

from busbar.doctor.probe.cpu import read_cpu, read_memory
from busbar.doctor.probe.machine import Machine
from busbar.doctor.probe.network import read_interfaces, read_rdma
from busbar.doctor.probe.nvidia import read_nvidia
from busbar.doctor.probe.pci import read_pci
from busbar.doctor.probe.settings import read_nccl_conf, read_settings
from busbar.doctor.probe.software import (
    open_modules,
    read_modules,
    read_sharp,
    read_versions,
    sees_fabric_manager,
)
from busbar.doctor.probe.texts import number, word

_STA_UNSYNC = 0x40  # linux/timex.h


def read_facts(machine: Machine, manager: str = "") -> dict[str, Any]:
    """All facts. `manager`: HOST:PORT of SHARP's aggregation manager, which is then called."""
    clock = machine.clock_status()
    nvidia = read_nvidia(machine)
    facts = {
        "host": machine.host_name(),
        "cpu": read_cpu(machine),
        "memory": read_memory(machine),
        "load_1m": number(word(machine.text("/proc/loadavg"))),
        "clock_synchronised": None if clock is None else not clock & _STA_UNSYNC,
        "pci": read_pci(machine),
        "interfaces": read_interfaces(machine),
        "rdma": read_rdma(machine),
        "nvidia": nvidia,
        "modules": read_modules(machine),
        "open_modules": open_modules(machine),
        "versions": read_versions(machine, nvidia),
        "settings": read_settings(machine.environment),
        "nccl_conf": read_nccl_conf(machine),
        "fabric_manager_seen": sees_fabric_manager(machine),
        "sharp": read_sharp(machine, manager),
    }
    return {**facts, "unread": dict(machine.unread)}
