"""RDMA over Ethernet: addresses, and what keeps its packets from being dropped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from busbar.doctor.facts import HostFacts, RdmaPort
from busbar.doctor.finding import Finding, Inapplicable, Said, Severity, Unchecked
from busbar.doctor.rules.check import Check, differences, listed, on_each_host

_INDEX = "NCCL_IB_GID_INDEX"
_QOS = "NVIDIA, MLNX_OFED documentation, Quality of Service: mlnx_qos"


def _ports(host: HostFacts) -> list[RdmaPort]:
    """Active RoCE ports; one whose state or link layer is unread counts as such."""
    return [
        port
        for port in host.rdma_hardware()
        if port.link_layer in (None, "Ethernet") and port.state in (None, "ACTIVE")
    ]


def _none_here(host: HostFacts) -> Said | None:
    if host.has_rdma() is None:
        return Unchecked(host.why("infiniband", "/ports"))
    return None if _ports(host) else Inapplicable("no active RoCE port")


def _addresses(host: HostFacts) -> Iterator[Said]:
    if (said := _none_here(host)) is not None:
        yield said
        return
    for port in _ports(host):
        if port.gid_types is None or port.link_layer is None:
            yield Unchecked(
                f"{port.name}: {host.why('/gid_attrs/types', '/gids/0', '/link_layer')}"
            )
        elif "RoCE v2" not in port.gid_types.values():
            yield Finding(
                Severity.SPOILS,
                f"{port.name} has no address of RoCE v2",
                "NCCL and UCX cannot use the port, or not across a router, and take another.",
                f"ip addr add … dev {port.netdev or 'IFACE'}; the address makes the entry",
                "NCCL user guide, NCCL_IB_ROCE_VERSION_NUM: 2",
            )


def _index(host: HostFacts) -> Iterator[Said]:
    index = host.settings.get(_INDEX)
    if index is None or index == "-1":
        yield Inapplicable(f"{_INDEX} is not set")
        return
    if (said := _none_here(host)) is not None:
        yield said
        return
    unread = [p.name for p in _ports(host) if p.gid_types is None or p.link_layer is None]
    if unread:
        yield Unchecked(f"{listed(unread)}: {host.why('/gid_attrs/types', '/gids/0')}")
    types = {p.name: p.gid_types for p in _ports(host) if p.gid_types is not None}
    wrong = [
        f"{n} ({t.get(index, 'empty')})" for n, t in types.items() if t.get(index) != "RoCE v2"
    ]
    if wrong:
        yield Finding(
            Severity.SPOILS,
            f"{_INDEX}={index} is no RoCE v2 address of {listed(wrong)}",
            "Connections fail, or run with RoCE v1, which switches may not route or prioritise.",
            f"unset {_INDEX}: NCCL 2.21 and later find the entry by themselves",
            "NCCL user guide, NCCL_IB_GID_INDEX",
        )


def _pauses(host: HostFacts) -> Iterator[Said]:
    if (said := _none_here(host)) is not None:
        yield said
        return
    unread = [port.name for port in _ports(host) if port.pfc is None]
    if unread:
        why = host.why("mlnx_qos", "dcb", "/link_layer", "/ndevs/0")
        yield Unchecked(f"flow control of {listed(unread)}: {why}")
    without = [port.name for port in _ports(host) if port.pfc is not None and not any(port.pfc)]
    if without:
        yield Finding(
            Severity.DOUBTFUL,
            f"no priority can be paused (PFC) on {listed(without)}",
            "Where switches drop, RoCE sends again; unless the fabric is meant to be lossy, "
            "tails grow.",
            "mlnx_qos -i IFACE --trust dscp --pfc 0,0,0,1,0,0,0,0, as the switches have it",
            _QOS,
        )


def _alike(hosts: Sequence[HostFacts]) -> Iterator[Said]:
    hosts = [host for host in hosts if host.has_rdma() is None or _ports(host)]
    if not hosts:
        yield Inapplicable("no active RoCE port")
        return
    yield from differences(
        "Trust and PFC of RoCE ports",
        {host.host: _priorities(host) for host in hosts},
        {host.host: host.why("mlnx_qos", "infiniband", "/ports", "/ndevs/0") for host in hosts},
        why="One host's traffic lands in another queue, where nothing is paused for it.",
        mend="Give every port the same mlnx_qos settings as its switch.",
        source=_QOS,
    )


def _priorities(host: HostFacts) -> str | None:
    if host.has_rdma() is None or any(None in (port.pfc, port.trust) for port in _ports(host)):
        return None
    parts = []
    for port in _ports(host):
        paused = ",".join(str(p) for p, on in enumerate(port.pfc or []) if on) or "none"
        parts.append(f"{port.name} trusts {port.trust}, pauses {paused}")
    return "; ".join(parts)


CHECKS: tuple[Check, ...] = (
    on_each_host("roce-address", "RoCE", _addresses),
    on_each_host("roce-index", "RoCE", _index),
    on_each_host("roce-pause", "RoCE", _pauses),
    Check("roce-alike", "RoCE", _alike),
)
