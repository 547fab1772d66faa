"""Network interfaces and RDMA ports."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from busbar.doctor.probe.machine import Machine
from busbar.doctor.probe.texts import integer


def read_interfaces(machine: Machine) -> list[dict[str, Any]] | None:
    """Network interfaces that are devices on PCI."""
    base = "/sys/class/net"
    names = machine.names(base)
    return None if names is None else [
        {
            "name": name,
            "pci": _address(machine, f"{base}/{name}/device"),
            "state": machine.text(f"{base}/{name}/operstate"),
            "speed_mbps": integer(machine.text(f"{base}/{name}/speed")),
            "mtu": integer(machine.text(f"{base}/{name}/mtu")),
        }
        for name in names
        if machine.there(f"{base}/{name}/device")
    ]  # fmt: skip


def _address(machine: Machine, link: str) -> str | None:
    name = Path(machine.target(link) or "").name
    return name if re.fullmatch(r"[0-9a-f]{4,}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]", name) else None


def read_rdma(machine: Machine) -> list[dict[str, Any]] | None:
    """Ports for RDMA; null where the list of them cannot be read."""
    base, found = "/sys/class/infiniband", []
    names = machine.names(base)
    if names is None:
        return None
    for name in names:
        ports = machine.names(f"{base}/{name}/ports")
        if ports is None:
            return None
        found += [_port(machine, f"{base}/{name}", name, int(p)) for p in ports if p.isdecimal()]
    return found


def _port(machine: Machine, device: str, name: str, number: int) -> dict[str, Any]:
    port = f"{device}/ports/{number}"
    layer = machine.text(f"{port}/link_layer")
    netdev = _netdev(machine, port) if layer == "Ethernet" else None
    quality = _priorities(machine, netdev) if layer == "Ethernet" and netdev else {}
    return {
        "device": name,
        "port": number,
        "pci": _address(machine, f"{device}/device"),
        "software": not machine.there(f"{device}/device"),
        "link_layer": layer,
        "state": (machine.text(f"{port}/state") or "").partition(": ")[2] or None,
        "rate": machine.text(f"{port}/rate"),
        "netdev": netdev,
        "model": machine.text(f"{device}/hca_type"),
        "firmware": machine.text(f"{device}/fw_ver"),
        "gid_types": _gid_types(machine, port),
        "trust": quality.get("trust"),
        "pfc": quality.get("pfc"),
    }


def _netdev(machine: Machine, port: str) -> str | None:
    """The interface of the first address; entries that are not in use cannot be read."""
    names = machine.names(f"{port}/gid_attrs/ndevs") or []
    first = sorted((name for name in names if name.isdecimal()), key=int)[:1]
    return machine.text(f"{port}/gid_attrs/ndevs/{first[0]}") if first else None


def _gid_types(machine: Machine, port: str) -> dict[str, str] | None:
    """Kind of each entry of the table of addresses that is in use, such as "RoCE v2"."""
    names = machine.names(f"{port}/gid_attrs/types")
    used = {}
    for name in names or []:
        gid = machine.text(f"{port}/gids/{name}")
        if gid is None or not gid.replace(":", "").strip("0"):
            continue
        kind = machine.text(f"{port}/gid_attrs/types/{name}")
        if kind is None:
            return None
        used[name] = kind
    unread = any(f"{port}/gids/{name}" in machine.unread for name in names or [])
    return None if names is None or (unread and not used) else used


def _priorities(machine: Machine, netdev: str) -> dict[str, Any]:
    """What the port trusts (dscp, pcp) and which priorities pause: of mlnx_qos, else of dcb."""
    said = machine.run("mlnx_qos", "-i", netdev)
    if said is not None:
        row = re.search(r"^\s*enabled((?:\s+[01]){8})", said, re.M)
        trust = re.search(r"trust state:\s*(\w+)", said)
        return {"trust": trust.group(1).lower() if trust else None,
                "pfc": [w == "1" for w in row.group(1).split()] if row else None}  # fmt: skip
    said = machine.run("dcb", "pfc", "show", "dev", netdev)
    row = re.search(r"prio-pfc((?:\s+\d:(?:on|off))+)", said or "")
    return {"pfc": [w.endswith(":on") for w in row.group(1).split()] if row else None}
