"""What is kept after the proof: only what its launches show to be faster."""

from __future__ import annotations

import dataclasses

import pytest

import factories
from busbar.launch.options import MeasureOptions
from busbar.record.models import RunRecord, Stopping, Warmup
from busbar.tune.candidate import DEFAULT, Candidate
from busbar.tune.certainty import interval_of_mean
from busbar.tune.conclude import NOTHING_FASTER, conclude
from busbar.tune.points import TunePoint
from busbar.tune.prove import Contest, outcomes, proof_plan
from busbar.tune.search import PointSearch
from busbar.tune.space import load_space
from busbar.tune.strategies import STRATEGIES
from factories import MIB, Row

RING = Candidate.of({"coll_tuned_allreduce_algorithm": "4"})
EAGER = Candidate.of({"OMPI_MCA_btl_tcp_eager_limit": "131072"})


def searched(size: int, best: Candidate = RING, *, finished: bool = True) -> PointSearch:
    point = TunePoint(factories.point_key("all_reduce", size, nodes=None), 1.0)
    space = load_space("mpi").of_calls("all_reduce", 4)
    one = PointSearch(point, space, STRATEGIES["halving"], finished=finished)
    one.history.tell({DEFAULT: [100.0, 101.0] * 10, RING: [50.0, 51.0] * 10})
    if best == DEFAULT:
        one.history.tell({RING: [200.0] * 200})
    return one


def contest(one: PointSearch, environment: Candidate = DEFAULT) -> Contest:
    return Contest(one.point, one.best(), one.space.short_name(one.best()), environment)


def proof(gain: float, *, spread: float = 0.003, launches: int = 5, seed: int = 1) -> RunRecord:
    """Of one point at 1 MiB: the default, and a ring that is so many times as fast."""
    rows = [
        Row("all_reduce", MIB, 0.4, spread=spread),
        Row("all_reduce", MIB, 0.4 * gain, "all_reduce algorithm=4", spread=spread),
    ]
    return factories.record_of(rows, launches=launches, seed=seed)


def test_what_is_surely_faster_is_kept_with_its_interval() -> None:
    one = searched(MIB)
    found = conclude([one], [contest(one)], proof(1.3))
    (choice,) = found.choices
    assert choice.settings == RING.settings
    assert choice.gain == pytest.approx(1.3, rel=0.02)
    assert choice.gain_interval is not None and choice.gain_interval[0] > 1.2
    assert found.total_gain == pytest.approx(1.3, rel=0.02)
    assert "1.3" in choice.why and "5 launches" in choice.why


@pytest.mark.parametrize(
    ("gain", "spread", "launches", "why"),
    [
        (1.005, 0.0001, 5, "not worth a setting"),
        (1.05, 0.2, 5, "may be no gain at all"),
        (0.9, 0.003, 5, "may be no gain at all"),
        (1.5, 0.003, 4, "5 are needed"),
    ],
)
def test_everything_else_stays_default_and_says_why(
    gain: float, spread: float, launches: int, why: str
) -> None:
    one = searched(MIB)
    found = conclude([one], [contest(one)], proof(gain, spread=spread, launches=launches))
    assert found.choices[0].settings == {}
    assert found.choices[0].tried == RING.settings
    assert why in found.choices[0].why
    assert found.total_gain is None


def test_a_search_without_a_winner_keeps_the_default_without_a_proof() -> None:
    one = searched(MIB, DEFAULT)
    assert one.best() == DEFAULT
    found = conclude([one], [], None)
    assert found.choices[0].settings == {}
    assert found.choices[0].why == NOTHING_FASTER
    assert found.total_gain is None


def test_a_winner_that_the_proof_lacks_is_not_kept() -> None:
    one, other = searched(MIB), searched(4 * MIB)
    found = conclude([one, other], [contest(one), contest(other)], proof(1.3))
    assert found.choices[0].settings and not found.choices[1].settings
    assert "not measured" in found.choices[1].why


