"""Versions of drivers, libraries and firmware: the same on every host."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from busbar.doctor.facts import HostFacts
from busbar.doctor.finding import Said, Severity
from busbar.doctor.rules.check import Check, differences

_MUST_AGREE = ("NVIDIA driver", "NCCL", "NCCL net plugin", "NCCL tuner plugin", "MPI", "SHARP")
"""Ranks decide by these what to send to each other; the rest only differs in speed."""


def _software(hosts: Sequence[HostFacts]) -> Iterator[Said]:
    names = dict.fromkeys(name for host in hosts for name in host.versions)
    for name in names:
        yield from differences(
            f"Version of {name}",
            {host.host: host.versions.get(name, "not installed") for host in hosts},
            {host.host: f"no version of {name} could be read" for host in hosts},
            why="Ranks may choose otherwise on one host than on another, or run at other speeds.",
            mend="Install the same everywhere.",
            source="NCCL user guide: all ranks of a communicator use one version",
            severity=Severity.SPOILS if name in _MUST_AGREE else Severity.DOUBTFUL,
        )


def _firmware(hosts: Sequence[HostFacts]) -> Iterator[Said]:
    values, unread = {}, {}
    for host in hosts:
        ports = host.rdma_hardware()
        known = host.rdma is not None and all(port.firmware for port in ports)
        found = sorted({f"{port.model or port.device} {port.firmware}" for port in ports})
        values[host.host] = (", ".join(found) or "none") if known else None
        unread[host.host] = host.why("/fw_ver", "infiniband", "/ports")
    yield from differences(
        "Firmware of RDMA devices",
        values,
        unread,
        why="Congestion control, adaptive routing and their defaults change with the firmware.",
        mend="mlxfwmanager, or the vendor's tool, on the hosts that stick out",
        source="Linux, ABI/stable/sysfs-class-infiniband: fw_ver",
        severity=Severity.DOUBTFUL,
    )


CHECKS: tuple[Check, ...] = (
    Check("versions", "Versions", _software),
    Check("firmware", "Versions", _firmware),
)
