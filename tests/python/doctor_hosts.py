"""Hosts for `busbar doctor`: folders in place of /, a healthy node with GPUs to be made sick."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from busbar.doctor.facts import HostFacts
from busbar.doctor.probe.facts import read_facts
from busbar.doctor.probe.machine import NOT_INSTALLED, Machine

GPUS, NICS = ("0000:02:00.0", "0000:42:00.0"), ("0000:03:00.0", "0000:43:00.0")
BRIDGES = ("0000:01:00.0", "0000:41:00.0")
SWITCH = "0000:05:00.0"


class FakeMachine(Machine):
    """A folder for a root, and answers of commands; `denied` cannot be read."""

    def __init__(self, root: Path, environment: Mapping[str, str] | None = None) -> None:
        super().__init__(str(root), dict(environment or {}))
        self.denied: frozenset[str] = frozenset()
        self.asked: set[str] = set()
        self.commands = {
            "nvidia-smi -q -x": smi(),
            "nvidia-smi nvlink -s": nvlinks(),
            "mlnx_qos -i eth2": QOS,
            "mlnx_qos -i eth3": QOS,
        }
        self.locked: int | None = -1
        self.shm: int | None = 64 << 30
        self.clock: int | None = 0
        self.refused: str | None = None
        self.name = "host1"
        self.cpus: int | None = 8

    def _refuses(self, what: str) -> bool:
        self.asked.add(what)
        if what in self.denied:
            self.unread[what] = "Permission denied"
        return what in self.denied

    def data(self, path: str) -> bytes | None:
        return None if self._refuses(path) else super().data(path)

    def names(self, path: str) -> list[str] | None:
        return None if self._refuses(path) else super().names(path)

    def run(self, *command: str) -> str | None:
        words = " ".join(command)
        if self._refuses(words):
            return None
        if words not in self.commands:
            self.unread[words] = NOT_INSTALLED
        return self.commands.get(words)

    def memlock(self) -> int | None:
        return None if self._refuses("RLIMIT_MEMLOCK") else self.locked

    def folder_bytes(self, path: str) -> int | None:
        return None if self._refuses(path) else self.shm

    def clock_status(self) -> int | None:
        return None if self._refuses("adjtimex") else self.clock

    def connect(self, host: str, port: int) -> str | None:
        return self.refused

    def allowed_cpus(self) -> int | None:
        return self.cpus

    def home(self) -> str:
        return "/home/user"

    def host_name(self) -> str:
        return self.name

    def write(self, path: str, text: str) -> None:
        """Change a file of this host, or add it."""
        file = self.at(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def facts(self, manager: str = "") -> HostFacts:
        """As they come off the host."""
        self.unread.clear()
        return HostFacts.model_validate(read_facts(self, manager))


def smi(count: int = 2, **changes: str) -> str:
    """`nvidia-smi -q -x` of GPUs; a change replaces the first GPU's element of that name."""
    values = {
        "persistence_mode": "Enabled", "current_mig": "Disabled", "state": "Completed",
        "status": "Success", "remapped_row_pending": "No",
        "clocks_event_reason_hw_slowdown": "Not Active", "type": "", "used": "4 MiB",
    }  # fmt: skip
    gpus = _gpu(0, values | changes) + "".join(_gpu(i, values) for i in range(1, count))
    return (
        '<?xml version="1.0" ?>\n<!DOCTYPE nvidia_smi_log SYSTEM "nvsmi_device_v12.dtd">\n'
        "<nvidia_smi_log><driver_version>580.65.06</driver_version>"
        f"<cuda_version>13.0</cuda_version>{gpus}</nvidia_smi_log>\n"
    )


def _gpu(index: int, v: Mapping[str, str]) -> str:
    process = f"<process_info><pid>7</pid><type>{v['type']}</type></process_info>"
    slow = "clocks_event_reason_hw_slowdown"
    return (
        f'<gpu id="{GPUS[index]}"><product_name>NVIDIA H100 80GB HBM3</product_name>'
        f"<persistence_mode>{v['persistence_mode']}</persistence_mode>"
        f"<mig_mode><current_mig>{v['current_mig']}</current_mig></mig_mode>"
        f"<uuid>GPU-{index}</uuid><fabric><state>{v['state']}</state>"
        f"<status>{v['status']}</status></fabric><remapped_rows><remapped_row_pending>"
        f"{v['remapped_row_pending']}</remapped_row_pending></remapped_rows>"
        f"<clocks_event_reasons><{slow}>{v[slow]}</{slow}><clocks_event_reason_gpu_idle>Active"
        "</clocks_event_reason_gpu_idle></clocks_event_reasons>"
        f"<fb_memory_usage><used>{v['used']}</used></fb_memory_usage>"
        f"<processes>{process if v['type'] else ''}</processes></gpu>"
    )


def nvlinks(*inactive: int) -> str:
    """`nvidia-smi nvlink -s` of the same GPUs; `inactive` are links of GPU 0."""
    text = ""
    for gpu in range(2):
        text += f"GPU {gpu}: NVIDIA H100 80GB HBM3 (UUID: GPU-{gpu})\n"
        for link in range(4):
            off = gpu == 0 and link in inactive
            text += f"\t Link {link}: {'<inactive>' if off else '26.562 GB/s'}\n"
    return text


