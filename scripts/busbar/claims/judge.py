"""Holds records against a claim: by the interval over launches, point by point.

What the judge of `busbar check` found wrong with a point (wrong data, a hang, faster than physics,
not carried out as its variant asks) decides before any ratio does.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from statistics import median

from busbar.check.check import check
from busbar.check.gain import GainRow
from busbar.check.label import label
from busbar.check.result import CheckResult, RowResult, Verdict
from busbar.check.thresholds import MAX_SPOILED_SHARE
from busbar.claims.model import Claim, ClaimedFigure
from busbar.claims.ratio import ratio_of_independent
from busbar.errors import ExitCode
from busbar.fabrics import Fabric, load
from busbar.record.evidence import asking_variants
from busbar.record.models import Point, PointKey, Run, RunRecord
from busbar.record.pairing import medians_by_launch, paired_ratios
from busbar.record.statistics import interval_95

_GRAVE = (Verdict.WRONG_DATA, Verdict.HANG)
_NO_INTERVAL = "one launch gives no interval: measure at least two, better five"


class Outcome(Enum):
    """What is said of a claim."""

    HOLDS = "HOLDS"
    DOES_NOT_HOLD = "DOES NOT HOLD"
    UNSURE = "UNSURE"
    """The interval contains the figure, or what was measured cannot be trusted."""
    NOT_TESTED = "NOT TESTED"
    """No record has the scenario."""


EXIT_CODES = {
    Outcome.HOLDS: ExitCode.HOLDS,
    Outcome.DOES_NOT_HOLD: ExitCode.NEGATIVE,
    Outcome.UNSURE: ExitCode.INCOMPLETE,
    Outcome.NOT_TESTED: ExitCode.INCOMPLETE,
}


@dataclass(frozen=True)
class Measured:
    """A record, and the fabric that it is held against."""

    name: str
    record: RunRecord
    fabric: Fabric | None


@dataclass(frozen=True)
class Tested:
    """One figure at one point."""

    label: str
    against: str
    """`over default`, `of the bound`."""
    outcome: Outcome
    at_least: float
    value: float | None
    ci95: tuple[float, float] | None
    reason: str
    """Empty where the figures say all."""


@dataclass(frozen=True)
class ClaimResult:
    """The verdict on a claim."""

    claim: Claim
    tested: tuple[Tested, ...]
    missing: tuple[str, ...]
    """Why a figure was not tested, one sentence each."""

    @property
    def outcome(self) -> Outcome:
        """The worst: a figure that surely fails, then one that was not tested, then an unsure."""
        found = {one.outcome for one in self.tested}
        if Outcome.DOES_NOT_HOLD in found:
            return Outcome.DOES_NOT_HOLD
        if self.missing or not found:
            return Outcome.NOT_TESTED
        return Outcome.UNSURE if Outcome.UNSURE in found else Outcome.HOLDS


def judge(claim: Claim, records: Sequence[Measured], *, accept_fake: bool = False) -> ClaimResult:
    """The verdict of these records; as many as the claim compares.

    Raises UsageError for a record of figures that nothing measured (unless `accept_fake`, for
    tests), or that does not fit its fabric.
    """
    judged = [_Judged.of(one, accept_fake) for one in records]
    for one in judged:
        why = _unlike(claim, one.record.run)
        if why:
            return ClaimResult(claim, (), (f"{one.name}: {why}",))
    tested: list[Tested] = []
    missing = []
    for figure in claim.figure:
        found = list(_tests(claim, figure, judged))
        tested += found
        if not found:
            missing.append(_missing(claim, figure, judged))
    return ClaimResult(claim, tuple(tested), tuple(missing))


@dataclass(frozen=True)
class _Judged:
    """A record with what `busbar check` says of it."""

    name: str
    record: RunRecord
    fabric: Fabric | None
    result: CheckResult

    @classmethod
    def of(cls, one: Measured, accept_fake: bool) -> _Judged:
        # Without a fabric, the one that has no bounds: wrong data and hangs are found all the same.
        against = one.fabric or load("local")
        result = check(one.record, against, accept_fake=accept_fake)
        return cls(one.name, one.record, one.fabric, result)

    def points(self, claim: Claim) -> Iterator[Point]:
        """Those of the claim's scenario that were timed or went wrong."""
        scenario = claim.scenario
        for point in self.record.points:
            key = point.key
            wanted = key.op in scenario.operations and scenario.has_size(key.size_bytes)
            wide = (key.group.nodes or 0) >= scenario.least_nodes
            wide = wide and key.group.size() >= scenario.least_ranks and key.group.parts is None
            carried = scenario.transports is None or key.transport in scenario.transports
            if wanted and wide and carried and point.blocks:
                yield point

    def row(self, key: PointKey) -> RowResult | None:
        return next((row for row in self.result.rows if row.key == key), None)


