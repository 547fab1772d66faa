"""GPUs: their health, who else uses them, NVLink and NVSwitch, and the way to the NIC."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from busbar.doctor.facts import Gpu, HostFacts
from busbar.doctor.finding import Finding, Inapplicable, Said, Severity, Unchecked
from busbar.doctor.rules.check import Check, counted, differences, listed, on_each_host

_SMI = "nvidia-smi(1)"
IDLE_MIB = 1024
"""Memory of a GPU beyond which somebody uses it, seen or not: a container hides the programs of
others. Idle GPUs have some MiB in use, Busbar's own choice leaves room."""
_DMA_BUF_KERNEL = (5, 12)
"""From here on the kernel carries DMA-BUF for RDMA (NVIDIA GPU Operator guide, GPUDirect RDMA)."""


def _none_here(host: HostFacts) -> Said | None:
    """What there is to say where no GPU can be looked at."""
    present = host.has("gpu")
    if host.gpus():
        return None
    if present is False:
        return Inapplicable("no NVIDIA GPU")
    if present is None:
        return Unchecked(host.why("/class", "/vendor", "/sys/bus/pci/devices"))
    return Unchecked(host.why("nvidia-smi"))


def _of_gpus(look: Callable[[HostFacts], Iterator[Said]]) -> Callable[[HostFacts], Iterator[Said]]:
    def guarded(host: HostFacts) -> Iterator[Said]:
        said = _none_here(host)
        if said is not None:
            yield said
        else:
            yield from look(host)

    return guarded


def _indices(gpus: Sequence[Gpu], wanted: Callable[[Gpu], bool]) -> list[str]:
    return [str(index) for index, gpu in enumerate(gpus) if wanted(gpu)]


def _seen(host: HostFacts) -> Iterator[Said]:
    """GPUs that are on the bus and that the driver has lost."""
    bus, listed_ones = len(host.devices("gpu")), len(host.gpus())
    if host.pci is None or any(device.kind is None for device in host.pci):
        yield Unchecked(host.why("/class", "/vendor", "/sys/bus/pci/devices"))
    elif bus > listed_ones:
        yield Finding(
            # A container or a job may have been given some of them only.
            Severity.DOUBTFUL,
            f"nvidia-smi lists {listed_ones} of the {bus} GPUs on the bus",
            "The driver has lost the others, or they are given to somebody else meanwhile.",
            "dmesg | grep -i xid; reset or replace the GPU, or ask for the whole host",
            _SMI,
        )


def _slowed(host: HostFacts) -> Iterator[Said]:
    gpus = host.gpus()
    if any(gpu.slowing is None for gpu in gpus):
        yield Unchecked("nvidia-smi does not say whether clocks are slowed")
    slow = _indices(gpus, lambda gpu: bool(gpu.slowing))
    if slow:
        reasons = sorted({reason for gpu in gpus for reason in gpu.slowing or []})
        yield Finding(
            Severity.SPOILS,
            f"{counted(slow, 'GPU')} slowed: {', '.join(reasons)}",
            "A GPU with slowed clocks reduces and copies slower, and all wait for it.",
            "Check power supply and cooling (nvidia-smi -q -d PERFORMANCE,TEMPERATURE,POWER).",
            "NVML, clocks event reasons",
        )


def _rows(host: HostFacts) -> Iterator[Said]:
    pending = _indices(host.gpus(), lambda gpu: gpu.remapping_pending == "Yes")
    if any(gpu.remapping_pending is None for gpu in host.gpus()):
        yield Unchecked("nvidia-smi does not say whether rows of memory wait to be remapped")
    if pending:
        yield Finding(
            Severity.DOUBTFUL,
            f"{counted(pending, 'GPU')} waits for a reset to remap rows of its memory",
            "Until then each access to the faulty rows is corrected, or ends the program.",
            "Drain the host and reset the GPU (nvidia-smi -r).",
            "NVIDIA, GPU memory error management: row remapping",
        )


def _busy(host: HostFacts) -> Iterator[Said]:
    if any(gpu.processes is None or gpu.used_mib is None for gpu in host.gpus()):
        yield Unchecked("nvidia-smi does not list processes and memory in use")
    busy = _indices(host.gpus(), lambda gpu: bool(gpu.processes) or (gpu.used_mib or 0) > IDLE_MIB)
    if busy:
        yield Finding(
            Severity.SPOILS,
            f"programs are on {counted(busy, 'GPU')}",
            "They share its multiprocessors, memory and links with the benchmark.",
            "End them, or ask the scheduler for the host alone (nvidia-smi names them).",
            _SMI,
        )


def _mode(host: HostFacts) -> Iterator[Said]:
    gpus = host.gpus()
    if any(gpu.mig is None for gpu in gpus):
        yield Unchecked("nvidia-smi does not say whether GPUs are partitioned (MIG)")
    mig = _indices(gpus, lambda gpu: gpu.mig == "Enabled")
    if mig:
        yield Finding(
            Severity.SPOILS,
            f"{counted(mig, 'GPU')} is partitioned (MIG)",
            "Instances of a GPU have neither NVLink nor direct access to each other.",
            "nvidia-smi -mig 0, when nothing runs on it",
            "NVIDIA, Multi-Instance GPU user guide, application considerations",
        )
    resting = _indices(gpus, lambda gpu: gpu.persistence == "Disabled")
    if resting:
        yield Finding(
            Severity.NOTE,
            f"persistence mode is off on {counted(resting, 'GPU')}",
            "The driver sets the GPU up anew for each launch: start-up is longer.",
            "systemctl enable --now nvidia-persistenced",
            "NVIDIA, driver persistence",
        )