QOS = (
    "DCBX mode: OS controlled\nPriority trust state: dscp\nPFC configuration:\n"
    "\tpriority    0   1   2   3   4   5   6   7\n"
    "\tenabled     0   0   0   1   0   0   0   0   \n"
)

_PLAIN = {
    "/proc/cpuinfo": "processor\t: 0\nmodel name\t: A processor\nflags\t\t: fpu sse2\n",
    "/proc/loadavg": "0.10 0.10 0.10 1/100 1000",
    "/proc/meminfo": "MemTotal: 100 kB\nHugePages_Total:     512\n",
    "/proc/self/status": "Name:\tpython3\nCapEff:\t0000000000000000\n",
    "/proc/self/cgroup": "0::/user.slice",
    "/sys/fs/cgroup/user.slice/cpu.max": "max 100000",
    "/proc/sys/kernel/numa_balancing": "0",
    "/proc/sys/kernel/osrelease": "6.8.0-45-generic",
    "/proc/modules": "nvidia_peermem 20480 0 - Live 0x0\nnvidia 100 1 - Live 0x0\n",
    "/proc/driver/nvidia/version": "NVRM version: NVIDIA UNIX Open Kernel Module  580.65.06  x\n",
    "/proc/41/comm": "nv-fabricmanage",
    "/sys/devices/system/cpu/online": "0-7",
    "/sys/devices/system/node/node0/cpulist": "0-3",
    "/sys/devices/system/node/node1/cpulist": "4-7",
    "/sys/devices/system/clocksource/clocksource0/current_clocksource": "tsc",
    "/usr/lib/x86_64-linux-gnu/libmpi.so.40": "",
}


def healthy(root: Path, layer: str = "Ethernet") -> FakeMachine:
    """Two GPUs and two NICs, one of each on both NUMA nodes, and an NVSwitch."""
    machine = FakeMachine(root)
    for path, text in _PLAIN.items():
        machine.write(path, text)
    for cpu in range(8):
        folder = f"/sys/devices/system/cpu/cpu{cpu}/cpufreq"
        machine.write(f"{folder}/scaling_governor", "performance")
        machine.write(f"{folder}/scaling_driver", "acpi-cpufreq")
    for node in range(2):
        bus = f"/sys/devices/pci0000:{node}0/{BRIDGES[node]}"
        _device(machine, bus, "0x1000", "0x060400", node)
        machine.at(f"{bus}/config").write_bytes(space(0))
        _device(machine, f"{bus}/{GPUS[node]}", "0x10de", "0x030200", node)
        _device(machine, f"{bus}/{NICS[node]}", "0x15b3", "0x020700", node)
        _port(machine, f"{bus}/{NICS[node]}", node, layer)
    _device(machine, f"/sys/devices/pci0000:00/{SWITCH}", "0x10de", "0x068000", 0)
    return machine


def space(control: int) -> bytes:
    """A configuration space whose second extended capability is access control services."""
    content = bytearray(4096)
    content[0x100:0x104] = (0x0001 | 1 << 16 | 0x148 << 20).to_bytes(4, "little")
    content[0x148:0x14C] = (0x000D | 1 << 16).to_bytes(4, "little")
    content[0x14E:0x150] = control.to_bytes(2, "little")
    return bytes(content)


def _device(machine: FakeMachine, path: str, vendor: str, kind: str, node: int) -> None:
    texts = {
        "vendor": vendor, "class": kind, "numa_node": str(node), "current_link_width": "16",
        "max_link_width": "16", "current_link_speed": "32.0 GT/s PCIe",
        "max_link_speed": "32.0 GT/s PCIe",
    }  # fmt: skip
    for name, text in texts.items():
        machine.write(f"{path}/{name}", text)
    _link(machine, f"/sys/bus/pci/devices/{Path(path).name}", path)


def _port(machine: FakeMachine, path: str, number: int, layer: str) -> None:
    device, netdev = f"mlx5_{number}", f"{'eth' if layer == 'Ethernet' else 'ib'}{number + 2}"
    port = f"/sys/class/infiniband/{device}/ports/1"
    texts = {
        "link_layer": layer, "state": "4: ACTIVE", "rate": "400 Gb/sec (4X NDR)",
        "gids/0": "fe80:0000:0000:0000:0000:0000:0000:0001",
        "gids/1": "0000:0000:0000:0000:0000:ffff:0a00:0001",
        "gids/2": "0000:0000:0000:0000:0000:0000:0000:0000",
        "gid_attrs/types/0": "IB/RoCE v1", "gid_attrs/types/1": "RoCE v2",
        "gid_attrs/ndevs/0": netdev,
    }  # fmt: skip
    for name, text in texts.items():
        machine.write(f"{port}/{name}", text)
    machine.write(f"{port}/../../hca_type", "MT4129")
    machine.write(f"{port}/../../fw_ver", "28.39.1002")
    _link(machine, f"/sys/class/infiniband/{device}/device", path)
    for name, text in {"operstate": "up", "speed": "400000", "mtu": "9000"}.items():
        machine.write(f"/sys/class/net/{netdev}/{name}", text)
    _link(machine, f"/sys/class/net/{netdev}/device", path)


def _link(machine: FakeMachine, link: str, target: str) -> None:
    place = machine.at(link)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(os.path.relpath(machine.at(target), place.parent))
