"""PCI Express: links below what they can do, and what leads traffic between devices astray."""

from __future__ import annotations

from collections.abc import Iterator

from busbar.doctor.facts import HostFacts, PciDevice
from busbar.doctor.finding import Finding, Inapplicable, Said, Severity, Unchecked
from busbar.doctor.rules.check import Check, counted, on_each_host

_SYSFS = "Linux, ABI/testing/sysfs-bus-pci: current_link_width, max_link_width and _speed"
_REDIRECTS = 0x2C
"""Request redirect, completion redirect and egress control: the bits that the kernel clears for
pci=disable_acs_redir, since with them traffic between devices goes up to the root."""


def _links(host: HostFacts) -> Iterator[Said]:
    unread = host.devices_unread()
    if unread is not None:
        yield Unchecked(unread)
    slots = {device.address: device for device in host.pci or []}
    devices = [device for device in host.measured_devices() if device.pcie]
    if not devices and unread is None:
        yield Inapplicable("no GPU or NIC with a PCI Express link")
    for device in devices:
        yield from _link(host, device, slots.get(device.parent or ""))


def _link(host: HostFacts, device: PciDevice, slot: PciDevice | None) -> Iterator[Said]:
    name = f"{'GPU' if device.kind == 'gpu' else 'NIC'} {device.address}"
    slot = slot if slot is not None and slot.pcie else None
    if device.width is None or device.max_width is None or device.max_width == 0:
        yield Unchecked(f"width of {name}: {host.why(f'{device.address}/current_link_width')}")
    elif device.width < device.max_width:
        yield _narrow(name, device.width, device.max_width, slot.max_width if slot else None)
    if device.speed_gts is None or device.max_speed_gts is None:
        yield Unchecked(f"speed of {name}: {host.why(f'{device.address}/current_link_speed')}")
    elif device.speed_gts < device.max_speed_gts:
        slowest = slot.max_speed_gts if slot else None
        yield _slow(device, name, device.speed_gts, device.max_speed_gts, slowest)


def _narrow(name: str, width: int, most: int, slot: int | None) -> Finding:
    by_slot = slot is not None and slot <= width
    return Finding(
        Severity.SPOILS,
        f"{name} has {width} of its {most} PCI Express lanes"
        + (f", since its slot has {slot}" if by_slot else ""),
        "Bandwidth to and from the device is in proportion to the lanes.",
        "Put it in a wider slot." if by_slot else "Reseat the card or riser, then replace it.",
        _SYSFS,
    )


def _slow(device: PciDevice, name: str, speed: float, most: float, slot: float | None) -> Finding:
    by_slot = slot is not None and slot <= speed
    # An idle GPU lowers the speed of its link, and raises it when there is work.
    idle = device.kind == "gpu" and not by_slot
    return Finding(
        Severity.DOUBTFUL if idle else Severity.SPOILS,
        f"{name} runs at {speed:g} of {most:g} GT/s"
        + (f", since its slot does {slot:g}" if by_slot else ""),
        "Bandwidth is in proportion; an idle GPU may have lowered it to save power."
        if idle
        else "Bandwidth to and from the device is in proportion to the speed of its lanes.",
        "Look again while it works (nvidia-smi -q -d PERFORMANCE); reseat it if it stays."
        if idle
        else "Use a faster slot, or set the slot's generation in the firmware; reseat the card.",
        _SYSFS,
    )


def _peers(host: HostFacts) -> bool | None:
    """Whether devices of the host talk to each other past its memory."""
    gpus, rdma = host.has("gpu"), host.has_rdma()
    if gpus and len(host.devices("gpu")) > 1:
        return True
    return False if gpus is False or rdma is False else None if None in (gpus, rdma) else True


def _not_peers(host: HostFacts) -> Said | None:
    peers = _peers(host)
    if peers is None:
        return Unchecked(host.why("/class", "/vendor", "/sys/bus/pci/devices", "infiniband"))
    return None if peers else Inapplicable("no GPU beside another or beside an RDMA port")


def _may_be_needed(host: HostFacts) -> Severity:
    # A guest needs it where its GPUs and NICs translate addresses themselves (ATS).
    return Severity.DOUBTFUL if host.cpu.virtual else Severity.SPOILS


def _acs(host: HostFacts) -> Iterator[Said]:
    if (said := _not_peers(host)) is not None:
        yield said
        return
    if (unread := host.devices_unread()) is not None:
        yield Unchecked(unread)
    bridges = host.devices("bridge")
    hidden = [bridge for bridge in bridges if not bridge.acs_known]
    if hidden:
        names = counted([bridge.address for bridge in hidden], "bridge")
        yield Unchecked(f"{names}: {host.why(f'{hidden[0].address}/config')}")
    redirecting = [b.address for b in bridges if (b.acs_control or 0) & _REDIRECTS]
    if redirecting:
        yield Finding(
            _may_be_needed(host),
            f"access control services redirect at {counted(redirecting, 'bridge')}",
            "Traffic between GPUs and NICs goes through the root complex and may be halved.",
            "Turn ACS off in the firmware, or boot with pci=disable_acs_redir=… for these bridges.",
            "NCCL user guide, troubleshooting, PCI access control services",
        )


def _iommu(host: HostFacts) -> Iterator[Said]:
    if (said := _not_peers(host)) is not None:
        yield said
        return
    if (unread := host.devices_unread()) is not None:
        yield Unchecked(unread)
    devices = list(host.measured_devices())
    for device in devices:
        if device.iommu is None:
            yield Unchecked(host.why(f"{device.address}/iommu_group/type"))
    translated = [d.address for d in devices if d.iommu not in (None, "none", "identity")]
    if translated:
        yield Finding(
            _may_be_needed(host),
            f"the IOMMU translates for {counted(translated, 'device')}",
            "Direct traffic between devices is sent to the root complex, to be translated there.",
            "Boot with iommu=pt, or turn the IOMMU (VT-d, AMD-Vi) off in the firmware.",
            "NCCL user guide, troubleshooting; Linux, ABI/testing/sysfs-kernel-iommu_groups: type",
        )


CHECKS: tuple[Check, ...] = (
    on_each_host("pcie-links", "PCI Express", _links),
    on_each_host("acs", "PCI Express", _acs),
    on_each_host("iommu", "PCI Express", _iommu),
)
