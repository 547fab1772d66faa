"""The proof: winners again, in fresh launches, taking turns with the default.

A search picks the best of many short looks, and so what was lucky as well as what is good. What is
written down rests on new measurements only: five launches or more, the launch being the unit.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median, stdev

from scipy.special import stdtrit

from busbar.launch.options import MeasureOptions
from busbar.record.models import Plan, PlannedPoint, Point, PointKey, RunRecord, Variant
from busbar.record.pairing import medians_by_launch, paired_ratios
from busbar.tune.candidate import DEFAULT, DEFAULT_NAME, Candidate
from busbar.tune.points import TunePoint

LEAST_GAIN = 1.01
"""A setting that gains less is not worth its line (Intel's mpitune keeps the default below 1 %)."""
WRONG_IN_ALL = 0.05
"""Chance that any of what is kept is no gain at all, whatever the number of points."""
LEAST_LAUNCHES = 5


@dataclass(frozen=True)
class Contest:
    """What is to be proven for one point: a candidate, in launches of an environment."""

    point: TunePoint
    candidate: Candidate
    label: str = ""
    """The candidate in short, unique for its operation."""
    environment: Candidate = DEFAULT

    @property
    def variant(self) -> Variant:
        """As the plan and the record know it."""
        named = [f"{self.point.key.op} {self.label}"] if self.candidate.values else []
        named += [self.environment.name] if self.environment.values else []
        return Variant(
            name=" ".join(named) or DEFAULT_NAME,
            settings=self.candidate.settings,
            environment=self.environment.settings,
        )

    @property
    def key(self) -> PointKey:
        """The row of the plan."""
        return self.point.key.model_copy(update={"variant": self.variant.name})


def proof_plan(contests: Sequence[Contest], how: MeasureOptions) -> Plan:
    """Every contest, and the default of its point; all of them required."""
    defaults = {c.point.key: Contest(c.point, DEFAULT) for c in contests}
    rows = dict.fromkeys(c.key for c in [*defaults.values(), *contests])
    variants = {c.variant.name: c.variant for c in [*defaults.values(), *contests]}
    return Plan(
        rows=[PlannedPoint(key=key, need="required", evidence=None) for key in rows],
        variants=list(variants.values()),
        launches=how.launches,
        stopping=how.stopping,
        warmup=how.warmup,
        rest_us=how.rest_us,
        deadline_seconds=how.deadline_seconds,
    )


@dataclass(frozen=True)
class Outcome:
    """What the launches say of one contest."""

    contest: Contest
    default_us: float
    tuned_us: float
    gain: float
    """Median over launches of the default's time over the candidate's."""
    interval: tuple[float, float] | None
    proven: bool
    why: str


def outcomes(record: RunRecord, contests: Sequence[Contest]) -> list[Outcome]:
    """One for each contest that was measured, in order; whatever is missing is not proven."""
    level = WRONG_IN_ALL / max(1, len(contests))
    return [_outcome(record, contest, level) for contest in contests]


def _outcome(record: RunRecord, contest: Contest, level: float) -> Outcome:
    default = _point(record, Contest(contest.point, DEFAULT).key)
    own = _point(record, contest.key)
    if default is None or own is None or default.time_us is None or own.time_us is None:
        return Outcome(contest, 0, 0, 0, None, False, "it was not measured in the proof")
    for point, name in ((own, contest.variant.name), (default, "the default")):
        if point.status != "ok":
            why = f"{name} ended as {point.status} in the proof"
            return Outcome(contest, 0, 0, 0, None, False, why)
    ratios = paired_ratios(medians_by_launch(record, default), medians_by_launch(record, own))
    interval = interval_of_mean(ratios, level)
    gain = median(ratios)
    proven, why = _verdict(ratios, gain, interval)
    return Outcome(contest, default.time_us.median, own.time_us.median, gain, interval, proven, why)


def _verdict(
    ratios: Sequence[float], gain: float, interval: tuple[float, float] | None
) -> tuple[bool, str]:
    if len(ratios) < LEAST_LAUNCHES or interval is None:
        return False, f"{len(ratios)} launches were measured, {LEAST_LAUNCHES} are needed"
    low, high = interval
    said = f"{gain:.3f} times as fast ({low:.3f} to {high:.3f} over {len(ratios)} launches)"
    if low <= 1:
        return False, f"{said}: it may be no gain at all"
    if gain <= LEAST_GAIN:
        return False, f"{said}: not worth a setting"
    return True, said


def _point(record: RunRecord, key: PointKey) -> Point | None:
    return next((point for point in record.points if point.key.planned() == key), None)


def interval_of_mean(ratios: Sequence[float], level: float) -> tuple[float, float] | None:
    """The interval that misses the ratio's centre with chance `level`; None below two launches.

    Student's t on the logarithms, as gains are factors.
    """
    if len(ratios) < 2 or min(ratios) <= 0:
        return None
    logarithms = [math.log(ratio) for ratio in ratios]
    reach = float(stdtrit(len(ratios) - 1, 1 - level / 2))
    half = reach * stdev(logarithms) / math.sqrt(len(ratios))
    centre = fmean(logarithms)
    return math.exp(centre - half), math.exp(centre + half)


def workload_ratios(
    record: RunRecord, points: Sequence[TunePoint], chosen: Mapping[TunePoint, Contest]
) -> list[float]:
    """The workload's time by default over that with what is chosen, of each pair of launches.

    Points without a choice take what the default takes.
    """
    before: dict[int, float] = {}
    after: dict[int, float] = {}
    for point in points:
        default = _point(record, Contest(point, DEFAULT).key)
        own = _point(record, chosen[point].key) if point in chosen else default
        if default is None or own is None:
            continue  # nothing was tried for it, so it is the same before and after
        times = medians_by_launch(record, default).values()
        others = medians_by_launch(record, own).values()
        for n, (slow, fast) in enumerate(zip(times, others, strict=False)):
            before[n] = before.get(n, 0.0) + point.weight * slow
            after[n] = after.get(n, 0.0) + point.weight * fast
    return [before[n] / after[n] for n in before if after[n] > 0]
