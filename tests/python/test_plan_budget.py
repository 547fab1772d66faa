"""Launches and samples fit the seconds there are, on made-up figures."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plan_places import measure, placement, situation

from busbar.cli import run_command_line
from busbar.launch.plans.budget import Cost, Effort, Work, fit, least_effort
from busbar.launch.plans.document import PLANS, BlockLimits, Launches
from busbar.launch.plans.groups import THINNINGS
from busbar.launch.plans.probe import Figures
from busbar.launch.plans.rows import rows_of
from busbar.launch.slots import Done, make_slots, visits_of
from busbar.record.models import Plan, PointKey, Variant, Warmup
from factories import point_key

SECONDS = st.floats(1e-6, 30.0)
WORKS = st.builds(
    Work,
    blocks=st.lists(st.builds(Cost, SECONDS, SECONDS), min_size=1, max_size=12),
    environments=st.integers(1, 3),
    start_s=SECONDS,
    observing=st.integers(0, 4),
)
LAUNCHES = st.tuples(st.integers(2, 4), st.integers(0, 5)).map(
    lambda pair: Launches(least=pair[0], wanted=pair[0] + pair[1])
)
BLOCKS = st.tuples(st.integers(1, 6), st.integers(0, 60), st.floats(0.01, 5.0)).map(
    lambda t: BlockLimits(least_samples=t[0], most_samples=t[0] + t[1], most_seconds=t[2])
)


@settings(deadline=None)
@given(WORKS, LAUNCHES, BLOCKS, st.floats(0.0, 3000.0))
def test_what_is_chosen_fits_and_no_more_would(
    work: Work, launches: Launches, block: BlockLimits, seconds: float
) -> None:
    least = least_effort(work, launches, block)
    effort = fit(work, seconds, launches, block)
    if effort is None:
        assert work.seconds(least) > seconds
        return
    assert work.seconds(effort) <= seconds
    assert launches.least <= effort.launches <= launches.wanted
    assert block.least_samples <= effort.samples <= block.most_samples
    # Launches come first, then samples.
    if effort.launches < launches.wanted:
        more = Effort(effort.launches + 1, block.least_samples, effort.most_seconds)
        assert work.seconds(more) > seconds
    if effort.samples < block.most_samples:
        more = Effort(effort.launches, effort.samples + 1, effort.most_seconds)
        assert work.seconds(more) > seconds


@settings(deadline=None)
@given(WORKS, LAUNCHES, BLOCKS)
def test_without_a_limit_everything_is_as_wanted(
    work: Work, launches: Launches, block: BlockLimits
) -> None:
    effort = fit(work, float("inf"), launches, block)
    assert effort is not None
    assert (effort.launches, effort.samples) == (launches.wanted, block.most_samples)


@settings(deadline=None)
@given(WORKS, LAUNCHES, BLOCKS)
def test_the_slowest_point_has_time_for_its_least_samples(
    work: Work, launches: Launches, block: BlockLimits
) -> None:
    effort = least_effort(work, launches, block)
    slowest = max(cost.sample_s for cost in work.blocks)
    assert effort.most_seconds >= block.least_samples * slowest
    assert effort.most_seconds >= block.most_seconds


def _key(size_bytes: int, op: str = "all_reduce", variant: str = "default") -> PointKey:
    return point_key(op, size_bytes, variant, nodes=None)


def test_a_block_between_two_sizes_costs_what_lies_between() -> None:
    figures = Figures(1.0, Warmup(min_samples=2, min_seconds=0.0), rest_us=0.0)
    figures.put(_key(1000), visit_s=0.1, time_us=1e4, executions=3)
    figures.put(_key(3000), visit_s=0.3, time_us=3e4, executions=3)
    middle = figures.cost(_key(2000))
    assert middle.sample_s == pytest.approx(0.02)
    assert middle.set_up_s == pytest.approx(0.5 * (0.07 + 0.02 + 0.21 + 0.06))
    # A variant of another environment was not visited: its operation stands for it.
    assert figures.cost(_key(3000, variant="sharp")) == figures.cost(_key(3000))
    assert figures.cost(_key(3000, op="send_recv")).sample_s == pytest.approx(0.03)


def test_who_looks_on_is_few_where_a_plan_has_many_groups() -> None:
    document = PLANS.load("acceptance")
    here = situation(document, placement(8, 1))
    stages = rows_of(document, here, THINNINGS[0])
    how = measure()
    plan = Plan(
        rows=[row for one in stages for row in one.rows], variants=list(here.names.variants),
        launches=2, stopping=how.stopping, warmup=how.warmup, rest_us=0.0, deadline_seconds=10.0,
    )  # fmt: skip
    seen = [
        visit
        for slot in make_slots(plan, 1, "widest", {})
        if slot.purpose == "observe"
        for visit in visits_of(slot, plan, Done(), 1)
    ]
    names = {variant.name: variant for variant in plan.variants}
    assert isinstance(names["in_network"], Variant)
    groups = {(v.key.op, v.key.variant, v.key.group.name) for v in seen}
    assert groups == {
        ("all_reduce", "default", "all"), ("all_to_all", "default", "all"),
        ("send_recv", "default", "all"), ("all_reduce", "in_network", "all"),
        ("all_reduce", "in_network", "first 2 hosts"),
        ("all_reduce", "in_network", "first 4 hosts"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "culprit"),
    [
        (["--plan", "nonsense"], "nonsense"),
        (["--plan", "acceptance", "all_reduce"], "operations"),
        (["--plan", "acceptance", "-e", "4M"], "-e"),
        (["--plan", "acceptance", "--launches", "3"], "--launches"),
        (["--plan", "acceptance", "--budget", "0"], "--budget 0"),
        (["--plan", "acceptance", "--observe", "some"], "some"),
        (["all_reduce", "--budget", "30"], "--budget"),
        (["all_reduce", "--dry-run"], "--dry-run"),
    ],
)
def test_what_does_not_go_with_a_plan_is_named(
    arguments: list[str], culprit: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command_line(["run", *arguments]) == 2
    (sentence,) = capsys.readouterr().err.splitlines()
    assert culprit in sentence
