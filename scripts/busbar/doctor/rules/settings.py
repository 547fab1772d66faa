"""Settings that were left behind: in the environment and in NCCL's files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from busbar.doctor.facts import HostFacts
from busbar.doctor.finding import Finding, Inapplicable, Said, Severity, Unchecked
from busbar.doctor.rules.check import Check, differences, on_each_host

_GUIDE = "NCCL user guide, environment variables"

_HARMFUL = {
    "NCCL_P2P_DISABLE": "no direct copies between GPUs",
    "NCCL_SHM_DISABLE": "no shared memory",
    "NCCL_IB_DISABLE": "no RDMA, sockets only",
    "NCCL_CHECK_POINTERS": "every pointer is checked at every call",
    "NCCL_NET_FORCE_FLUSH": "a flush after every receive",
    "NCCL_GDR_FLUSH_DISABLE": "no flush after a receive, so that data may be wrong",
}
"""Switches whose value, unless it is 0, spoils; their page says they are for finding faults."""
_HARMFUL_VALUES = {
    ("NCCL_DEBUG", "TRACE"): "every call is logged",
    ("NCCL_NET_GDR_LEVEL", "LOC"): "no GPUDirect RDMA",
    ("NCCL_NET_GDR_LEVEL", "0"): "no GPUDirect RDMA",
    ("NCCL_NET", "Socket"): "no RDMA, sockets only",
    ("NCCL_DMABUF_ENABLE", "0"): "no GPUDirect RDMA where nvidia_peermem is not loaded",
}
_DECIDING = (
    *("NCCL_ALGO", "NCCL_PROTO", "NCCL_MIN_", "NCCL_MAX_", "NCCL_NTHREADS", "NCCL_BUFFSIZE"),
    *("NCCL_COLLNET_ENABLE", "NCCL_NVLS_ENABLE", "NCCL_TUNER_", "NCCL_P2P_LEVEL", "NCCL_DEBUG"),
    *("NCCL_IB_HCA", "NCCL_SOCKET_IFNAME", "OMPI_MCA_coll_", "OMPI_MCA_pml", "OMPI_MCA_btl"),
    *("UCX_TLS", "UCX_NET_DEVICES", "HCOLL_"),
)
"""How names begin that choose algorithms or ways through the network."""


def _judge(settings: Mapping[str, str], place: str) -> Iterator[Said]:
    for name, value in settings.items():
        harm = _HARMFUL_VALUES.get((name, value))
        harm = harm or (_HARMFUL.get(name) if value != "0" else None)
        if harm:
            yield Finding(
                Severity.SPOILS,
                f"{place} sets {name}={value}",
                f"It means: {harm}.",
                f"unset {name}" if place == "the environment" else f"Take the line out of {place}.",
                _GUIDE,
            )
    deciding = [
        f"{name}={value}"
        for name, value in settings.items()
        if name.startswith(_DECIDING) and not _is_harmful(name, value)
    ]
    others = [
        f"{name}={value}"
        for name, value in settings.items()
        if not name.startswith(_DECIDING) and not _is_harmful(name, value)
    ]
    yield from _named(deciding, place, Severity.DOUBTFUL)
    yield from _named(others, place, Severity.NOTE)


def _is_harmful(name: str, value: str) -> bool:
    return (name, value) in _HARMFUL_VALUES or (name in _HARMFUL and value != "0")


def _named(pairs: Sequence[str], place: str, severity: Severity) -> Iterator[Said]:
    if pairs:
        yield Finding(
            severity,
            f"{place} sets {', '.join(pairs)}",
            "What the libraries would choose by themselves is not what will be measured."
            if severity is Severity.DOUBTFUL
            else "It holds for every launch.",
            "Unset what is not meant; name in a --variant what is.",
            _GUIDE,
        )


def _environment(host: HostFacts) -> Iterator[Said]:
    yield from _judge(host.settings, "the environment")


def _files(host: HostFacts) -> Iterator[Said]:
    if not host.nccl_conf:
        yield Inapplicable("no configuration file of NCCL")
    for file in host.nccl_conf:
        if file.settings is None:
            yield Unchecked(host.why(file.path))
            continue
        good = {name: value for name, value in file.settings.items() if name == name.strip()}
        odd = [name for name in file.settings if name not in good]
        if odd:
            yield Finding(
                Severity.DOUBTFUL,
                f"{file.path} has blanks around the name {odd[0].strip()}",
                "NCCL takes the blanks for a part of the name: the line has no effect.",
                "Write NAME=VALUE without blanks.",
                "NCCL 2.28.9, how it reads its files",
            )
        yield from _judge(good, file.path)


def _alike(hosts: Sequence[HostFacts]) -> Iterator[Said]:
    values, unread = {}, {}
    for host in hosts:
        readable = all(file.settings is not None for file in host.nccl_conf)
        values[host.host] = _all_of(host) if readable else None
        unread[host.host] = host.why(
            *[f.path for f in host.nccl_conf if f.settings is None], "conf"
        )
    yield from differences(
        "Settings",
        values,
        unread,
        why="Ranks that are set otherwise may choose other algorithms, which hangs or corrupts.",
        mend="Set the same everywhere, or nothing.",
        source=_GUIDE,
    )


def _all_of(host: HostFacts) -> str:
    lines = [f"{name}={value}" for name, value in sorted(host.settings.items())]
    for file in host.nccl_conf:
        pairs = (file.settings or {}).items()
        lines += [f"{file.path}: {name}={value}" for name, value in sorted(pairs)]
    return ", ".join(lines) or "none"


CHECKS: tuple[Check, ...] = (
    on_each_host("environment", "Settings", _environment),
    on_each_host("nccl-conf", "Settings", _files),
    Check("settings-alike", "Settings", _alike),
)
