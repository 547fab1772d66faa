"""The facts of one host as data models; `probe/` writes them. A fact that was not read is null."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel, ConfigDict


class _Facts(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True
    )


class Cpu(_Facts):
    """Processors."""

    online: int | None
    allowed: int | None
    """Those that a process of a launch may run on."""
    virtual: bool | None
    """Whether a hypervisor shows itself."""
    governors: dict[str, int] | None
    """Processors by the governor of their frequency; empty where the kernel sets none."""
    scaling_driver: str | None
    quota_cores: float | None
    """Processor time of control groups, in processors; null with `quota_known`: no limit."""
    quota_known: bool
    clocksource: str | None
    numa_nodes: int | None
    numa_balancing: int | None


class Memory(_Facts):
    """Limits of memory."""

    memlock_bytes: int | None
    """-1: no limit."""
    locks_all: bool | None
    """Whether the capability CAP_IPC_LOCK lifts the limit, as it does for root."""
    shm_bytes: int | None
    """The size of /dev/shm."""
    hugepages: int | None


class PciDevice(_Facts):
    """A GPU, an NVSwitch, a network device, or a bridge above one."""

    address: str
    kind: str | None
    """gpu, nvswitch, nic or bridge; null where its class cannot be read."""
    parent: str | None
    """The bridge whose slot it is in; null at the root."""
    pcie: bool
    """False for one that emulation shows without a link."""
    width: int | None
    """Lanes in use."""
    max_width: int | None
    speed_gts: float | None
    """GT/s per lane."""
    max_speed_gts: float | None
    numa_node: int | None
    iommu: str | None
    """The kind of its IOMMU group, such as `identity` or `DMA`; `none` without one."""
    acs_known: bool | None = None
    acs_control: int | None = None
    """Of a bridge: its access control register; null with `acs_known`: it has none."""


class Interface(_Facts):
    """A network interface that is a device."""

    name: str
    pci: str | None
    state: str | None
    speed_mbps: int | None
    mtu: int | None


class RdmaPort(_Facts):
    """A port for RDMA; texts are the kernel's."""

    device: str
    port: int
    pci: str | None
    software: bool
    link_layer: str | None
    state: str | None
    rate: str | None
    netdev: str | None
    model: str | None
    firmware: str | None
    gid_types: dict[str, str] | None
    """Of the addresses in use, by index."""
    trust: str | None
    """`dscp` or `pcp`; null where mlnx_qos does not say."""
    pfc: list[bool] | None
    """Per priority, whether it can be paused."""

    @property
    def name(self) -> str:
        """As NCCL writes it."""
        return f"{self.device}:{self.port}"


class Gpu(_Facts):
    """A GPU as nvidia-smi tells it."""

    uuid: str | None
    name: str | None
    persistence: str | None
    mig: str | None
    fabric_state: str | None
    fabric_status: str | None
    remapping_pending: str | None
    slowing: list[str] | None
    """Reasons for slowed clocks that hold now."""
    processes: int | None
    """Programs that compute on it; those of another container are hidden."""
    used_mib: int | None
    """Memory in use, MiB."""
    links: list[bool] | None
    """Whether each NVLink is active."""


class Nvidia(_Facts):
    """What nvidia-smi tells."""

    driver: str | None
    cuda: str | None
    gpus: list[Gpu]


class ConfFile(_Facts):
    """A configuration file of NCCL, reduced to what a record may hold."""

    path: str
    settings: dict[str, str] | None


class Manager(_Facts):
    """SHARP's aggregation manager."""

    address: str
    reached: bool
    why: str | None


class Sharp(_Facts):
    """What of SHARP is on the host."""

    library: str | None
    hello: str | None
    """`reached`, or what sharp_hello complained of; null where it is not installed."""
    manager: Manager | None


class HostFacts(_Facts):
    """One host."""

    host: str
    cpu: Cpu
    memory: Memory
    load_1m: float | None
    clock_synchronised: bool | None
    pci: list[PciDevice] | None
    interfaces: list[Interface] | None
    rdma: list[RdmaPort] | None
    nvidia: Nvidia | None
    modules: list[str] | None
    open_modules: bool | None
    """Whether NVIDIA's kernel driver is the open one."""
    versions: dict[str, str | None]
    settings: dict[str, str]
    nccl_conf: list[ConfFile]
    fabric_manager_seen: bool | None
    sharp: Sharp
    unread: dict[str, str]
    """Why something could not be read, by path or command."""

    def why(self, *sources: str) -> str:
        """Why the sources could not be read: the ends of paths, or the beginnings of commands."""
        for source in sources:
            for path, reason in self.unread.items():
                if path.endswith(source) or (path[0] != "/" and path.startswith(source)):
                    return f"{path}: {reason}"
        return f"{sources[0]} says nothing that is understood"

    def devices(self, kind: str) -> list[PciDevice]:
        """Of one kind."""
        return [device for device in self.pci or [] if device.kind == kind]

    def devices_unread(self) -> str | None:
        """Why the lists of devices may lack one; null where they are whole."""
        unknown = [device.address for device in self.pci or [] if device.kind is None]
        if unknown:
            return self.why(f"{unknown[0]}/class", f"{unknown[0]}/vendor")
        if self.pci is None or self.interfaces is None or self.rdma is None:
            return self.why("/sys/bus/pci/devices", "/sys/class/net", "infiniband", "/ports")
        return None

    def has(self, kind: str) -> bool | None:
        """Whether there is a device of the kind; null where that cannot be told."""
        if self.devices(kind):
            return True
        if self.pci is None or any(device.kind is None for device in self.pci):
            return None
        return False

    def has_rdma(self) -> bool | None:
        """Whether a port is a device and no software; null where that cannot be told."""
        if self.rdma is None:
            return None
        return any(not port.software for port in self.rdma)

    def rdma_hardware(self) -> list[RdmaPort]:
        """Ports that are no software."""
        return [port for port in self.rdma or [] if not port.software]

    def gpus(self) -> list[Gpu]:
        """Those that nvidia-smi lists."""
        return self.nvidia.gpus if self.nvidia else []

    def measured_devices(self) -> Iterator[PciDevice]:
        """GPUs, and network devices that carry RDMA or whose interface is up."""
        ports = {port.pci for port in self.rdma or []}
        ports |= {i.pci for i in self.interfaces or [] if i.state != "down"}
        for device in self.pci or []:
            if device.kind == "gpu" or (device.kind == "nic" and device.address in ports):
                yield device