def _unlike(claim: Claim, run: Run) -> str:
    """Why a whole record cannot test the claim, in one sentence; else empty."""
    if claim.scenario.background and run.background is None:
        return "its run does not say that other traffic ran beside it."
    wanted = claim.scenario.scenario
    if wanted is not None and (run.scenario is None or wanted not in run.scenario):
        return f"its run does not say that its scenario was '{wanted}'."
    return ""


def _tests(claim: Claim, figure: ClaimedFigure, judged: Sequence[_Judged]) -> Iterator[Tested]:
    first = judged[0]
    if figure.compare == "in_network":
        yield from _in_network(claim, figure, first)
    elif figure.compare == "variants":
        yield from _variants(claim, figure, first)
    elif figure.compare == "bound":
        yield from _of_bound(claim, figure, first)
    else:
        yield from _records(claim, figure, first, judged[1])


def _in_network(claim: Claim, figure: ClaimedFigure, one: _Judged) -> Iterator[Tested]:
    gains = {row.key: row for row in one.result.gains}
    asking = asking_variants(one.record.run)
    for point in one.points(claim):
        row, found = gains.get(point.key), one.row(point.key)
        if row is None:
            grave = found is not None and found.verdict in _GRAVE
            if point.key.variant in asking and grave:
                yield _decided(figure, point, one, f"over {figure.baseline}", None, None)
            continue
        gain = _chosen(row, figure.baseline)
        if gain is None:
            continue
        name, value, ci95 = gain
        doubt = "" if row.in_network else "it is not shown to be reduced in the network"
        yield _decided(figure, point, one, f"over {name}", value, ci95, doubt)


def _chosen(
    row: GainRow, baseline: str | None
) -> tuple[str, float, tuple[float, float] | None] | None:
    for gain in row.gains:
        if (gain.kind == "best" and baseline == "best") or (
            gain.kind != "bound" and gain.baseline == baseline
        ):
            name = f"{gain.baseline} (best)" if gain.kind == "best" else gain.baseline
            return name, gain.ratio, gain.ci95
    return None


def _variants(claim: Claim, figure: ClaimedFigure, one: _Judged) -> Iterator[Tested]:
    points = list(one.points(claim))
    for point in points:
        if point.key.variant != figure.variant:
            continue
        key = point.key.model_copy(update={"variant": figure.baseline})
        for other in points:
            if other.key == key:
                ratios = paired_ratios(
                    medians_by_launch(one.record, other), medians_by_launch(one.record, point)
                )
                if ratios:
                    doubt = _doubt_of(other, one)
                    yield _decided(
                        figure, point, one, f"over {figure.baseline}", median(ratios),
                        interval_95(ratios), doubt,
                    )  # fmt: skip


def _of_bound(claim: Claim, figure: ClaimedFigure, one: _Judged) -> Iterator[Tested]:
    if one.fabric is None:
        return
    for point in one.points(claim):
        row = one.row(point.key)
        if point.key.variant == figure.variant and row is not None and row.fraction is not None:
            yield _decided(figure, point, one, "of the bound", row.fraction, row.fraction_ci95)


