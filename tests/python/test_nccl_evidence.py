"""What NCCL's log, its profiler and the ports of hosts say of what ran."""

from __future__ import annotations

from typing import Any

import pytest

from busbar.launch.nccl_log import Log, fallen_to_sockets, in_network, note, read_log
from busbar.record.lines import LaunchLine
from busbar.record.models import Nic, RdmaPort
from factories import launch_line

TWO_HOSTS = ["host1", "host1", "host2", "host2"]
INIT = "host1:919:1150 [0] NCCL INFO comm 0x55cd1a rank 0 nRanks 4 nNodes 2 localRanks 2 MNNVL 0"
OVER_IB = [
    INIT,
    "host1:919:1150 [0] NCCL INFO NET/IB : Using [0]mlx5_0:1/IB [RO]; OOB eth0:10.0.0.1<0>",
    "host1:919:1150 [0] NCCL INFO Channel 00/0 : 0[0] -> 1[1] via P2P/CUMEM/read",
    "host1:919:1151 [1] NCCL INFO Channel 00/0 : 1[1] -> 2[0] [send] via NET/IB/0/GDRDMA",
    "host2:919:1151 [0] NCCL INFO Channel 00/0 : 1[1] -> 2[0] [receive] via NET/IB/0/GDRDMA/Shared",
    "host2:919:1151 [0] NCCL INFO Channel 01 : 2[0] -> 3[1] via SHM/direct/direct",
]
OVER_SOCKETS = [
    INIT,
    "host1:919:1150 [0] NCCL INFO NET/IB : No device found.",
    "host1:919:1150 [0] NCCL INFO NET/Socket : Using [0]eth0:10.0.0.1<0>",
    "host1:919:1150 [0] NCCL INFO Channel 00/0 : 0[0] -> 1[1] via P2P/IPC",
    "host1:919:1151 [1] NCCL INFO Channel 00/0 : 1[1] -> 2[0] [send] via NET/Socket/0",
]
BY_SHARP = [
    INIT,
    "host1:919:1150 [0] NCCL INFO CollNet 00/0 : 0 [send] via COLLNET/SHARP/0/GDRDMA",
    "host1:919:1150 [0] NCCL INFO AllReduce: 8 Bytes -> Algo RING proto LL channel{Lo..Hi}={0..0}",
    "host1:919:1150 [0] NCCL INFO AllReduce: 1048576 Bytes -> Algo COLLNET_CHAIN proto SIMPLE "
    "channel{Lo..Hi}={0..3}",
]
REFUSED = [
    INIT,
    "host1:919:1150 [0] init.cc:1 NCCL WARN Cannot initialize CollNet, using point-to-point network"
    " instead",
]


def test_transports_are_read_by_kind_of_pair() -> None:
    log = read_log(OVER_IB, "all_reduce", 64, TWO_HOSTS)
    assert log.between == {"NET/IB with GPUDirect RDMA"}
    assert log.inside == {"P2P/CUMEM", "SHM"}
    assert log.transports() == (
        "between hosts NET/IB with GPUDirect RDMA; inside a host P2P/CUMEM, SHM"
    )
    plugin = "h:1:2 [3] NCCL INFO Channel 03/0 : 7[3] -> 3[3] [receive] via NET/IBext_v8/3"
    assert read_log([plugin], "all_reduce", 64, ["a"] * 4 + ["b"] * 4).between == {"NET/IBext_v8"}
    direct = "h:1:2 [0] NCCL INFO Channel 00/0 : 1[1] -> 0[0] via P2P/direct pointer"
    assert read_log([direct], "all_reduce", 64, ["a", "a"]).inside == {"P2P/direct"}
    assert read_log([], "all_reduce", 64, TWO_HOSTS).transports() is None


def test_one_host_that_nccl_takes_for_two_uses_sockets_inside() -> None:
    """As with an NCCL_HOSTID for each rank."""
    line = "h:1:2 [0] NCCL INFO Channel 00/0 : 0[0] -> 1[0] [send] via NET/Socket/0"
    log = read_log([line], "all_reduce", 64, ["h", "h"])
    assert (log.between, log.inside) == (frozenset(), {"NET/Socket"})


def _port(device: str = "mlx5_0", **changes: Any) -> RdmaPort:
    port = RdmaPort(
        device=device, port=1, kind="InfiniBand", link_layer="InfiniBand", state="ACTIVE",
        physical_state="LinkUp", rate="400 Gb/sec (4X NDR)", lid="0x1c", netdev="ib0",
        pci_address="0000:3b:00.0", numa_node=0, model="MT4129", firmware="28.39.1002",
        node_guid=None, sys_image_guid=None,
    )  # fmt: skip
    return port.model_copy(update=changes)


def _launch(*ports: RdmaPort, **changes: Any) -> LaunchLine:
    """On hosts that have these ports, by default one of InfiniBand."""
    line = launch_line(0, transport="nccl", **changes)
    nic = Nic(name="ens1", speed_mbps=400_000, mtu=9000, driver="mlx5_core")
    has = {"nics": [nic], "rdma_ports": list(ports) or [_port()]}
    hosts = [host.model_copy(update=has) for host in line.system.hosts]
    return line.model_copy(update={"system": line.system.model_copy(update={"hosts": hosts})})


