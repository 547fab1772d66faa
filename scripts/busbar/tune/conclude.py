"""From the proof's launches to what is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from busbar.record.models import RunRecord
from busbar.record.statistics import interval_95
from busbar.tune.candidate import DEFAULT, Candidate
from busbar.tune.certainty import LEAST_GAIN, OVER_LAUNCHES, Certainty
from busbar.tune.points import TunePoint
from busbar.tune.prove import Contest, Outcome, outcomes, workload_ratios
from busbar.tune.search import PointSearch
from busbar.tune.tuned import Choice

NOTHING_FASTER = "the search found nothing that is worth a setting"


@dataclass(frozen=True)
class Conclusion:
    """What is kept, and what it gains."""

    environment: Candidate
    choices: list[Choice]
    total_gain: float | None
    total_interval: tuple[float, float] | None


def conclude(
    searches: Sequence[PointSearch],
    contests: Sequence[Contest],
    record: RunRecord | None,
    certainty: Certainty = OVER_LAUNCHES,
) -> Conclusion:
    """Keep what is proven, point by point; an environment only if it makes the whole faster.

    `record` is the proof's; None where there was nothing to prove.
    """
    points = [one.point for one in searches]
    if record is None:
        return Conclusion(DEFAULT, [_untried(one) for one in searches], None, None)
    judged = outcomes(record, contests, certainty)
    alone = {o.contest.point: o for o in judged if o.contest.environment == DEFAULT}
    under = {o.contest.point: o for o in judged if o.contest.environment != DEFAULT}
    ratios = _ratios(record, points, {p: o for p, o in alone.items() if o.proven})
    environment, chosen = DEFAULT, alone
    if under and _whole_is_faster(record, points, alone, under):
        environment = next(iter(under.values())).contest.environment
        chosen, ratios = under, _ratios(record, points, under)
    choices = [_choice(one, chosen.get(one.point), environment != DEFAULT) for one in searches]
    anything = environment != DEFAULT or any(choice.settings for choice in choices)
    if not anything or not ratios:
        return Conclusion(DEFAULT, choices, None, None)
    return Conclusion(environment, choices, median(ratios), interval_95(ratios))


def _ratios(
    record: RunRecord, points: Sequence[TunePoint], chosen: dict[TunePoint, Outcome]
) -> list[float]:
    return workload_ratios(record, points, {p: o.contest for p, o in chosen.items()})


def _whole_is_faster(
    record: RunRecord,
    points: Sequence[TunePoint],
    alone: dict[TunePoint, Outcome],
    under: dict[TunePoint, Outcome],
) -> bool:
    """Whether the workload gains by the environment beyond what it gains without it.

    A point cannot opt out of an environment, so all count, those that lose by it too.
    """
    without = _ratios(record, points, {p: o for p, o in alone.items() if o.proven})
    within = _ratios(record, points, under)
    if len(under) < len(points) or len(within) != len(without):
        return False
    more = [b / a for a, b in zip(without, within, strict=True)]
    interval = interval_95(more)
    return interval is not None and interval[0] > 1 and median(more) > LEAST_GAIN


def _choice(one: PointSearch, outcome: Outcome | None, by_environment: bool) -> Choice:
    if outcome is None:
        return _untried(one)
    kept = outcome.proven or by_environment
    tried = outcome.contest.candidate.settings
    return Choice(
        op=one.point.key.op,
        size_bytes=one.point.key.size_bytes,
        datatype=one.point.key.datatype,
        redop=one.point.key.redop,
        weight=one.point.weight,
        settings=tried if kept else {},
        tried=tried,
        default_us=outcome.default_us,
        tuned_us=outcome.tuned_us,
        gain=outcome.gain,
        gain_interval=outcome.interval,
        why=outcome.why,
    )


def _untried(one: PointSearch) -> Choice:
    estimate = one.history.estimate(DEFAULT)
    return Choice(
        op=one.point.key.op,
        size_bytes=one.point.key.size_bytes,
        datatype=one.point.key.datatype,
        redop=one.point.key.redop,
        weight=one.point.weight,
        settings={},
        tried={},
        default_us=estimate.median if estimate else 0.0,
        tuned_us=estimate.median if estimate else 0.0,
        gain=1.0,
        gain_interval=None,
        why=NOTHING_FASTER if one.finished else f"{NOTHING_FASTER} before the budget was spent",
    )
