"""Plans, slots and what a hang is told as: no engine is started here."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from busbar.emulate import EmulationSpec, RateOverride
from busbar.errors import UsageError
from busbar.launch.binary import Described, OperationInfo
from busbar.launch.engine import explain_hang
from busbar.launch.monitoring import bytes_per_peer
from busbar.launch.options import MeasureOptions, SweepOptions, parse_variant, parse_variants
from busbar.launch.plan import fitting_sizes, make_plan
from busbar.launch.slots import Done, make_slots, visits_of
from busbar.launch.target import Emulated, split_environment
from busbar.record.models import Plan, Stopping, Warmup


def _info(name: str, **more: Any) -> OperationInfo:
    traits = {
        "summary": "", "reduces": False, "rooted": False, "in_place": False, "chunked": False,
        "has_data": True, "point_to_point": False, "min_ranks": 1, "bus_factor": 1.0,
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


def _plan(*variants: str, operations: list[str] | None = None, launches: int = 3) -> Plan:
    what = SweepOptions(operations=operations or ["all_reduce"], min_bytes=8, max_bytes=64)
    return make_plan(what, _measure(*variants, launches=launches), DESCRIBED, 3, "mpi")


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


def _report(rank: int, sequence: int, phase: str = "start") -> dict[str, Any]:
    return {
        "rank": rank, "host": f"host{rank}", "sequence": sequence, "phase": phase,
        "operation": "all_reduce", "size_bytes": 8, "variant": "ring",
    }  # fmt: skip


def test_a_hang_names_who_did_not_arrive() -> None:
    behind = explain_hang("late", [_report(0, 9), _report(1, 7, "prepare"), _report(2, 9)], 3)
    assert "rank 1 (host1) did not arrive" in behind
    assert "all_reduce of 8 bytes, variant ring" in behind
    assert "prepare" in behind
    silent = explain_hang("late", [_report(0, 9), _report(2, 9)], 3)
    assert "rank 1 did not arrive" in silent
    assert "all ranks wait" in explain_hang("late", [_report(0, 9), _report(1, 9)], 2)
    assert "no rank" in explain_hang("late", [], 2)
    starting = {"rank": None, "host": "h", "sequence": 0, "phase": "init", "operation": ""}
    assert "initialisation" in explain_hang("late", [starting], 2)


def test_bytes_per_peer_are_read_from_the_librarys_report() -> None:
    said = [
        "# POINT TO POINT", "E\t0\t1\t400 bytes\t2 msgs sent\t0,0,2",
        "noiseE\t1\t0\t200 bytes\t1 msgs sent\t0,I\t1\t0\t200 bytes\t1 msgs sent\t0,",
    ]  # fmt: skip
    assert bytes_per_peer(said, ranks=2, executions=4) == [[0.0, 100.0], [100.0, 0.0]]
    assert bytes_per_peer(said[:2], ranks=2, executions=4) is None, "rank 1 did not report"
    assert bytes_per_peer([], ranks=2, executions=4) is None


def test_environment_is_split_between_mpirun_and_the_processes() -> None:
    assert split_environment({"OMPI_MCA_btl": "self", "UCX_TLS": "tcp"}) == (
        {"btl": "self"},
        {"UCX_TLS": "tcp"},
    )


def test_the_rest_lets_the_slowest_bucket_fill() -> None:
    spec = EmulationSpec(
        hosts=2, rate_bps=400_000_000, overrides=(RateOverride(host="host2", rate_bps=100_000_000),)
    )
    assert Emulated(spec).rest_us() >= spec.burst_bytes * 8 / 100
