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
from busbar.launch.options import MeasureOptions, SweepOptions, parse_variants
from busbar.launch.plan import Ranks, make_plan
from busbar.launch.slots import make_slots
from busbar.launch.target import Programs
from busbar.launch.where import Where, hosts_of, target_of
from busbar.record.models import Plan, Stopping, Variant, Warmup

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
