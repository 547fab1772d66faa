"""Plans, their slots and targets: no engine is started here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from busbar.emulate import EmulationSpec
from busbar.errors import UsageError
from busbar.launch.binary import Described, OperationInfo
from busbar.launch.in_network import parse_in_network, trees_asked
from busbar.launch.options import (
    MeasureOptions,
    SweepOptions,
    parse_splits,
    parse_variant,
    parse_variants,
)
from busbar.launch.plan import Ranks, fitting_sizes, make_plan
from busbar.launch.slots import Done, make_slots, visits_of
from busbar.launch.target import Emulated, Hostfile, Programs
from busbar.launch.where import Where, target_of
from busbar.record.models import Plan, Stopping, Warmup


def _info(name: str, **more: Any) -> OperationInfo:
    traits = {
        "summary": "", "reduces": False, "rooted": False, "in_place": False, "chunked": False,
        "has_data": True, "point_to_point": False, "min_ranks": 1, "bus_factor": 1.0,
        "in_network": name in ("all_reduce", "barrier", "broadcast"),
    }  # fmt: skip
    return OperationInfo.model_validate({"name": name, **traits, **more})


DESCRIBED = Described(
    protocol=1,
    operations=[
        _info("all_reduce", reduces=True, in_place=True),
        _info("all_gather", chunked=True),
        _info("barrier", has_data=False),
        _info("ping_pong", min_ranks=2),
        _info("broadcast", rooted=True),
    ],
    datatypes=[Described.Datatype(name="float", bytes=4)],
    redops=["sum", "max"],
    transports=["mpi", "nccl"],
)


def _measure(*variants: str, launches: int = 3) -> MeasureOptions:
    return MeasureOptions(
        variants=parse_variants(list(variants)),
        launches=launches,
        stopping=Stopping(relative_ci=0.02, min_samples=2, max_samples=5, max_seconds=1),
        warmup=Warmup(min_samples=1, min_seconds=0),
        rest_us=0,
        deadline_seconds=10,
        init_deadline_seconds=10,
        seed=1,
        observe="largest",
    )


THREE = Ranks(3, ["host1", "host2", "host3"])


def _plan(
    *variants: str,
    operations: list[str] | None = None,
    launches: int = 3,
    ranks: Ranks = THREE,
    **what: Any,
) -> Plan:
    sweep = SweepOptions(operations or ["all_reduce"], min_bytes=8, max_bytes=64, **what)
    return make_plan(sweep, _measure(*variants, launches=launches), DESCRIBED, ranks, "mpi")


def test_sizes_are_raised_to_what_the_operation_can_carry() -> None:
    what = SweepOptions(operations=["all_gather"], min_bytes=8, max_bytes=64)
    assert fitting_sizes(DESCRIBED.operation("all_gather"), what, 4, 3) == [12, 24, 36, 72]
    assert fitting_sizes(DESCRIBED.operation("all_reduce"), what, 4, 3) == [8, 16, 32, 64]
    assert fitting_sizes(DESCRIBED.operation("barrier"), what, 4, 3) == [0]


@given(st.integers(1, 5000), st.integers(1, 64), st.sampled_from([1, 2, 4, 8]), st.integers(0, 20))
def test_raised_sizes_fit_and_none_is_lost(least: int, ranks: int, element: int, more: int) -> None:
    info = _info("x", chunked=True)
    sizes = fitting_sizes(info, SweepOptions(["x"], least, least << more), element, ranks)
    unit = element * ranks
    assert all(size % unit == 0 and size > 0 for size in sizes)
    assert sizes == sorted(set(sizes))
    for k in range(more + 1):
        assert any((least << k) <= size < (least << k) + unit for size in sizes)


def test_the_plan_has_every_point_under_every_variant() -> None:
    plan = _plan("a:", "b:schedule=portable", operations=["all_reduce", "barrier", "broadcast"])
    assert len({row.key for row in plan.rows}) == len(plan.rows) == 2 * (4 + 1 + 4)
    by_op = {row.key.op: row.key for row in plan.rows}
    assert (by_op["all_reduce"].redop, by_op["broadcast"].redop) == ("sum", None)
    assert (by_op["all_reduce"].root, by_op["broadcast"].root) == (None, 0)


@pytest.mark.parametrize(
    ("text", "settings", "environment"),
    [
        ("default", {}, {}),
        ("default:", {}, {}),
        ("ring:coll_tuned_allreduce_algorithm=4", {"coll_tuned_allreduce_algorithm": "4"}, {}),
        ("x:UCX_TLS=tcp,schedule=native", {"schedule": "native"}, {"UCX_TLS": "tcp"}),
        ("x:OMPI_MCA_btl=self", {}, {"OMPI_MCA_btl": "self"}),
    ],
)
def test_variants_are_read(
    text: str, settings: dict[str, str], environment: dict[str, str]
) -> None:
    variant = parse_variant(text)
    assert (variant.settings, variant.environment) == (settings, environment)


@pytest.mark.parametrize("texts", [["x:y"], ["x:=1"], [":a=1"], ["a", "a"], ["x:PATH=1"]])
def test_bad_variants_are_refused(texts: list[str]) -> None:
    with pytest.raises(UsageError):
        parse_variants(texts)


def test_environments_are_interleaved_and_share_rounds() -> None:
    plan = _plan("a:", "b:schedule=native", "c:UCX_TLS=tcp", launches=4)
    slots = make_slots(plan, 1, "none", {})
    assert [slot.round for slot in slots] == [0, 0, 1, 1, 2, 2, 3, 3]
    for k in range(4):
        names = [{v.name for v in slot.variants} for slot in slots if slot.round == k]
        assert sorted(map(sorted, names)) == [["a", "b"], ["c"]]
    orders = {tuple(slot.variants[0].name for slot in slots if slot.round == k) for k in range(4)}
    assert len(orders) == 2, "one order throughout would let drift hit one side"


def test_what_is_done_is_not_owed_again() -> None:
    plan = _plan("a:", "b:schedule=native")
    first = make_slots(plan, 1, "none", {})[0]
    done = Done()
    owed = visits_of(first, plan, done, 1)
    assert sum(len(visit.variants) for visit in owed) == len(plan.rows)
    assert visits_of(first, plan, done, 1) == owed, "the order must not change between two starts"
    done.blocks.add((first.index, plan.rows[0].key))
    done.hopeless.add(plan.rows[3].key)
    left = {
        visit.key.model_copy(update={"variant": v.name})
        for visit in visits_of(first, plan, done, 1)
        for v in visit.variants
    }
    assert left == {row.key for row in plan.rows} - {plan.rows[0].key, plan.rows[3].key}


def test_an_observing_launch_visits_the_largest_size_of_one_variant() -> None:
    plan = _plan("a:", "b:schedule=native")
    observing = [s for s in make_slots(plan, 1, "largest", {"X": "1"}) if s.purpose == "observe"]
    assert [[v.name for v in slot.variants] for slot in observing] == [["a"], ["b"]]
    for slot in observing:
        (visit,) = visits_of(slot, plan, Done(), 1)
        assert visit.key.size_bytes == 64
        assert slot.environment == {"X": "1"}


def test_every_size_is_observed_where_the_library_chooses_what_the_switches_do() -> None:
    plan = _plan("a:", "s:in_network=sharp,HCOLL_ENABLE_SHARP=3")
    slots = make_slots(plan, 1, "largest", {"X": "1"})
    (slot,) = [s for s in slots if s.purpose == "observe" and s.variants[0].name == "s"]
    assert len(visits_of(slot, plan, Done(), 1)) == 4
    assert slot.environment == {"X": "1", "HCOLL_ENABLE_SHARP": "3", "UCC_COLL_TRACE": "INFO"}
    for timed in slots:
        assert timed.purpose == "observe" or "UCC_COLL_TRACE" not in timed.environment


def test_points_are_planned_on_the_first_hosts_as_well() -> None:
    ranks = Ranks(6, ["a", "a", "b", "b", "c", "c"])
    plan = _plan(operations=["all_gather"], ranks=ranks, nodes=[1, 2, 3])
    sizes: dict[tuple[str, str], list[int]] = {}
    for row in plan.rows:
        group = row.key.group
        sizes.setdefault((group.name, group.ranks), []).append(row.key.size_bytes)
    assert sizes == {
        ("first host", "0-1"): [8, 16, 32, 64],
        ("first 2 hosts", "0-3"): [16, 32, 64],
        ("all", "0-5"): [24, 48, 72],
    }


@pytest.mark.parametrize(
    ("ranks", "what", "culprit"),
    [
        (Ranks(3), {"nodes": [2]}, "known before the launch"),
        (THREE, {"nodes": [2, 4]}, "1 to 3 hosts"),
        (THREE, {"nodes": [1, 2], "operations": ["ping_pong"]}, "group 'first host' has 1"),
        (THREE, {"nodes": [2], "operations": ["broadcast"], "root": 2}, "first 2 hosts"),
        (THREE, {"operations": ["broadcast"], "root": 3}, "0 to 2"),
    ],
)
def test_groups_that_cannot_be_are_refused(ranks: Ranks, what: Any, culprit: str) -> None:
    with pytest.raises(UsageError, match=culprit):
        _plan(ranks=ranks, **what)


def test_a_split_has_sizes_of_one_communicator() -> None:
    ranks = Ranks(6, ["a", "a", "b", "b", "c", "c"])
    plan = _plan(operations=["all_gather"], ranks=ranks, splits=[None, "node", "index"])
    sizes: dict[tuple[str, str | None], list[int]] = {}
    for row in plan.rows:
        group = row.key.group
        assert group.ranks == "0-5" and group.parts is None
        sizes.setdefault((group.name, group.split), []).append(row.key.size_bytes)
    assert sizes == {
        ("all", None): [24, 48, 72],
        ("all, split by node", "node"): [8, 16, 32, 64],
        ("all, split by index", "index"): [12, 24, 36, 72],
    }


def test_splits_that_cannot_be_are_refused() -> None:
    assert parse_splits("none, index,none") == [None, "index"]
    with pytest.raises(UsageError, match="unknown --split 'rack'"):
        parse_splits("node,rack")
    with pytest.raises(UsageError, match="as many ranks on every host"):
        _plan(ranks=Ranks(3, ["a", "a", "b"]), splits=["node"])
    with pytest.raises(UsageError, match="split by node' has 1"):
        _plan(ranks=Ranks(2, ["a", "b"]), splits=["node"], operations=["ping_pong"])


def test_what_no_tree_carries_is_waived_and_not_visited() -> None:
    plan = _plan("a:", "tree:in_network=tree", operations=["all_reduce", "all_gather"])
    waived = {(row.key.op, row.key.variant) for row in plan.rows if row.need == "waived"}
    assert waived == {("all_gather", "tree")}
    (slot, *_) = make_slots(plan, 1, "none", {})
    visited = {
        (visit.key.op, v.name) for visit in visits_of(slot, plan, Done(), 1) for v in visit.variants
    }
    assert visited == {("all_reduce", "a"), ("all_reduce", "tree"), ("all_gather", "a")}
    with pytest.raises(UsageError, match="nothing to measure"):
        _plan("tree:in_network=tree", operations=["all_gather"])


def test_in_network_adds_a_variant_beside_those_given() -> None:
    def names(texts: list[str], words: str, on: str) -> list[str]:
        return [v.name for v in parse_variants(texts, parse_in_network(words, on))]

    assert names([], "off", "emulated") == ["default"]
    assert names([], "off,on", "emulated") == ["default", "in_network"]
    assert names([], "on", "emulated") == ["in_network"]
    assert names(["ring:x=4"], "off,tree,on", "emulated") == ["ring", "in_network"]
    assert names([], "off,on", "slurm") == ["default", "sharp"]
    with pytest.raises(UsageError, match="maybe"):
        parse_in_network("off,maybe", "emulated")
    with pytest.raises(UsageError, match="in_network"):
        names(["in_network:"], "on", "emulated")


def test_the_deepest_request_says_how_many_trees_there_are() -> None:
    def trees(*texts: str) -> int:
        return trees_asked(parse_variants(list(texts)))

    assert trees("a:", "b:in_network=off") == 0
    assert trees("a:in_network=tree", "b:in_network=tree,in_network_trees=3") == 3
    with pytest.raises(UsageError, match="in_network_trees=none"):
        trees("a:in_network=tree,in_network_trees=none")


def _where(on: str, **more: Any) -> Where:
    empty = {
        "ranks": 4, "threads": 1, "hosts": None, "rates": [], "leaves": None, "uplinks": [],
        "hostfile": None, "aggregators": None, "extra": [], "transport": "mpi",
    }  # fmt: skip
    return Where(on=on, **{**empty, **more})


@pytest.mark.parametrize(
    ("variant", "where", "culprit"),
    [
        ("a:in_network=tree", _where("local"), "no network"),
        ("a:in_network=tree", _where("slurm"), "srun"),
        ("a:in_network=sharp", _where("emulated"), "SHARP"),
        ("a:in_network=yes", _where("emulated"), "in_network=yes"),
        ("a:in_network=tree", _where("hostfile", hostfile="h"), "--aggregators"),
        ("a:", _where("hostfile", hostfile="h", aggregators="x"), "--in-network tree"),
        ("a:", _where("slurm", aggregators="x"), "--aggregators"),
        ("a:", _where("slurm", leaves=2), "--leaves"),
        ("a:", _where("emulated", leaves=2), "uplink"),
    ],
)
def test_mechanisms_are_refused_where_they_are_not(
    variant: str, where: Where, culprit: str
) -> None:
    with pytest.raises(UsageError, match=culprit) as refused:
        target_of(where, parse_variants([variant]))
    assert refused.value.message.count("\n") == 0


PROGRAMS = Programs(worker=["bench", "--serve"], aggregator=["bench", "--role", "aggregator"])


def test_aggregators_are_launched_beside_the_workers() -> None:
    spec = EmulationSpec(hosts=4, leaves=2, uplink_bps=800_000_000, aggregators=2)
    target = Emulated(spec)
    words = target.command(PROGRAMS, {"UCX_TLS": "tcp", "OMPI_MCA_x": "1"}, 0)
    mpirun = words[words.index(next(word for word in words if word.endswith("mpirun"))) :]
    colon = mpirun.index(":")
    workers, aggregators = mpirun[:colon], mpirun[colon + 1 :]
    for side, program in ((workers, PROGRAMS.worker), (aggregators, PROGRAMS.aggregator)):
        begin = side.index("bench")
        assert side[begin : begin + len(program)] == program
        assert side.count("--tree") == 2
        assert "UCX_TLS=tcp" in side, "-x holds for one program only"
    assert workers[workers.index("-np") + 1] == "4"
    assert aggregators[aggregators.index("-np") + 1] == "6"
    assert "x" not in aggregators, "mpirun refuses a setting that is given twice"
    assert len(target.aggregator_hosts()) == 6
    assert target.ranks == 4
    assert ":" not in Emulated(EmulationSpec(hosts=2)).command(PROGRAMS, {}, 0)


def test_a_hostfile_run_reduces_on_the_hosts_that_are_named(tmp_path: Path) -> None:
    file = tmp_path / "hosts"
    file.write_text("a\nb\n")
    where = _where("hostfile", ranks=2, hostfile=file, aggregators="c,d,c")
    target = target_of(where, parse_variants(["t:in_network=tree"]))
    assert isinstance(target, Hostfile)
    words = target.command(PROGRAMS, {"UCX_TLS": "tcp"}, 0)
    end = words[words.index(":") + 1 :]
    assert end[0] == "--hostfile"
    assert Path(end[1]).read_text() == "c slots=2\nd slots=1\n"
    assert end[2:] == ["-np", "3", "-x", "UCX_TLS=tcp", *PROGRAMS.aggregator]


def test_ucx_carries_host_memory_and_reduces_nothing_on_the_way() -> None:
    sweep = SweepOptions(["ping_pong"], min_bytes=8, max_bytes=8)
    described = DESCRIBED.model_copy(update={"transports": ["mpi", "ucx"]})
    plan = make_plan(sweep, _measure("put:method=put"), described, THREE, "ucx")
    assert {(row.key.transport, row.key.memory, row.need) for row in plan.rows} == {
        ("ucx", "host", "required")
    }
    assert parse_in_network(None, "local", "ucx") == ["off"]
    assert [v.name for v in parse_variants([], ["off"], "ucx")] == ["default"]
    with pytest.raises(UsageError, match="transport ucx reduces nothing in the network"):
        parse_in_network("off,on", "emulated", "ucx")
    with pytest.raises(UsageError, match="accepted: off"):
        target_of(_where("local", transport="ucx"), parse_variants(["a:in_network=tree"]))
