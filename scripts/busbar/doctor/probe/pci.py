"""Devices on PCI Express: GPUs, NVSwitches, network cards, and the bridges above them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from busbar.doctor.probe.machine import Machine
from busbar.doctor.probe.texts import integer, number, word

_NVIDIA, _DISPLAY, _NETWORK, _BRIDGE, _OTHER_BRIDGE = "0x10de", "0x03", "0x02", "0x0604", "0x0680"
_EXTENDED, _ACS = 0x100, 0x000D  # PCI Express base specification, 7.9.1 and 7.7.11


def read_pci(machine: Machine) -> list[dict[str, Any]] | None:
    """GPUs, NVSwitches, network devices, what has no readable kind, and the bridges above them."""
    base = "/sys/bus/pci/devices"
    names = machine.names(base)
    if names is None:
        return None
    kinds = {name: _kind(machine, f"{base}/{name}") for name in names}
    found = []
    bridges: list[str] = []
    for name, kind in kinds.items():
        if kind == "other" or kind == "bridge":
            continue
        above = [p for p in Path(machine.target(f"{base}/{name}") or "").parts[:-1] if p in kinds]
        bridges += above
        found.append({**_link(machine, f"{base}/{name}"), "address": name, "kind": kind,
                      "parent": above[-1] if above else None})  # fmt: skip
    for name in sorted(set(bridges)):
        found.append({**_link(machine, f"{base}/{name}"), "address": name, "kind": "bridge",
                      "parent": None, **_acs(machine, f"{base}/{name}")})  # fmt: skip
    return found


def _kind(machine: Machine, path: str) -> str | None:
    vendor, kind = machine.text(f"{path}/vendor"), machine.text(f"{path}/class")
    if kind is None or vendor is None:
        return None
    if kind.startswith(_NETWORK):
        return "nic"
    if kind.startswith(_BRIDGE):
        return "bridge"
    if vendor == _NVIDIA and kind.startswith(_DISPLAY):
        return "gpu"
    return "nvswitch" if vendor == _NVIDIA and kind.startswith(_OTHER_BRIDGE) else "other"


def _link(machine: Machine, path: str) -> dict[str, Any]:
    """Lanes, gigatransfers per second ("32.0 GT/s PCIe"), and where the device is."""
    grouped = machine.there(f"{path}/iommu_group")
    node = integer(machine.text(f"{path}/numa_node"))
    return {
        "pcie": machine.there(f"{path}/current_link_width"),
        "width": integer(machine.text(f"{path}/current_link_width")),
        "max_width": integer(machine.text(f"{path}/max_link_width")),
        "speed_gts": number(word(machine.text(f"{path}/current_link_speed"))),
        "max_speed_gts": number(word(machine.text(f"{path}/max_link_speed"))),
        "numa_node": None if node is None or node < 0 else node,
        "iommu": machine.text(f"{path}/iommu_group/type") if grouped else "none",
    }


def _acs(machine: Machine, path: str) -> dict[str, Any]:
    """The control register of access control services; `acs_known` false where it is hidden.

    The kernel shows all of the configuration space to root only, the first 64 bytes to others.
    """
    space = machine.data(f"{path}/config") or b""
    if len(space) < 4096:
        # Root reads 256 bytes where there is no extended space, and so no such capability.
        hidden = len(space) != 256
        if hidden and space:
            machine.unread[f"{path}/config"] = "only root may read all of it"
        return {"acs_known": not hidden, "acs_control": None}
    place = _EXTENDED
    for _ in range(64):
        head = int.from_bytes(space[place : place + 4], "little")
        if head == 0xFFFFFFFF:  # what a device answers that cannot
            machine.unread[f"{path}/config"] = "the device does not answer"
            return {"acs_known": False, "acs_control": None}
        if head & 0xFFFF == _ACS:
            control = int.from_bytes(space[place + 6 : place + 8], "little")
            return {"acs_known": True, "acs_control": control}
        place = head >> 20
        if place < _EXTENDED:
            break
    return {"acs_known": True, "acs_control": None}
