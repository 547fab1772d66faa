"""Network ports: state, rate and packet size, alike on all hosts; nearness to GPUs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from busbar.doctor.facts import HostFacts, RdmaPort
from busbar.doctor.finding import Finding, Inapplicable, Said, Severity, Unchecked
from busbar.doctor.rules.check import Check, differences, listed, on_each_host

LEAST_ROCE_MTU = 4200
"""For RDMA packets of 4096 bytes, the largest there are, and their headers."""


def _state(host: HostFacts) -> Iterator[Said]:
    if host.has_rdma() is None:
        yield Unchecked(host.why("infiniband", "/ports"))
        return
    ports = host.rdma_hardware()
    if not ports:
        yield Inapplicable("no RDMA port")
    for port in ports:
        if port.state is None:
            yield Unchecked(f"{port.name}: {host.why(f'{port.device}/ports/{port.port}/state')}")
    down = [f"{p.name} ({p.state})" for p in ports if p.state not in (None, "ACTIVE")]
    if down:
        yield Finding(
            # One that is not meant to be used is down on every host, and harms none.
            Severity.DOUBTFUL if any(p.state == "ACTIVE" for p in ports) else Severity.SPOILS,
            f"RDMA ports are not active: {listed(down)}",
            "Traffic takes the other ports, or sockets.",
            "Check cable, transceiver and switch port; on InfiniBand that a subnet manager runs.",
            "Linux, ABI/stable/sysfs-class-infiniband: state",
        )


def _of_ports(host: HostFacts) -> tuple[str | None, str]:
    """State and rate of every RDMA port in one text, or null and why not."""
    if host.has_rdma() is None:
        return None, host.why("infiniband", "/ports")
    parts = []
    for port in host.rdma_hardware():
        if port.state is None or (port.state == "ACTIVE" and port.rate is None):
            return None, host.why(f"{port.device}/ports/{port.port}/state", "/rate")
        rate = port.rate if port.state == "ACTIVE" else port.state
        parts.append(f"{port.name} {rate}")
    return ", ".join(parts) or "none", ""


def _rates(hosts: Sequence[HostFacts]) -> Iterator[Said]:
    read = {host.host: _of_ports(host) for host in hosts}
    yield from differences(
        "RDMA ports",
        {host: value for host, (value, _) in read.items()},
        {host: why for host, (_, why) in read.items()},
        why="The host with the least sets the pace of every collective.",
        mend="Mend the hosts that stick out, or leave them out of the run.",
        source="Every rank of a collective waits for the slowest.",
    )


def _interfaces(host: HostFacts) -> tuple[str | None, str]:
    if host.interfaces is None:
        return None, host.why("/sys/class/net")
    parts = []
    for nic in host.interfaces:
        if nic.state is None or nic.mtu is None:
            return None, host.why(f"{nic.name}/operstate", f"{nic.name}/mtu")
        if nic.state == "down":
            continue
        # Virtual devices have none, or -1.
        speed = f", {nic.speed_mbps} Mbit/s" if nic.speed_mbps and nic.speed_mbps > 0 else ""
        parts.append(f"MTU {nic.mtu}{speed}")
    # Names differ from host to host without harm.
    counts = sorted(Counter(parts).items())
    return "; ".join(f"{count} with {said}" for said, count in counts) or "none", ""


def _mtus(hosts: Sequence[HostFacts]) -> Iterator[Said]:
    read = {host.host: _interfaces(host) for host in hosts}
    yield from differences(
        "MTU and speed of interfaces",
        {host: value for host, (value, _) in read.items()},
        {host: why for host, (_, why) in read.items()},
        why="Packets shrink to the smaller, or are lost where nobody tells the sender.",
        mend="ip link set dev IFACE mtu N, the same on every host and switch",
        source="RFC 1191; Linux, ABI/testing/sysfs-class-net: mtu",
    )


def _roce_mtu(host: HostFacts) -> Iterator[Said]:
    if host.has_rdma() is None or host.interfaces is None:
        yield Unchecked(host.why("infiniband", "/ports", "/sys/class/net"))
        return
    unknown = [p for p in host.rdma_hardware() if p.link_layer is None]
    if unknown:
        yield Unchecked(f"{unknown[0].name}: {host.why('/link_layer')}")
    ports = [p for p in host.rdma_hardware() if p.link_layer == "Ethernet"]
    if not ports and not unknown:
        yield Inapplicable("no RoCE port")
    for port in ports:
        mtu = _mtu(host, port)
        if mtu is None:
            yield Unchecked(f"{port.name}: {host.why('/mtu', '/ndevs/0')}")
        elif mtu < LEAST_ROCE_MTU:
            yield Finding(
                Severity.DOUBTFUL,
                f"{port.netdev}, the interface of {port.name}, has an MTU of {mtu}",
                "RDMA packets are then of 1024 or 2048 bytes, and headers take up to 7 %.",
                f"ip link set dev {port.netdev} mtu 9000, and on the switches alike",
                "RoCE's headers are 82 bytes a packet: 98.0 % payload at 4096, 92.6 % at 1024",
            )


def _mtu(host: HostFacts, port: RdmaPort) -> int | None:
    return next((nic.mtu for nic in host.interfaces or [] if nic.name == port.netdev), None)


def _numa(host: HostFacts) -> Iterator[Said]:
    gpus, rdma = host.has("gpu"), host.has_rdma()
    if gpus is None or rdma is None or host.cpu.numa_nodes is None:
        yield Unchecked(host.why("/class", "/vendor", "infiniband", "/sys/devices/system/node"))
        return
    if (unread := host.devices_unread()) is not None:
        yield Unchecked(unread)
    if not gpus or not rdma or host.cpu.numa_nodes < 2:
        yield Inapplicable("no GPUs and RDMA ports on several NUMA nodes")
        return
    addresses = {port.pci for port in host.rdma_hardware() if port.state in (None, "ACTIVE")}
    nics = [device for device in host.devices("nic") if device.address in addresses]
    for port in host.rdma_hardware():
        if port.state is None:
            yield Unchecked(f"{port.name}: {host.why(f'{port.device}/ports/{port.port}/state')}")
    for device in [*host.devices("gpu"), *nics]:
        if device.numa_node is None:
            yield Unchecked(f"{device.address}: {host.why(f'{device.address}/numa_node')}")
    near = {nic.numa_node for nic in nics}
    far = [g.address for g in host.devices("gpu") if g.numa_node not in {None, *near}]
    if far and None not in near:
        yield Finding(
            Severity.DOUBTFUL,
            f"no active RDMA port is on the NUMA node of GPU {listed(far)}",
            "Their traffic crosses the link between processors, which GPUDirect RDMA avoids.",
            "Use the slots of both processors, or a node whose ports are all up.",
            "NCCL user guide: NCCL_NET_GDR_LEVEL, whose default stops short of SYS",
        )


CHECKS: tuple[Check, ...] = (
    on_each_host("rdma-state", "Network", _state),
    Check("rdma-alike", "Network", _rates),
    Check("interfaces-alike", "Network", _mtus),
    on_each_host("roce-mtu", "Network", _roce_mtu),
    on_each_host("nic-near-gpu", "Network", _numa),
)