def _nvlinks(host: HostFacts) -> Iterator[Said]:
    gpus = host.gpus()
    if any(gpu.links is None for gpu in gpus):
        yield Unchecked(host.why("nvidia-smi nvlink"))
        return
    if not any(gpu.links for gpu in gpus):
        switches = host.has("nvswitch")
        if switches:
            yield Unchecked("there are NVSwitches, and nvidia-smi lists no NVLink")
        elif switches is None:
            yield Unchecked(host.why("/class", "/vendor"))
        else:
            yield Inapplicable("no NVLink")
        return
    active = [sum(gpu.links or []) for gpu in gpus]
    most = max(active)
    down = [str(i) for i, gpu in enumerate(gpus) if active[i] < len(gpu.links or [])]
    fewer = [str(i) for i in range(len(gpus)) if active[i] < most]
    if down or fewer:
        # A bridge need not use all links: then the GPUs of a host are alike.
        uneven = bool(fewer) or bool(host.devices("nvswitch"))
        yield Finding(
            Severity.SPOILS if uneven else Severity.DOUBTFUL,
            f"NVLinks are inactive: {_link_counts(gpus)}",
            "Bandwidth between GPUs is in proportion to the links, and the least counts.",
            "nvidia-smi nvlink -s and -e; dmesg | grep -i -e nvlink -e xid; reset or replace",
            "nvidia-smi nvlink --status",
        )


def _link_counts(gpus: Sequence[Gpu]) -> str:
    counts = Counter((sum(gpu.links or []), len(gpu.links or [])) for gpu in gpus)
    return ", ".join(
        f"{active} of {of} on {n} of {len(gpus)} GPUs" for (active, of), n in sorted(counts.items())
    )


def _fabric(host: HostFacts) -> Iterator[Said]:
    gpus = host.gpus()
    states = [gpu.fabric_state or "N/A" for gpu in gpus]
    named = [state for state in states if state != "N/A"]
    switches = host.has("nvswitch")
    bad = _indices(
        gpus,
        lambda g: (
            (g.fabric_state not in (None, "N/A", "Completed"))
            or (g.fabric_status not in (None, "N/A", "Success"))
        ),
    )
    if bad:
        yield Finding(
            Severity.SPOILS,
            f"{counted(bad, 'GPU')} is not registered with the NVSwitches",
            "Without the fabric manager there is no NVLink, and CUDA may not even start.",
            "systemctl restart nvidia-fabricmanager, in the version of the driver",
            "NVIDIA, fabric manager user guide",
        )
    elif named and len(named) == len(gpus):
        return
    elif switches is None:
        yield Unchecked(host.why("/class", "/vendor", "/sys/bus/pci/devices"))
    elif not switches and not named:
        yield Inapplicable("no NVSwitch")
    elif not host.fabric_manager_seen:
        yield Unchecked("nvidia-smi tells no fabric state, and nv-fabricmanager is not seen here")


def _direct(host: HostFacts) -> Iterator[Said]:
    rdma = host.has_rdma()
    if rdma is False:
        yield Inapplicable("no RDMA port")
        return
    if rdma is None or host.modules is None:
        yield Unchecked(host.why("infiniband", "/ports", "/proc/modules", "/sys/module"))
        return
    if {"nvidia_peermem", "nv_peer_mem"} & set(host.modules):
        return
    kernel = re.match(r"(\d+)\.(\d+)", host.versions.get("kernel") or "")
    if host.open_modules is None or kernel is None:
        yield Unchecked(host.why("/proc/driver/nvidia/version", "/proc/sys/kernel/osrelease"))
    elif not host.open_modules or (int(kernel[1]), int(kernel[2])) < _DMA_BUF_KERNEL:
        yield Finding(
            Severity.SPOILS,
            "NICs cannot reach GPU memory: nvidia_peermem is not loaded, and DMA-BUF needs the "
            "open driver and kernel 5.12",
            "NCCL then copies every message through host memory.",
            "modprobe nvidia-peermem",
            "NVIDIA GPU Operator guide, GPUDirect RDMA: requirements",
        )


def _alike(hosts: Sequence[HostFacts]) -> Iterator[Said]:
    values, unread = {}, {}
    for host in hosts:
        said = _none_here(host)
        values[host.host] = None if isinstance(said, Unchecked) else _models(host)
        unread[host.host] = said.reason if isinstance(said, Unchecked) else "nvidia-smi"
    yield from differences(
        "GPUs",
        values,
        unread,
        why="Ranks differ in speed, or hosts in their number, and the slowest sets the pace.",
        mend="Leave out the hosts that stick out, or find what they lost.",
        source=_SMI,
    )


def _models(host: HostFacts) -> str | None:
    if any(gpu.name is None for gpu in host.gpus()):
        return None
    names = Counter(gpu.name for gpu in host.gpus())
    return listed([f"{count} {name}" for name, count in sorted(names.items(), key=str)]) or "none"


CHECKS: tuple[Check, ...] = (
    on_each_host("gpu-seen", "GPU", _of_gpus(_seen)),
    on_each_host("gpu-clocks", "GPU", _of_gpus(_slowed)),
    on_each_host("gpu-memory", "GPU", _of_gpus(_rows)),
    on_each_host("gpu-busy", "GPU", _of_gpus(_busy)),
    on_each_host("gpu-mode", "GPU", _of_gpus(_mode)),
    on_each_host("nvlink", "GPU", _of_gpus(_nvlinks)),
    on_each_host("fabric-manager", "GPU", _of_gpus(_fabric)),
    on_each_host("gpudirect-rdma", "GPU", _of_gpus(_direct)),
    Check("gpus-alike", "GPU", _alike),
)