def _records(
    claim: Claim, figure: ClaimedFigure, first: _Judged, second: _Judged
) -> Iterator[Tested]:
    others = {point.key: point for point in second.points(claim)}
    for point in first.points(claim):
        # What the networks differ in may well be the transport; all else has to be the same.
        same = [o for key, o in others.items() if _comparable(key) == _comparable(point.key)]
        for other in same:
            if point.key.variant == figure.variant == other.key.variant:
                slow = list(medians_by_launch(second.record, other).values())
                fast = list(medians_by_launch(first.record, point).values())
                if slow and fast:
                    value, ci95 = ratio_of_independent(slow, fast)
                    against = f"over {second.name}"
                    doubt = _doubt_of(other, second)
                    yield _decided(figure, point, first, against, value, ci95, doubt)


def _comparable(key: PointKey) -> PointKey:
    group = key.group.model_copy(update={"nodes": None})
    return key.model_copy(update={"group": group})


def _decided(
    figure: ClaimedFigure,
    point: Point,
    one: _Judged,
    against: str,
    value: float | None,
    ci95: tuple[float, float] | None,
    doubt: str = "",
) -> Tested:
    row = one.row(point.key)
    grave = row.verdict if row is not None else None
    if grave in _GRAVE and row is not None:
        outcome, reason = Outcome.DOES_NOT_HOLD, row.reason
    elif grave in (Verdict.IMPOSSIBLE, Verdict.NOT_USED) and row is not None:
        outcome, reason = Outcome.UNSURE, row.reason
    else:
        outcome, reason = _by_interval(figure.at_least, ci95)
        doubt = doubt or _doubt_of(point, one)
        if doubt and outcome is not Outcome.UNSURE:
            outcome, reason = Outcome.UNSURE, doubt
    return Tested(label(point.key), against, outcome, figure.at_least, value, ci95, reason)


def _by_interval(at_least: float, ci95: tuple[float, float] | None) -> tuple[Outcome, str]:
    if ci95 is None or math.isnan(ci95[0]):
        return Outcome.UNSURE, _NO_INTERVAL
    low, high = ci95
    if low >= at_least:
        return Outcome.HOLDS, ""
    if high < at_least:
        return Outcome.DOES_NOT_HOLD, ""
    return Outcome.UNSURE, "the interval contains the figure: more launches would tell"


def _doubt_of(point: Point, one: _Judged) -> str:
    """Why a point's time cannot be trusted, in a clause; else empty."""
    row = one.row(point.key)
    if point.status != "ok" or point.time_us is None:
        return f"{label(point.key)} is {point.status}"
    if row is not None and row.verdict in (Verdict.IMPOSSIBLE, Verdict.NOT_USED):
        return f"{label(point.key)} is {row.verdict.value}"
    share = point.spoiled_share
    if share is not None and share > MAX_SPOILED_SHARE:
        return f"{share:.0%} of the samples of {label(point.key)} saw drops or retransmits"
    return ""


def _missing(claim: Claim, figure: ClaimedFigure, judged: Iterable[_Judged]) -> str:
    """What the records lack, in one sentence."""
    names = " and ".join(one.name for one in judged)
    what = claim.scenario.sentence()
    if figure.compare == "bound" and any(one.fabric is None for one in judged):
        return f"{names} names no fabric, and without one there is no bound: give it with --fabric."
    under = {
        "in_network": f"reduced in the network beside {figure.baseline or ''} by hosts",
        "variants": f"under both variants {figure.variant} and {figure.baseline}",
        "bound": f"under variant {figure.variant}, with a bound on its fabric",
        "records": f"under variant {figure.variant}, the same in both",
    }[figure.compare]
    return f"{names} has no {what}, {under}."