def test_sockets_are_called_out_where_there_is_better() -> None:
    log = read_log(OVER_SOCKETS, "all_reduce", 64, TWO_HOSTS)
    assert fallen_to_sockets(log, _launch()) == (
        "NCCL fell back to sockets between hosts, although on host1 port 1 of mlx5_0 is active "
        "(InfiniBand, 400 Gb/sec (4X NDR))."
    )
    roce = _port("mlx5_3", kind="RoCE", rate=None)
    assert str(fallen_to_sockets(log, _launch(_port(state="DOWN"), roce, roce))).endswith(
        "port 1 of mlx5_3 is active (RoCE, rate not known), and 1 more."
    )
    assert fallen_to_sockets(log, _launch(settings={"NCCL_NET": "Socket"})) is None, "asked for"
    assert fallen_to_sockets(log, _launch(nccl_conf="# /etc/nccl.conf\nNCCL_IB_DISABLE=1")) is None
    fast = read_log(OVER_IB, "all_reduce", 64, TWO_HOSTS)
    assert fallen_to_sockets(fast, _launch()) is None
    inside = Log(inside=frozenset({"NET/Socket"}))
    assert fallen_to_sockets(inside, _launch()) is None


@pytest.mark.parametrize(
    "port",
    [
        _port(state="DOWN"),
        _port(state="INIT"),
        _port(state=None),
        _port("irdma0", kind="iWARP"),
        _port("efa_0", kind=None),
        _port("rxe0", kind="RoCE", pci_address=None),
    ],
)
def test_sockets_are_right_where_no_port_could_carry_it(port: RdmaPort) -> None:
    log = read_log(OVER_SOCKETS, "all_reduce", 64, TWO_HOSTS)
    assert fallen_to_sockets(log, _launch(port)) is None


@pytest.mark.parametrize("ports", [[], None])
def test_a_cluster_without_rdma_is_not_blamed(ports: list[RdmaPort] | None) -> None:
    """Whatever its network cards could do with another driver."""
    log = read_log(OVER_SOCKETS, "all_reduce", 64, TWO_HOSTS)
    line = _launch()
    hosts = [host.model_copy(update={"rdma_ports": ports}) for host in line.system.hosts]
    plain = line.model_copy(update={"system": line.system.model_copy(update={"hosts": hosts})})
    assert fallen_to_sockets(log, plain) is None


@pytest.mark.parametrize(
    ("algorithm", "nodes", "asked", "used"),
    [
        ("RING", 2, "sharp", False),
        ("COLLNET_DIRECT", 2, "sharp", True),
        ("COLLNET_CHAIN", 2, "nvls", False),
        ("NVLS", 1, "sharp", False),
        ("NVLS", 2, "sharp", True),
        ("NVLS", None, "sharp", None),
        ("NVLS", 1, "nvls", True),
        ("NVLS", 1, None, True),
        ("NVLS_TREE", 2, "sharp", False),
        ("NVLS_TREE", 2, "nvls", True),
    ],
)
def test_what_counts_as_in_the_network(
    algorithm: str, nodes: int | None, asked: str | None, used: bool | None
) -> None:
    assert in_network(algorithm, nodes, asked) is used


def _noted(
    lines: list[str], asked: str | None, *, op: str = "all_reduce", size: int = 1 << 20, **seen: Any
) -> dict[str, Any]:
    observed: dict[str, Any] = {
        "algorithm": None, "protocol": None, "channels": None, "in_network": None, "how": [], **seen
    }  # fmt: skip
    key = {"op": op, "size_bytes": size, "variant": "x", "group": {"ranks": "0-3"}}
    placed = zip(launch_line(0).processes, TWO_HOSTS, strict=True)
    processes = [process.model_copy(update={"host": host}) for process, host in placed]
    launch = _launch(processes=processes)
    note({"key": key, "block": {"observed": observed}}, lines, launch, asked)
    return observed


def test_the_log_proves_sharp_for_one_operation() -> None:
    seen = _noted(BY_SHARP, "sharp")
    assert (seen["algorithm"], seen["protocol"], seen["channels"]) == ("COLLNET_CHAIN", "SIMPLE", 4)
    assert seen["in_network"] is True
    assert seen["how"][0] == "log: to the switches COLLNET/SHARP"
    other = [line.replace("COLLNET/SHARP", "COLLNET/Mock") for line in BY_SHARP]
    assert _noted(other, "sharp")["in_network"] is False
    assert _noted(other, "collnet")["in_network"] is True
    assert _noted(BY_SHARP, "sharp", size=8)["in_network"] is False, "small ones went by a ring"
    assert _noted(BY_SHARP, "sharp", size=64)["in_network"] is None, "a set-up is no use"


def test_bytes_of_a_share_are_those_of_the_whole() -> None:
    line = BY_SHARP[3].replace("AllReduce: 1048576", "AllGather: 262144")
    assert _noted([line], None, op="all_gather")["algorithm"] == "COLLNET_CHAIN"


def test_a_set_up_that_failed_refutes() -> None:
    seen = _noted(REFUSED, "sharp")
    assert seen["in_network"] is False
    assert (
        "log: WARN Cannot initialize CollNet, using point-to-point network instead" in seen["how"]
    )
    assert _noted(REFUSED, None)["in_network"] is None, "nobody asked for it"


def test_log_and_profiler_may_contradict_each_other() -> None:
    assert _noted(BY_SHARP, "sharp", in_network=True)["in_network"] is True
    torn = _noted(BY_SHARP, "sharp", in_network=False, algorithm="RING")
    assert torn["in_network"] is None
    assert "differs" in torn["how"][-1]
    assert torn["algorithm"] == "RING", "the profiler saw all ranks, the log is rank 0's"


def test_sockets_come_first_in_how() -> None:
    seen = _noted(OVER_SOCKETS, None)
    assert seen["how"][0].startswith("NCCL fell back to sockets between hosts, although on host1")
    assert "log: INFO NET/IB : No device found." in seen["how"]
    assert _noted([], None)["how"] == ["log: no word of the transports used"]
