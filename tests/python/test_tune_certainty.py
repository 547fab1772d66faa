"""When a gain is believed in virtual time, where nothing varies, and what has no meaning there."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

import factories
from busbar.commands.tune_target import refuse_in_vain, space_name_of, space_of
from busbar.errors import UsageError
from busbar.launch.engine import Engine
from busbar.launch.options import MeasureOptions
from busbar.launch.target import Local
from busbar.record.models import RunRecord
from busbar.simulate import FIRST_CALL, NO_WARMUP
from busbar.tune.bench import BenchSettings, LiveBench
from busbar.tune.candidate import DEFAULT, Candidate
from busbar.tune.certainty import InVirtualTime, OverLaunches, Pairing
from busbar.tune.conclude import conclude
from busbar.tune.find import Found
from busbar.tune.memory import objection
from busbar.tune.points import TunePoint
from busbar.tune.prove import proof_plan
from busbar.tune.search import PointSearch
from busbar.tune.space import load_space
from busbar.tune.strategies import STRATEGIES
from factories import MIB, Row

VIRTUAL = InVirtualTime(several_on_a_host=False)
RING = Candidate.of({"smpi/allreduce": "lr"})


def pairing(default_us: float, tuned_us: float, search_us: tuple[float, float] | None) -> Pairing:
    return Pairing(default_us, tuned_us, [default_us / tuned_us], search_us)


def test_one_launch_is_enough_where_it_repeats_the_search_exactly() -> None:
    judged = VIRTUAL.judge(pairing(844.865, 601.207, (844.865, 601.207)), 1000)
    assert judged.proven and judged.interval is None
    assert judged.why == "1.405 times as fast, exactly as in the search"


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (pairing(100.0, 50.0, (100.0, 50.001)), "the search 100.0 and 50.001: virtual time"),
        (pairing(100.0, 50.0, None), "something has changed"),
        (pairing(100.0, 99.5, (100.0, 99.5)), "not worth a setting"),
        (pairing(100.0, 120.0, (100.0, 120.0)), "not worth a setting"),
    ],
)
def test_everything_else_stays_default(found: Pairing, why: str) -> None:
    judged = VIRTUAL.judge(found, 1)
    assert not judged.proven and why in judged.why


def test_one_launch_of_real_time_proves_nothing() -> None:
    judged = OverLaunches().judge(pairing(100.0, 50.0, (100.0, 50.0)), 1)
    assert not judged.proven and "5 are needed" in judged.why


def searched() -> PointSearch:
    point = TunePoint(factories.point_key("all_reduce", MIB, nodes=None), 1.0)
    space = load_space("simulated").of_calls("all_reduce", 4)
    return PointSearch(point, space, STRATEGIES["halving"], finished=True)


def proof(ring_share: float) -> RunRecord:
    rows = [
        Row("all_reduce", MIB, 0.4, spread=0.0),
        Row("all_reduce", MIB, ring_share, "all_reduce algorithm=lr", spread=0.0),
    ]
    return factories.record_of(rows, launches=1)


def times(record: RunRecord) -> dict[str, float]:
    return {p.key.variant: p.time_us.median for p in record.points if p.time_us is not None}


@pytest.mark.parametrize("as_before", [True, False])
def test_the_search_goes_along_to_the_proof(as_before: bool) -> None:
    record, one = proof(0.5), searched()
    found = times(record)
    ring_us = found["all_reduce algorithm=lr"]
    one.history.tell({DEFAULT: [found["default"]], RING: [ring_us + (0 if as_before else 0.001)]})
    contests = Found([one]).contests()
    assert contests[0].search_us == one.times_us(RING)
    concluded = conclude([one], contests, record, VIRTUAL)
    (choice,) = concluded.choices
    assert choice.tried == RING.settings
    assert choice.settings == (RING.settings if as_before else {})
    assert choice.gain_interval is None and concluded.total_interval is None
    assert (concluded.total_gain is not None) == as_before


def test_the_proof_is_one_sample_of_one_launch() -> None:
    stopping, warmup = VIRTUAL.proof(2.0)
    how = MeasureOptions(
        variants=[], launches=VIRTUAL.launches, stopping=stopping, warmup=warmup, rest_us=0.0,
        deadline_seconds=60.0, init_deadline_seconds=60.0, seed=1, observe="none",
    )  # fmt: skip
    plan = proof_plan([], how)
    assert plan.launches == 1
    assert plan.stopping is not None and plan.stopping.max_samples == 1
    assert plan.warmup == VIRTUAL.warmup == NO_WARMUP
    assert InVirtualTime(several_on_a_host=True).warmup == FIRST_CALL


def test_what_this_machine_has_no_memory_for_is_not_simulated() -> None:
    space = load_space("simulated")
    doubling = Candidate.of({"smpi/allreduce": "rdb"})
    assert space.vectors("all_reduce", doubling) == 1
    assert space.vectors("all_reduce", RING) == space.vectors("all_reduce", DEFAULT) == 0
    assert space.vectors("reduce_scatter", doubling) == 0
    free_bytes = 16 << 30
    assert objection(1, 16 * MIB, 512, free_bytes) is None
    why = objection(1, 16 * MIB, 1024, free_bytes)
    assert why == ("its ranks keep 17.2 GB of vectors, and this machine has 17.2 GB of memory left")
    assert objection(0, 16 * MIB, 1024, 1) is None


def test_what_cannot_be_tried_is_left_out_unseen() -> None:
    one = searched()

    def start() -> Engine:
        raise AssertionError("no launch is needed")

    settings = BenchSettings(
        start=start, target=Local(4), warmup=NO_WARMUP, rest_us=0.0, deadline_seconds=60.0, seed=1,
        meet=lambda _: None, objection=lambda _, candidate: f"no room for {candidate.name}",
    )  # fmt: skip
    seen = LiveBench(settings).measure(one.point, [RING], 1, 1.0)
    assert seen.failed == {RING: "no room for smpi/allreduce=lr"} and not seen.times_us


def given(**more: object) -> Mapping[str, object]:
    empty = dict.fromkeys(("nodes", "launches", "max_seconds", "processes", "max_ctas", "space"))
    return {**empty, "on": "simulated", "transport": "mpi", **more}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (given(launches=5), "--launches has no meaning with --on simulated"),
        (given(max_seconds=1.0), "--max-seconds has no meaning"),
        (given(processes=False), "--processes has no meaning"),
        (given(max_ctas=8), "--max-ctas has no meaning"),
        (given(on="local", nodes=8), "--nodes belongs to --on simulated, not to --on local"),
        (given(on="local", launches=4), "--launches 4: accepted is 5 or more"),
    ],
)
def test_options_that_change_nothing_are_refused(options: Mapping[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        refuse_in_vain(options)


def test_the_space_is_that_of_the_hosts() -> None:
    refuse_in_vain(given(nodes=8))
    assert space_of(given()) == load_space("simulated")
    assert space_name_of(given()) == "simulated"
    assert space_of(given(space="tree")) == load_space("tree")
    assert space_of(given(on="local")) == load_space("mpi")
    assert space_name_of(given(on="local")) is None
    for options, said in (
        (given(space="mpi"), "--space mpi has no meaning with --on simulated; accepted: simulated"),
        (given(space="simulated", on="local"), "accepted: mpi, tree"),
        (given(space="nccl"), "belongs to --transport nccl"),
    ):
        with pytest.raises(UsageError, match=said):
            space_of(options)
