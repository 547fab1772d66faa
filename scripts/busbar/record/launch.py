"""Launches: sets of processes, and what they ran on."""

from __future__ import annotations

from typing import Literal

from busbar.record.base import Count, Model, Name, NonNegative, Scalar, Timestamp

Purpose = Literal["measure", "observe"]


class Process(Model):
    """One rank of a launch: a process, or a thread of one. Rank, process and GPU differ."""

    rank: Count
    thread: Count = 0
    """Of its process, whose worker ranks follow each other: above 0 where each has several."""
    host: Name
    role: Literal["worker", "aggregator"]
    pid: int | None
    cpus: str | None
    gpu: int | None
    nics: list[str]
    clock_domain: int | None
    """Null where it is not known, as in imported runs."""


class Nic(Model):
    """A network interface of a host."""

    name: Name
    speed_mbps: float | None
    mtu: int | None
    driver: str | None


class RdmaPort(Model):
    """A port through which a host can do RDMA; texts are the kernel's."""

    device: Name
    """Such as `mlx5_0`."""
    port: int
    kind: Literal["InfiniBand", "RoCE", "iWARP"] | None
    """Null for others, such as EFA."""
    link_layer: str | None
    state: str | None
    """`ACTIVE`, `DOWN`, …"""
    physical_state: str | None
    rate: str | None
    """Such as `400 Gb/sec (4X NDR)`."""
    lid: str | None
    netdev: str | None
    """The network interface on the same port."""
    pci_address: str | None
    """Null for a software device."""
    numa_node: int | None
    model: str | None
    firmware: str | None
    node_guid: str | None
    sys_image_guid: str | None
    """Equal for the devices of one card."""


class Host(Model):
    """A host and its operating system."""

    name: Name
    cpu: str | None
    cores: int | None
    memory_bytes: int | None
    kernel: str | None
    os: str | None
    nics: list[Nic]
    rdma_ports: list[RdmaPort] | None = None
    """Null in records made before they were looked at."""
    byte_counters: list[str] | None = None
    """What `wire` adds up: interfaces by name, RDMA ports as `mlx5_0/1`; empty where a port that is
    up does not say what passes it, so that `wire` is null. Null in older records."""


class Gpu(Model):
    """A GPU of a host."""

    host: Name
    index: Count
    name: str | None
    memory_bytes: int | None
    uuid: str | None = None
    pci_bus_id: str | None = None


class System(Model):
    """The hardware and software a launch found itself on."""

    hosts: list[Host]
    gpus: list[Gpu]
    versions: dict[str, str | None]


class Clock(Model):
    """How clocks of different hosts were brought together."""

    source: Name
    domains: int
    error_us: float | None


class LaunchBody(Model):
    """What a launch was and what it ran on."""

    slot: Count
    """The place in the plan; a resumed run may launch the same slot again."""
    purpose: Purpose
    """`observe`: the library's monitoring was on, so nothing it timed is used."""
    variant_environment: dict[str, str]
    """Environment variables this launch was given for its variants."""
    protocol: int | None
    """Of the engine; null in imported runs, which had none."""
    transport: Name
    fake: bool = False
    """True where it ran on a library or a GPU that is none, as tests do."""
    started: Timestamp | None
    """Null in imported runs: the tools that say so name no time zone."""
    init_us: NonNegative | None
    processes: list[Process]
    settings: dict[str, str]
    nccl_conf: str | None
    system: System
    clock: Clock | None
    """Null in imported runs."""
    environment: dict[str, Scalar]
    """What else went on, such as the load average."""


class Launch(LaunchBody):
    """One set of processes, from mpirun to its end: the experimental unit."""

    id: Count
