"""Processors and memory."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from busbar.doctor.probe.machine import Machine
from busbar.doctor.probe.texts import field, integer, number

_CAP_IPC_LOCK = 14  # linux/capability.h


def read_cpu(machine: Machine) -> dict[str, Any]:
    """Processors, their frequency, limits and clock source."""
    base = "/sys/devices/system"
    info = machine.text("/proc/cpuinfo")
    flags = field(info, "flags") or field(info, "Features")
    nodes = machine.names(f"{base}/node")
    quota, known = _cpu_quota(machine)
    return {
        "online": _count(machine.text(f"{base}/cpu/online")),
        "allowed": machine.allowed_cpus(),
        "virtual": None if flags is None else "hypervisor" in flags.split(),
        "governors": _governors(machine, f"{base}/cpu"),
        "scaling_driver": machine.text(f"{base}/cpu/cpu0/cpufreq/scaling_driver"),
        "quota_cores": quota,
        "quota_known": known,
        "clocksource": machine.text(f"{base}/clocksource/clocksource0/current_clocksource"),
        "numa_nodes": None if nodes is None else sum(bool(re.match(r"node\d", n)) for n in nodes),
        "numa_balancing": integer(machine.text("/proc/sys/kernel/numa_balancing"))
        if machine.there("/proc/sys/kernel/numa_balancing")
        else 0,  # a kernel without it
    }


def _count(cpu_list: str | None) -> int | None:
    parts = re.findall(r"(\d{1,6})(?:-(\d{1,6}))?", cpu_list or "")
    return sum(int(last or first) - int(first) + 1 for first, last in parts) if parts else None


def _governors(machine: Machine, base: str) -> dict[str, int] | None:
    names = machine.names(base)
    if names is None:
        return None
    found: dict[str, int] = {}
    for name in names:
        if re.fullmatch(r"cpu\d+", name) and machine.there(f"{base}/{name}/cpufreq"):
            governor = machine.text(f"{base}/{name}/cpufreq/scaling_governor")
            if governor is None:
                return None
            found[governor] = found.get(governor, 0) + 1
    return found


def _cpu_quota(machine: Machine) -> tuple[float | None, bool]:
    """The cores that control groups grant, the fewest on the way up, and whether that is known."""
    own = machine.text("/proc/self/cgroup")
    if own is None:
        return None, False
    paths = [line.split(":", 2)[2] for line in own.splitlines() if line.startswith("0::")]
    folder = Path("/sys/fs/cgroup" + (paths[0] if paths else "/"))
    places = [folder, *(p for p in folder.parents if str(p).startswith("/sys/fs/cgroup"))]
    limits, known = [], True
    for place in places:
        if not machine.there(f"{place}/cpu.max"):
            continue
        words = (machine.text(f"{place}/cpu.max") or "").split()
        quota, period = (number(w) for w in (*words, "", "")[:2])
        if quota is not None and period:
            limits.append(quota / period)
        elif words[:1] != ["max"]:
            known = False
    old = "/sys/fs/cgroup/cpu"  # version 1
    if machine.there(f"{old}/cpu.cfs_quota_us"):
        quota, period = (number(machine.text(f"{old}/cpu.cfs_{w}_us")) for w in ("quota", "period"))
        known = known and quota is not None and bool(period)
        if quota is not None and period and quota > 0:
            limits.append(quota / period)
    return (min(limits) if limits else None), known


def read_memory(machine: Machine) -> dict[str, Any]:
    """Limits of memory, in bytes; huge pages by number."""
    info = machine.text("/proc/meminfo")
    status = field(machine.text("/proc/self/status"), "CapEff") or ""
    rights = re.fullmatch(r"([0-9a-f]{1,16})", status)
    return {
        "memlock_bytes": machine.memlock(),
        "locks_all": None if rights is None else bool(int(rights[1], 16) >> _CAP_IPC_LOCK & 1),
        "shm_bytes": machine.folder_bytes("/dev/shm"),
        "hugepages": integer(field(info, "HugePages_Total")),
    }
