"""The proof: winners again, in fresh launches, taking turns with the default.

A search picks the best of many short looks, and so what was lucky as well as what is good. What is
written down rests on new measurements only: five launches or more, the launch being the unit. In
virtual time one launch is all, as whoever measures again sees the same (`certainty.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from busbar.launch.options import MeasureOptions
from busbar.record.models import Plan, PlannedPoint, Point, PointKey, RunRecord, Variant
from busbar.record.pairing import medians_by_launch, paired_ratios
from busbar.tune.candidate import DEFAULT, DEFAULT_NAME, Candidate
from busbar.tune.certainty import OVER_LAUNCHES, Certainty, Pairing
from busbar.tune.points import TunePoint


@dataclass(frozen=True)
class Contest:
    """What is to be proven for one point: a candidate, in launches of an environment."""

    point: TunePoint
    candidate: Candidate
    label: str = ""
    """The candidate in short, unique for its operation."""
    environment: Candidate = DEFAULT
    search_us: tuple[float, float] | None = field(default=None, compare=False)
    """The default's time and the candidate's in the search, where it knows both."""

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


def outcomes(
    record: RunRecord, contests: Sequence[Contest], certainty: Certainty = OVER_LAUNCHES
) -> list[Outcome]:
    """One for each contest that was measured, in order; whatever is missing is not proven."""
    return [_outcome(record, contest, certainty, len(contests)) for contest in contests]


def _outcome(record: RunRecord, contest: Contest, certainty: Certainty, questions: int) -> Outcome:
    default = _point(record, Contest(contest.point, DEFAULT).key)
    own = _point(record, contest.key)
    if default is None or own is None or default.time_us is None or own.time_us is None:
        return Outcome(contest, 0, 0, 0, None, False, "it was not measured in the proof")
    for point, name in ((own, contest.variant.name), (default, "the default")):
        if point.status != "ok":
            why = f"{name} ended as {point.status} in the proof"
            return Outcome(contest, 0, 0, 0, None, False, why)
    pairing = Pairing(
        default_us=default.time_us.median,
        tuned_us=own.time_us.median,
        ratios=paired_ratios(medians_by_launch(record, default), medians_by_launch(record, own)),
        search_us=contest.search_us,
    )
    judged = certainty.judge(pairing, questions)
    return Outcome(
        contest, pairing.default_us, pairing.tuned_us, pairing.gain, judged.interval,
        judged.proven, judged.why,
    )  # fmt: skip


def _point(record: RunRecord, key: PointKey) -> Point | None:
    return next((point for point in record.points if point.key.planned() == key), None)


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
