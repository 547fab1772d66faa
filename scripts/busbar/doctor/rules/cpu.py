"""Processors: their frequency, who else decides over them, and what reading a clock costs."""

from __future__ import annotations

from collections.abc import Iterator

from busbar.doctor.facts import HostFacts
from busbar.doctor.finding import Finding, Inapplicable, Said, Severity, Unchecked
from busbar.doctor.rules.check import Check, on_each_host

_SCALES = "Linux, admin-guide/pm/cpufreq.rst and intel_pstate.rst"
_QUICK_CLOCKS = ("tsc", "kvm-clock", "hyperv_clocksource_tsc_page", "arch_sys_counter", "xen")


def _governor(host: HostFacts) -> Iterator[Said]:
    cpu = host.cpu
    if cpu.governors is None:
        yield Unchecked(host.why("scaling_governor", "/sys/devices/system/cpu"))
        return
    if not cpu.governors:
        if cpu.virtual is None:
            yield Unchecked(host.why("/proc/cpuinfo"))
        elif cpu.virtual:
            yield Inapplicable("the hypervisor sets the frequency")
        else:
            yield Unchecked("the kernel shows no cpufreq, so the firmware scales as it likes")
        return
    others = {name: count for name, count in cpu.governors.items() if name != "performance"}
    if not others:
        return
    # In its active mode intel_pstate's powersave scales; elsewhere it pins the lowest frequency.
    slowest = "powersave" in others and cpu.scaling_driver != "intel_pstate"
    if "powersave" in others and cpu.scaling_driver is None:
        yield Unchecked(host.why("scaling_driver"))
    said = ", ".join(f"{name} (on {count})" for name, count in sorted(others.items()))
    yield Finding(
        Severity.SPOILS if slowest else Severity.DOUBTFUL,
        f"processors have the governor {said}",
        "Processors that wake from a low frequency add microseconds, and not the same each time.",
        "cpupower frequency-set --governor performance",
        _SCALES,
    )


def _quota(host: HostFacts) -> Iterator[Said]:
    cores = host.cpu.quota_cores
    if not host.cpu.quota_known:
        yield Unchecked(host.why("cpu.max", "cpu.cfs_quota_us", "/proc/self/cgroup"))
    if cores is not None:
        yield Finding(
            Severity.SPOILS,
            f"a control group grants {cores:g} processors' time",
            "A process that has used its share stands still until the next period, up to 100 ms.",
            "Start the container without a CPU limit, or give it whole processors (cpuset).",
            "Linux, admin-guide/cgroup-v2.rst, cpu.max",
        )


def _affinity(host: HostFacts) -> Iterator[Said]:
    allowed, online = host.cpu.allowed, host.cpu.online
    if allowed is None or online is None:
        yield Unchecked(host.why("cpu/online", "sched_getaffinity"))
    elif allowed < online:
        yield Finding(
            Severity.NOTE,
            f"processes may run on {allowed} of {online} processors",
            "Ranks and NCCL's helper threads may share processors, or sit far from their NIC.",
            "Ask the launcher for whole nodes, and let NCCL bind (--bind-to none).",
            "sched_getaffinity(2)",
        )


def _numa_balancing(host: HostFacts) -> Iterator[Said]:
    nodes, mode = host.cpu.numa_nodes, host.cpu.numa_balancing
    if nodes is None or mode is None:
        yield Unchecked(host.why("numa_balancing", "/sys/devices/system/node"))
    elif nodes < 2:
        yield Inapplicable("one NUMA node")
    elif mode:
        yield Finding(
            Severity.DOUBTFUL,
            "automatic NUMA balancing is on",
            "The kernel unmaps pages to see who uses them; the faults land in timed regions.",
            "sysctl -w kernel.numa_balancing=0",
            "Linux, admin-guide/sysctl/kernel.rst, numa_balancing",
        )


def _clocksource(host: HostFacts) -> Iterator[Said]:
    source = host.cpu.clocksource
    if source is None:
        yield Unchecked(host.why("current_clocksource"))
    elif source not in _QUICK_CLOCKS:
        yield Finding(
            Severity.SPOILS,
            f"the kernel's clock source is {source}",
            "Reading the time is then a system call and a slow device, up to microseconds.",
            "Find in the kernel's log why tsc was given up (dmesg | grep -i clocksource).",
            "Linux, admin-guide/kernel-parameters.txt, clocksource= and tsc=",
        )


CHECKS: tuple[Check, ...] = (
    on_each_host("cpu-governor", "CPU", _governor),
    on_each_host("cpu-quota", "CPU", _quota),
    on_each_host("cpu-affinity", "CPU", _affinity),
    on_each_host("numa-balancing", "CPU", _numa_balancing),
    on_each_host("clock-source", "CPU", _clocksource),
)
