"""Every rule of `busbar doctor`: a healthy host holds, and each sickness is found."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from busbar.doctor.examine import Examination, examine
from busbar.doctor.facts import HostFacts
from busbar.doctor.finding import Severity
from busbar.errors import ExitCode
from doctor_hosts import BRIDGES, GPUS, NICS, QOS, FakeMachine, healthy, nvlinks, smi, space

Sicken = Callable[[FakeMachine], object]
_PCI = "/sys/bus/pci/devices"
_PORT = "/sys/class/infiniband/mlx5_0/ports/1"


def _iommu(machine: FakeMachine) -> None:
    machine.write(f"{_PCI}/{GPUS[0]}/iommu_group/type", "DMA-FQ")


def _commands(**changes: str) -> Sicken:
    def change(machine: FakeMachine) -> None:
        machine.commands["nvidia-smi -q -x"] = smi(**changes)

    return change


def _attribute(name: str, value: object) -> Sicken:
    return lambda machine: setattr(machine, name, value)


def _file(path: str, text: str) -> Sicken:
    return lambda machine: machine.write(path, text)


def _environment(**variables: str) -> Sicken:
    return lambda machine: machine.environment.update(variables)


def _both(*changes: Sicken) -> Sicken:
    return lambda machine: [change(machine) for change in changes]


S, D, N = Severity.SPOILS, Severity.DOUBTFUL, Severity.NOTE
_CPU0 = "/sys/devices/system/cpu/cpu0/cpufreq"
_HARM = "/etc/nccl.conf sets NCCL_IB_DISABLE=1"

SICK: list[tuple[str, Severity, str, Sicken]] = [
    ("load", D, "1.5 programs", _file("/proc/loadavg", "1.50 1 1 1/2 3")),
    ("load", S, "7.5 programs", _file("/proc/loadavg", "7.50 1 1 1/2 3")),
    ("environment", S, "NCCL_P2P_DISABLE=1", _environment(NCCL_P2P_DISABLE="1")),
    ("environment", D, "NCCL_ALGO=Ring", _environment(NCCL_ALGO="Ring")),
    ("environment", N, "UCX_LOG_LEVEL=info", _environment(UCX_LOG_LEVEL="info")),
    ("nccl-conf", S, _HARM, _file("/etc/nccl.conf", "#x\nNCCL_IB_DISABLE=1\n")),
    ("nccl-conf", D, "blanks", _file("/home/user/.nccl.conf", "NCCL_IB_SL = 3\n")),
    ("cpu-governor", D, "schedutil (on 1)", _file(f"{_CPU0}/scaling_governor", "schedutil")),
    ("cpu-governor", S, "powersave", _file(f"{_CPU0}/scaling_governor", "powersave")),
    (
        "cpu-governor", D, "powersave",
        _both(_file(f"{_CPU0}/scaling_governor", "powersave"),
              _file(f"{_CPU0}/scaling_driver", "intel_pstate")),
    ),
    ("cpu-quota", S, "1.5 processors", _file("/sys/fs/cgroup/user.slice/cpu.max", "150000 100000")),
    ("cpu-affinity", N, "4 of 8", _attribute("cpus", 4)),
    ("numa-balancing", D, "NUMA balancing", _file("/proc/sys/kernel/numa_balancing", "1")),
    (
        "clock-source", S, "hpet",
        _file("/sys/devices/system/clocksource/clocksource0/current_clocksource", "hpet"),
    ),
    ("memlock", S, "64 KiB", _attribute("locked", 65536)),
    ("shm", S, "64 MiB", _attribute("shm", 64 << 20)),
    ("hugepages", N, "huge pages", _file("/proc/meminfo", "HugePages_Total: 0\n")),
    ("pcie-links", S, "8 of its 16", _file(f"{_PCI}/{GPUS[0]}/current_link_width", "8")),
    ("pcie-links", S, "16 of 32", _file(f"{_PCI}/{NICS[0]}/current_link_speed", "16.0 GT/s PCIe")),
    ("pcie-links", D, "2.5 of 32", _file(f"{_PCI}/{GPUS[0]}/current_link_speed", "2.5 GT/s PCIe")),
    (
        "pcie-links", S, "since its slot does 16",
        _both(_file(f"{_PCI}/{GPUS[0]}/current_link_speed", "16.0 GT/s PCIe"),
              _file(f"{_PCI}/{BRIDGES[0]}/max_link_speed", "16.0 GT/s PCIe")),
    ),
    (
        "acs", S, BRIDGES[0],
        lambda m: m.at(f"{_PCI}/{BRIDGES[0]}/config").write_bytes(space(0x1D)),
    ),
    ("iommu", S, GPUS[0], _iommu),
    (
        "gpu-seen", D, "1 of the 2",
        lambda m: m.commands.update({"nvidia-smi -q -x": smi(count=1)}),
    ),
    ("gpu-clocks", S, "hw_slowdown", _commands(clocks_event_reason_hw_slowdown="Active")),
    ("gpu-memory", D, "remap", _commands(remapped_row_pending="Yes")),
    ("gpu-busy", S, "GPU 0", _commands(type="C")),
    ("gpu-busy", S, "GPU 0", _commands(used="40000 MiB")),
    ("gpu-mode", S, "MIG", _commands(current_mig="Enabled")),
    ("gpu-mode", N, "persistence", _commands(persistence_mode="Disabled")),
    ("nvlink", S, "3 of 4", lambda m: m.commands.update({"nvidia-smi nvlink -s": nvlinks(2)})),
    ("fabric-manager", S, "GPU 0", _commands(state="In Progress")),
    (
        "gpudirect-rdma", S, "nvidia_peermem",
        _both(_file("/proc/modules", "nvidia 1 0\n"),
              _file("/proc/driver/nvidia/version", "NVIDIA UNIX x86_64 Kernel Module  580.1  x")),
    ),
    ("rdma-state", D, "mlx5_0:1 (DOWN)", _file(f"{_PORT}/state", "1: DOWN")),
    ("roce-mtu", D, "MTU of 1500", _file("/sys/class/net/eth2/mtu", "1500")),
    ("nic-near-gpu", D, GPUS[1], _file("/sys/class/infiniband/mlx5_1/ports/1/state", "1: DOWN")),
    ("roce-address", S, "RoCE v2", _file(f"{_PORT}/gid_attrs/types/1", "IB/RoCE v1")),
    ("roce-index", S, "(IB/RoCE v1)", _environment(NCCL_IB_GID_INDEX="0")),
    (
        "roce-pause", D, "PFC",
        lambda m: m.commands.update({"mlnx_qos -i eth2": QOS.replace("1 ", "0 ")}),
    ),
]  # fmt: skip


def _said(result: Examination, check: str) -> list[tuple[Severity, str]]:
    answers = [answer for answer in result.answers if answer.check == check]
    return [(f.severity, f.what) for answer in answers for f in answer.findings]


def _unchecked(result: Examination, check: str) -> list[str]:
    return [u.reason for a in result.answers if a.check == check for u in a.unchecked]


@pytest.mark.parametrize("layer", ["Ethernet", "InfiniBand"])
def test_healthy_hosts_have_no_findings(tmp_path: Path, layer: str) -> None:
    hosts = []
    for name in ("host1", "host2"):
        machine = healthy(tmp_path / name, layer)
        machine.name = name
        hosts.append(machine.facts())
    result = examine(hosts)
    assert [f for answer in result.answers for f in answer.findings] == []
    assert [(a.check, u) for a in result.answers for u in a.unchecked] == []
    assert result.exit_code is ExitCode.HOLDS


@pytest.mark.parametrize(("check", "severity", "what", "sicken"), SICK)
def test_each_sickness_is_found(
    tmp_path: Path, check: str, severity: Severity, what: str, sicken: Sicken
) -> None:
    machine = healthy(tmp_path)
    sicken(machine)
    result = examine([machine.facts()])
    found = [said for s, said in _said(result, check) if s is severity]
    assert any(what in said for said in found), (found, _said(result, check))
    spoilt = any(f.severity is S for answer in result.answers for f in answer.findings)
    assert result.exit_code is (ExitCode.NEGATIVE if spoilt else ExitCode.HOLDS)


ALIKE: list[tuple[str, str, Sicken]] = [
    ("versions", "kernel", _file("/proc/sys/kernel/osrelease", "6.5.0")),
    (
        "versions", "NVIDIA driver",
        lambda m: m.commands.update({"nvidia-smi -q -x": smi().replace("580.65", "570.10")}),
    ),
    ("versions", "NCCL net plugin", _file("/usr/lib/libnccl-net.so", "x")),
    (
        "versions", "NCCL tuner plugin",
        _both(_environment(NCCL_TUNER_PLUGIN="own"), _file("/usr/lib/libnccl-tuner-own.so", "x")),
    ),
    ("firmware", "28.40", _file("/sys/class/infiniband/mlx5_0/fw_ver", "28.40.1000")),
    ("rdma-alike", "200 Gb/sec", _file(f"{_PORT}/rate", "200 Gb/sec (4X HDR)")),
    ("interfaces-alike", "MTU 4200", _file("/sys/class/net/eth2/mtu", "4200")),
    (
        "gpus-alike", "H200",
        lambda m: m.commands.update({"nvidia-smi -q -x": smi().replace("H100", "H200")}),
    ),
    ("settings-alike", "NCCL_IB_TC=106", _environment(NCCL_IB_TC="106")),
    (
        "roce-alike", "trusts pcp",
        lambda m: m.commands.update({"mlnx_qos -i eth2": QOS.replace("dscp", "pcp")}),
    ),
    ("clocks", "not synchronised", _attribute("clock", 0x40)),
]  # fmt: skip


@pytest.mark.parametrize(("check", "what", "sicken"), ALIKE)
def test_hosts_that_differ_are_found(tmp_path: Path, check: str, what: str, sicken: Sicken) -> None:
    hosts: list[HostFacts] = []
    for name in ("host1", "host2", "host3"):
        machine = healthy(tmp_path / name)
        machine.name = name
        if name == "host2":
            sicken(machine)
        hosts.append(machine.facts())
    result = examine(hosts)
    findings = [f for a in result.answers if a.check == check for f in a.findings]
    assert len(findings) == 1
    assert what in findings[0].what
    assert "host2" in findings[0].hosts


def test_the_same_of_several_hosts_is_told_once(tmp_path: Path) -> None:
    hosts = []
    for name in ("host1", "host2"):
        machine = healthy(tmp_path / name)
        machine.name, machine.locked = name, 65536
        hosts.append(machine.facts())
    (memlock,) = [a for a in examine(hosts).answers if a.check == "memlock"]
    assert [f.hosts for f in memlock.findings] == [("host1", "host2")]


def test_sharp_is_checked_where_it_is_asked_for(tmp_path: Path) -> None:
    machine = healthy(tmp_path, "InfiniBand")
    machine.refused = "Connection refused"
    result = examine([machine.facts("ufm:6126")])
    assert [what for _, what in _said(result, "sharp")] == [
        "SHARP's aggregation manager ufm:6126 is not reached: Connection refused",
        "libsharp_coll.so is not installed",
    ]


def test_sharp_that_is_installed_is_asked(tmp_path: Path) -> None:
    machine = healthy(tmp_path, "InfiniBand")
    machine.write("/opt/mellanox/sharp/lib/libsharp_coll.so", "x")
    assert _unchecked(examine([machine.facts()]), "sharp") == [
        "aggregation manager: sharp_hello is not installed; --sharp-manager HOST asks it too"
    ]
    machine.commands["sharp_hello"] = "Test Passed."
    assert examine([machine.facts()]).exit_code is ExitCode.HOLDS
    machine.denied = frozenset(["sharp_hello"])
    assert [severity for severity, _ in _said(examine([machine.facts()]), "sharp")] == [D]


def test_in_a_guest_acs_is_doubtful_only(tmp_path: Path) -> None:
    machine = healthy(tmp_path)
    machine.write("/proc/cpuinfo", "flags : fpu hypervisor\n")
    machine.at(f"{_PCI}/{BRIDGES[0]}/config").write_bytes(space(0x1D))
    assert [severity for severity, _ in _said(examine([machine.facts()]), "acs")] == [D]


def test_the_limit_of_locked_memory_does_not_hold_for_root(tmp_path: Path) -> None:
    machine = healthy(tmp_path)
    machine.locked = 65536
    machine.write("/proc/self/status", "CapEff:\t000001ffffffffff\n")
    assert _said(examine([machine.facts()]), "memlock") == []


def test_what_only_root_can_read_is_unchecked(tmp_path: Path) -> None:
    machine = healthy(tmp_path)
    machine.at(f"{_PCI}/{BRIDGES[0]}/config").write_bytes(space(0x1D)[:64])
    result = examine([machine.facts()])
    assert "only root may read all of it" in _unchecked(result, "acs")[0]
    assert result.exit_code is ExitCode.INCOMPLETE
    assert examine([machine.facts()], waived=["acs"]).exit_code is ExitCode.HOLDS
