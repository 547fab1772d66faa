"""What cannot be read on a host is never taken for well."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from busbar.doctor.examine import examine
from busbar.doctor.facts import HostFacts
from busbar.doctor.finding import Severity
from busbar.errors import ExitCode
from doctor_hosts import BRIDGES, GPUS, NICS, QOS, FakeMachine, healthy, nvlinks, smi, space

_PCI = "/sys/bus/pci/devices"


def _sick(root: Path) -> FakeMachine:
    """Sick in as many ways as one host can be at once."""
    machine = healthy(root)
    for path, text in {
        "/proc/loadavg": "9.0 1 1 1/2 3",
        "/etc/nccl.conf": "NCCL_IB_DISABLE=1\n",
        "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "powersave",
        "/sys/fs/cgroup/user.slice/cpu.max": "150000 100000",
        "/proc/sys/kernel/numa_balancing": "1",
        "/proc/sys/kernel/osrelease": "6.5.0-1",
        "/proc/modules": "nvidia 1 0\n",
        "/proc/driver/nvidia/version": "NVIDIA UNIX x86_64 Kernel Module  580.1  x",
        "/sys/devices/system/clocksource/clocksource0/current_clocksource": "hpet",
        f"{_PCI}/{GPUS[0]}/current_link_width": "8",
        f"{_PCI}/{NICS[0]}/iommu_group/type": "DMA",
        "/sys/class/infiniband/mlx5_0/ports/1/gid_attrs/types/1": "IB/RoCE v1",
        "/sys/class/infiniband/mlx5_0/fw_ver": "28.40.1000",
        "/sys/class/infiniband/mlx5_0/ports/1/rate": "200 Gb/sec (4X HDR)",
        "/sys/class/infiniband/mlx5_1/ports/1/state": "1: DOWN",
        "/sys/class/net/eth2/mtu": "1500",
    }.items():
        machine.write(path, text)
    machine.at(f"{_PCI}/{BRIDGES[1]}/config").write_bytes(space(0x1D))
    machine.commands = {
        "nvidia-smi -q -x": smi(
            count=1, current_mig="Enabled", state="In Progress", remapped_row_pending="Yes",
            clocks_event_reason_hw_slowdown="Active", type="C",
        ),
        "nvidia-smi nvlink -s": nvlinks(1),
        "mlnx_qos -i eth2": QOS.replace("1 ", "0 ").replace("dscp", "pcp"),
    }  # fmt: skip
    machine.locked, machine.shm, machine.clock = 65536, 64 << 20, 0x40
    machine.name = "sick"
    return machine


@dataclass(frozen=True)
class Pair:
    """A sick host, and what comes of it beside a healthy one while everything can be read."""

    sick: FakeMachine
    well: HostFacts
    asked: list[str]
    found: set[str]

    def hidden(self, denied: Iterable[str]) -> set[str]:
        """Checks whose harm is no longer told, and not told to be unchecked either."""
        self.sick.denied = frozenset(denied)
        found, unchecked = _harm([self.sick.facts(), self.well])
        return self.found - found - unchecked


def _harm(hosts: Sequence[HostFacts]) -> tuple[set[str], set[str]]:
    """Checks with a finding that harms, and checks that could not be made."""
    answers = examine(hosts).answers
    harm = {a.check for a in answers if any(f.severity is not Severity.NOTE for f in a.findings)}
    return harm, {a.check for a in answers if a.unchecked}


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    root = tmp_path_factory.mktemp("hosts")
    sick, well = _sick(root / "sick"), healthy(root / "well").facts()
    found, _ = _harm([sick.facts(), well])
    assert len(found) > 25
    return Pair(sick, well, sorted(sick.asked), found)


@settings(max_examples=60, deadline=None)
@given(places=st.frozensets(st.integers(0, 10_000), max_size=20))
def test_what_cannot_be_read_never_hides_a_finding(pair: Pair, places: frozenset[int]) -> None:
    denied = {pair.asked[place % len(pair.asked)] for place in places}
    assert not pair.hidden(denied), sorted(denied)


def test_each_single_thing_that_cannot_be_read(pair: Pair) -> None:
    for path in pair.asked:
        assert not pair.hidden([path]), path


def test_a_host_that_tells_nothing_is_incomplete(tmp_path: Path) -> None:
    machine = healthy(tmp_path)
    machine.facts()
    machine.denied = frozenset(machine.asked)
    machine.cpus = None
    result = examine([machine.facts()])
    assert [f for answer in result.answers for f in answer.findings] == []
    assert result.exit_code is ExitCode.INCOMPLETE


@pytest.fixture(scope="module")
def well(tmp_path_factory: pytest.TempPathFactory) -> FakeMachine:
    return healthy(tmp_path_factory.mktemp("well"))


@settings(max_examples=40, deadline=None)
@given(place=st.integers(0, 10_000), content=st.binary(max_size=80))
def test_no_content_of_a_file_raises(well: FakeMachine, place: int, content: bytes) -> None:
    if not well.asked:
        well.facts()
    files = sorted(p for p in well.asked if p.startswith("/") and well.at(p).is_file())
    file = well.at(files[place % len(files)])
    before = file.read_bytes()
    file.write_bytes(content)
    try:
        examine([well.facts()])
    finally:
        file.write_bytes(before)
