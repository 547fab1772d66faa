"""What of a cluster can be seen: from this machine, or from a run record."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from busbar.doctor.probe.machine import Machine
from busbar.doctor.probe.network import read_interfaces, read_rdma
from busbar.doctor.probe.nvidia import read_nvidia
from busbar.doctor.probe.pci import read_pci
from busbar.errors import UsageError
from busbar.fabrics.protocols import NetworkProtocol
from busbar.record.models import Host, RdmaPort, RunRecord

_RATE = re.compile(r"([\d.]+) Gb/sec")
_BY_LAYER: dict[str, NetworkProtocol] = {"InfiniBand": "infiniband", "Ethernet": "roce_v2"}
_EFA = "Unspecified"
"""What the kernel says of the link layer of an EFA device."""


@dataclass(frozen=True)
class SeenPort:
    """A network port that is up."""

    protocol: NetworkProtocol
    rate_bps: float


@dataclass(frozen=True)
class SeenHost:
    """A host, and what it has."""

    name: str
    gpus: tuple[str | None, ...]
    """Product names; None for a GPU that does not tell."""
    ports: tuple[SeenPort, ...]


@dataclass(frozen=True)
class Seen:
    """Hosts."""

    hosts: tuple[SeenHost, ...]
    launched: bool
    """Whether these are the hosts of a launch, rather than one that was looked at alone."""


def seen_here(machine: Machine | None = None) -> Seen:
    """This machine; tests give another."""
    at = machine or Machine()
    ports = list(_rdma_here(at)) or list(_tcp_here(at))
    return Seen((SeenHost(at.host_name(), _gpus_here(at), tuple(ports)),), launched=False)


def seen_in(record: RunRecord) -> Seen:
    """The hosts of a record that had workers. Raises UsageError if it names none."""
    workers = {p.host for one in record.launches for p in one.processes if p.role == "worker"}
    hosts: dict[str, SeenHost] = {}
    for launch in record.launches:
        for host in launch.system.hosts:
            gpus = tuple(gpu.name for gpu in launch.system.gpus if gpu.host == host.name)
            if host.name in workers and host.name not in hosts:
                ports = list(_rdma_of(host)) or list(_tcp_of(host))
                hosts[host.name] = SeenHost(host.name, gpus, tuple(ports))
    if not hosts:
        raise UsageError(
            f"record '{record.run.id}' does not say what its hosts are: accepted is one of busbar "
            "run."
        )
    return Seen(tuple(hosts.values()), launched=True)


def _gpus_here(machine: Machine) -> tuple[str | None, ...]:
    """As nvidia-smi names them; without it those on PCI Express, which have no name there."""
    told = read_nvidia(machine)
    if told is not None:
        return tuple(gpu["name"] for gpu in told["gpus"])
    return tuple(None for device in read_pci(machine) or [] if device["kind"] == "gpu")


def _rdma_here(machine: Machine) -> Iterator[SeenPort]:
    for port in read_rdma(machine) or []:
        if not port["software"] and port["state"] == "ACTIVE":
            yield from _rdma(port["link_layer"], port["rate"])


def _tcp_here(machine: Machine) -> Iterator[SeenPort]:
    for interface in read_interfaces(machine) or []:
        speed = interface["speed_mbps"]
        if interface["state"] == "up" and speed is not None and speed > 0:
            yield SeenPort("tcp", speed * 1e6)


def _rdma_of(host: Host) -> Iterator[SeenPort]:
    for port in host.rdma_ports or []:
        if port.pci_address is not None and port.state == "ACTIVE" and _speaks(port):
            yield from _rdma(port.link_layer, port.rate)


def _speaks(port: RdmaPort) -> bool:
    """Whether it is none of iWARP, which GPU clusters do not use."""
    return port.kind != "iWARP"


def _tcp_of(host: Host) -> Iterator[SeenPort]:
    for nic in host.nics:
        if nic.speed_mbps is not None and nic.speed_mbps > 0:
            yield SeenPort("tcp", nic.speed_mbps * 1e6)


def _rdma(layer: str | None, rate: str | None) -> Iterator[SeenPort]:
    """The port, if the kernel's texts say what it is; of its rate such as `400 Gb/sec (4X NDR)`."""
    protocol = "srd" if layer == _EFA else _BY_LAYER.get(layer or "")
    matched = _RATE.match(rate or "")
    if protocol is not None and matched is not None and float(matched[1]) > 0:
        yield SeenPort(protocol, float(matched[1]) * 1e9)
