"""Launches of NCCL: variables, configuration files, the log. No GPU and no NCCL are here.

Log lines are typed from the formats in the strings of libnccl 2.28.9 and from logs that users have
published; none was recorded here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from busbar.errors import UsageError
from busbar.launch import nccl, nccl_conf, nccl_log
from busbar.launch.binary import Described, OperationInfo
from busbar.launch.in_network import parse_in_network, refuse_where_impossible, with_library
from busbar.launch.nccl_log import Log, fallen_to_sockets, in_network, note, read_log
from busbar.launch.options import MeasureOptions, SweepOptions, parse_variants
from busbar.launch.plan import Ranks, make_plan
from busbar.launch.slots import make_slots
from busbar.launch.target import Programs
from busbar.launch.where import Where, hosts_of, target_of
from busbar.record.lines import LaunchLine
from busbar.record.models import Nic, Plan, RdmaPort, Stopping, Variant, Warmup
from factories import launch_line

# The plan


def _info(name: str, **more: Any) -> OperationInfo:
    traits = {
        "summary": "", "reduces": False, "rooted": False, "in_place": False, "chunked": False,
        "has_data": True, "point_to_point": False, "min_ranks": 1, "bus_factor": 1.0,
        "in_network": True,
    }  # fmt: skip
    return OperationInfo.model_validate({"name": name, **traits, **more})


DESCRIBED = Described(
    protocol=1,
    operations=[_info("all_reduce", reduces=True), _info("broadcast", rooted=True)],
    datatypes=[Described.Datatype(name="float", bytes=4)],
    redops=["sum", "premulsum"],
    transports=["mpi", "nccl"],
)


def _plan(
    *variants: str,
    transport: str = "nccl",
    operations: list[str] | None = None,
    threads: int = 1,
    **what: Any,
) -> Plan:
    measure = MeasureOptions(
        variants=parse_variants(list(variants)),
        launches=1,
        stopping=Stopping(relative_ci=0.02, min_samples=2, max_samples=5, max_seconds=1),
        warmup=Warmup(min_samples=1, min_seconds=0),
        rest_us=0,
        deadline_seconds=10,
        init_deadline_seconds=10,
        seed=1,
        observe="largest",
    )
    sweep = SweepOptions(operations or ["all_reduce"], 8, 64, **what)
    return make_plan(sweep, measure, DESCRIBED, Ranks(2, threads=threads), transport)


def test_a_plan_of_nccl_is_about_gpu_memory() -> None:
    plan = _plan(graph=True, registrations=["none", "symmetric"])
    keys = [row.key for row in plan.rows]
    assert {(k.transport, k.memory, k.graph, k.clock_scope) for k in keys} == {
        ("nccl", "gpu", True, "host")
    }
    assert {k.registration for k in keys} == {"none", "symmetric"}
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize(
    ("what", "culprit"),
    [({"graph": True}, "--graph"), ({"registrations": ["local"]}, "--registration"),
     ({"registrations": ["pinned"]}, "pinned")],
)  # fmt: skip
def test_gpu_options_are_refused_for_host_memory(what: Any, culprit: str) -> None:
    with pytest.raises(UsageError, match=culprit):
        _plan(transport="mpi", **what)


def test_the_pre_multiplied_sum_is_nccls_alone() -> None:
    plan = _plan(redops=["sum", "premulsum"])
    assert {row.key.redop for row in plan.rows} == {"sum", "premulsum"}
    with pytest.raises(UsageError, match="--redop premulsum belongs to --transport nccl"):
        _plan(transport="mpi", redops=["premulsum"])


def test_a_transport_that_the_build_lacks_is_refused() -> None:
    with pytest.raises(UsageError, match="unknown transport 'gloo'; accepted by this build: mpi"):
        _plan(transport="gloo")


def test_what_nccl_has_no_switch_algorithm_for_is_waived() -> None:
    plan = _plan("d:", "s:in_network=sharp", operations=["all_reduce", "broadcast"])
    waived = {(r.key.op, r.key.variant, r.evidence) for r in plan.rows if r.need == "waived"}
    assert waived == {("broadcast", "s", "NCCL has no algorithm in the network for broadcast.")}


def test_nccl_is_observed_by_its_log() -> None:
    plan = _plan("s:in_network=sharp")
    *_, slot = make_slots(plan, 1, "largest", nccl_log.OBSERVING)
    assert slot.environment["NCCL_DEBUG_FILE"] == "/dev/stderr"
    assert "UCC_COLL_TRACE" not in slot.environment
    assert slot.observe == "largest"


# Reduction in the network


def _asked(texts: list[str], words: str | None, on: str, hosts: int | None) -> dict[str, Variant]:
    mechanisms = parse_in_network(words, on, "nccl", hosts)
    variants = parse_variants(texts, mechanisms, "nccl")
    return {v.name: v for v in with_library(variants, baseline=False, transport="nccl")}


def test_variants_get_the_variables_that_nccl_reads_once() -> None:
    asked = _asked([], "off,on", "local", 1)
    assert {name: v.environment for name, v in asked.items()} == {
        "off": {"NCCL_NVLS_ENABLE": "0"},
        "nvls": {"NCCL_NVLS_ENABLE": "1"},
    }
    assert asked["off"].settings == {"in_network": "off"}
    across = _asked([], "off,on", "hostfile", 2)
    # What isolates SHARP is NCCL as it is, which may use NVLink's switches on both sides.
    assert {name: v.environment for name, v in across.items()} == {
        "default": {},
        "off": {"NCCL_NVLS_ENABLE": "0"},
        "sharp": {"NCCL_COLLNET_ENABLE": "1"},
    }
    mine = _asked(["mine:in_network=nvls,NCCL_NVLS_ENABLE=2"], None, "local", 1)
    assert mine["mine"].environment == {"NCCL_NVLS_ENABLE": "2"}
    assert list(mine) == ["mine"]
    assert _asked([], None, "local", 1)["default"].environment == {}
    for variant in (*asked.values(), *across.values()):
        assert not [name for name in variant.environment if "NET_PLUGIN" in name]


@pytest.mark.parametrize(
    ("words", "transport", "culprit"),
    [("tree", "nccl", "tree"), ("nvls", "mpi", "nvls"), ("off,maybe", "nccl", "maybe")],
)
def test_words_of_the_other_transport_are_refused(words: str, transport: str, culprit: str) -> None:
    with pytest.raises(UsageError, match=f"'{culprit}' of transport {transport}"):
        parse_in_network(words, "hostfile", transport, 2)


def test_mechanisms_are_refused_where_they_cannot_be() -> None:
    with pytest.raises(UsageError, match="no switch between hosts"):
        refuse_where_impossible(parse_variants(["s:in_network=sharp"]), "local", "nccl")
    with pytest.raises(UsageError, match="in_network=tree"):
        refuse_where_impossible(parse_variants(["t:in_network=tree"]), "emulated", "nccl")
    refuse_where_impossible(parse_variants(["s:in_network=sharp"]), "emulated", "nccl")


def _where(**more: Any) -> Where:
    fields = {
        "on": "local", "transport": "nccl", "ranks": None, "threads": 1, "hosts": None, "rates": [],
        "leaves": None, "uplinks": [], "hostfile": None, "aggregators": None, "extra": [],
    }  # fmt: skip
    return Where(**{**fields, **more})


def test_hosts_are_counted_where_they_are_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "hosts").write_text("a slots=8\n# c\nb\na slots=8\n\n")
    monkeypatch.delenv("SLURM_JOB_NUM_NODES", raising=False)
    assert hosts_of(_where()) == 1
    assert hosts_of(_where(on="hostfile", hostfile=tmp_path / "hosts")) == 2
    assert hosts_of(_where(on="slurm")) is None
    monkeypatch.setenv("SLURM_JOB_NUM_NODES", "4")
    assert hosts_of(_where(on="slurm")) == 4


def test_a_local_run_has_a_rank_for_each_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1,5")
    assert target_of(_where(), []).ranks == 3
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert target_of(_where(), []).ranks == 1


_PROGRAMS = Programs(worker=["busbar-bench", "--threads", "4"], aggregator=[])


def test_ranks_are_counted_and_processes_started(tmp_path: Path) -> None:
    (tmp_path / "hosts").write_text("a slots=2\nb slots=2\n")
    local = target_of(_where(ranks=8, threads=4), [])
    assert (local.ranks, local.threads, local.placement()) == (8, 4, ["localhost"] * 8)
    words = local.command(_PROGRAMS, {}, 3)
    assert words[words.index("-np") + 1] == "2"
    assert "localhost:2" in words
    some = _where(on="hostfile", hostfile=tmp_path / "hosts", ranks=16, threads=4)
    words = target_of(some, []).command(_PROGRAMS, {}, 3)
    assert words[words.index("-np") + 1] == "4"


def test_srun_starts_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    words = target_of(_where(on="slurm", ranks=16, threads=4), []).command(_PROGRAMS, {}, 3)
    assert "--ntasks=4" in words


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"ranks": 6, "threads": 4}, "--threads 4 does not divide 6 ranks"),
        ({"on": "slurm", "ranks": 6, "threads": 4}, "does not divide 6 ranks"),
        ({"ranks": 4, "threads": 2, "transport": "mpi"}, "belongs to --transport nccl, not to mpi"),
        ({"ranks": 4, "threads": 2, "on": "emulated"}, "a process for every rank"),
        ({"ranks": 4, "threads": 0}, "at least 1"),
    ],
)
def test_threads_that_cannot_be_are_refused(more: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        target_of(_where(**more), [])


def test_threads_are_part_of_every_points_key() -> None:
    assert {row.key.threads for row in _plan("a:", threads=2).rows} == {2}
    assert {row.key.threads for row in _plan("a:").rows} == {1}


# Variables and files


def _engine(folder: Path, *kinds: str) -> Path:
    (folder / "bin").mkdir()
    (folder / "lib").mkdir()
    for kind in kinds:
        (folder / "lib" / f"libnccl-{kind}-busbar.so").touch()
    return folder / "bin" / "busbar-bench"


def test_every_launch_gets_our_plugins(tmp_path: Path) -> None:
    engine = _engine(tmp_path, "profiler", "tuner")
    given = nccl.common_environment(engine, [], {"HOME": "/h", "NCCL_IB_HCA": "=mlx5_0"}, set())
    expected = {
        "NCCL_PROFILER_PLUGIN": str(tmp_path / "lib" / "libnccl-profiler-busbar.so"),
        "NCCL_IB_HCA": "=mlx5_0",
        "OMPI_MCA_hwloc_base_binding_policy": "none",
    }
    assert given == expected
    assert nccl.unproven_because(given, set()) is None
    # The tuner only where a variant needs it: it would displace one that a network plugin brings.
    ring = Variant(name="ring", settings={"algorithm": "ring"}, environment={})
    tuner = {"NCCL_TUNER_PLUGIN": str(tmp_path / "lib" / "libnccl-tuner-busbar.so")}
    assert nccl.common_environment(engine, [ring], {"NCCL_IB_HCA": "=mlx5_0"}, set()) == (
        expected | tuner
    )


def test_the_users_plugin_stays_and_the_record_says_so(tmp_path: Path) -> None:
    engine = _engine(tmp_path, "profiler")
    given = nccl.common_environment(engine, [], {"NCCL_PROFILER_PLUGIN": "inspector"}, set())
    assert given["NCCL_PROFILER_PLUGIN"] == "inspector"
    assert "NCCL_TUNER_PLUGIN" not in given
    assert "NCCL_PROFILER_PLUGIN=inspector, which the user chose" in str(
        nccl.unproven_because(given, set())
    )
    configured = {"NCCL_PROFILER_PLUGIN"}
    assert "NCCL_PROFILER_PLUGIN" not in nccl.common_environment(engine, [], {}, configured)
    assert "configuration file" in str(nccl.unproven_because({}, configured))
    assert "not beside the engine" in str(nccl.unproven_because({}, set()))


def test_no_launch_has_what_a_variant_decides(tmp_path: Path) -> None:
    variants = parse_variants(["a:algorithm=ring,protocol=ll", "b:NCCL_BUFFSIZE=8", "c:channels=4"])
    exported = dict.fromkeys(["NCCL_ALGO", "NCCL_BUFFSIZE", "NCCL_MAX_CTAS", "NCCL_IB_SL"], "1")
    given = nccl.common_environment(_engine(tmp_path), variants, exported, set())
    assert {name for name in given if name.startswith("NCCL")} == {"NCCL_IB_SL"}


def test_a_file_may_not_set_what_a_variant_decides(tmp_path: Path) -> None:
    (tmp_path / ".nccl.conf").write_text("#NCCL_PROTO=LL\nNCCL_ALGO =Tree\nNCCL_IB_SL=3\n")
    (tmp_path / "nccl.conf").write_text("NCCL_NVLS_ENABLE=2\n")
    here = nccl_conf.read_here({}, etc=tmp_path, home=tmp_path)
    assert set(here) == {"NCCL_ALGO ", "NCCL_IB_SL", "NCCL_NVLS_ENABLE"}
    nccl_conf.refuse_decided(parse_variants(["a:algorithm=ring,protocol=ll"]), here)
    with pytest.raises(UsageError, match=r"NCCL_NVLS_ENABLE is set in \S+nccl.conf .*'off'") as no:
        nccl_conf.refuse_decided(parse_variants([], ["off"], "nccl"), here)
    assert no.value.message.count("\n") == 0
    chosen = tmp_path / "mine.conf"
    chosen.write_text("NCCL_DEBUG=WARN\n")
    named = nccl_conf.read_here({"NCCL_CONF_FILE": str(chosen)}, etc=tmp_path, home=tmp_path)
    assert named == {
        "NCCL_DEBUG": str(chosen), "NCCL_NVLS_ENABLE": str(tmp_path / "nccl.conf")
    }  # fmt: skip
    assert nccl_conf.names_in(None) == {}


# The log

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