def test_wrong_data_in_the_proof_is_never_kept() -> None:
    rows = [
        Row("all_reduce", MIB, 0.4),
        Row("all_reduce", MIB, 0.8, "all_reduce algorithm=4", wrong_elements=1),
    ]
    one = searched(MIB)
    found = conclude([one], [contest(one)], factories.record_of(rows))
    assert found.choices[0].settings == {}
    assert "wrong_data" in found.choices[0].why


def test_equal_things_are_hardly_ever_told_apart() -> None:
    """With 20 points and no gain anywhere, one tuning in twenty at most keeps anything."""
    point = searched(MIB)
    kept = 0
    for seed in range(200):
        judged = outcomes(proof(1.0, spread=0.02, seed=seed), [contest(point)] * 20)
        kept += judged[0].proven
    assert kept <= 3  # 0.25 expected: 200 tests at a twentieth of 5 %, one side of it


def test_the_plan_holds_each_winner_and_its_default_once() -> None:
    searches = [searched(MIB), searched(4 * MIB)]
    contests = [contest(one) for one in searches]
    how = MeasureOptions(
        variants=[], launches=5,
        stopping=Stopping(relative_ci=0.02, min_samples=10, max_samples=20, max_seconds=1.0),
        warmup=Warmup(min_samples=1, min_seconds=0.0), rest_us=0.0, deadline_seconds=60.0,
        init_deadline_seconds=60.0, seed=1, observe="none",
    )  # fmt: skip
    plan = proof_plan(contests, how)
    assert [(r.key.size_bytes, r.key.variant) for r in plan.rows] == [
        (MIB, "default"), (4 * MIB, "default"),
        (MIB, "all_reduce algorithm=4"), (4 * MIB, "all_reduce algorithm=4"),
    ]  # fmt: skip
    assert [v.name for v in plan.variants] == ["default", "all_reduce algorithm=4"]


@pytest.mark.parametrize(("more", "kept"), [(1.2, True), (1.0, False), (0.8, False)])
def test_an_environment_is_kept_only_if_the_whole_gains(more: float, kept: bool) -> None:
    one = searched(MIB)
    under = contest(one, EAGER)
    rows = [
        Row("all_reduce", MIB, 0.4),
        Row("all_reduce", MIB, 0.5, "all_reduce algorithm=4"),
        Row("all_reduce", MIB, 0.5 * more, under.variant.name),
    ]
    found = conclude([one], [contest(one), under], factories.record_of(rows))
    assert (found.environment == EAGER) == kept
    assert found.choices[0].settings == RING.settings
    assert found.total_gain == pytest.approx(1.25 * (more if kept else 1), rel=0.03)


def test_weights_decide_what_the_workload_gains() -> None:
    often = dataclasses.replace(searched(MIB).point, weight=9.0)
    one = dataclasses.replace(searched(MIB), point=often)
    other = searched(4 * MIB)
    rows = [
        Row("all_reduce", MIB, 0.4, spread=0.0),
        Row("all_reduce", MIB, 0.8, "all_reduce algorithm=4", spread=0.0),
        Row("all_reduce", 4 * MIB, 0.4, spread=0.0),
        Row("all_reduce", 4 * MIB, 0.4, "all_reduce algorithm=4", spread=0.0),
    ]
    found = conclude([one, other], [contest(one), contest(other)], factories.record_of(rows))
    small, large = (choice.default_us for choice in found.choices)
    expected = (9 * small + large) / (9 * small / 2 + large)
    assert found.total_gain == pytest.approx(expected, rel=0.01)


def test_the_interval_widens_with_the_number_of_questions() -> None:
    ratios = [1.1, 1.12, 1.09, 1.11, 1.1]
    one, many = interval_of_mean(ratios, 0.05), interval_of_mean(ratios, 0.05 / 20)
    assert one is not None and many is not None
    assert many[0] < one[0] < 1.1 < one[1] < many[1]
    assert interval_of_mean([1.1], 0.05) is None
