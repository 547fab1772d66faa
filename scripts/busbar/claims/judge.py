"""Holds records against a claim: by the interval over launches, row by row.

What the judge of `busbar check` found wrong with a row decides before any ratio does: of a hang or
wrong data no claim holds, and a time that it does not trust, on either side, shows nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from statistics import median

from busbar.check.gain import Gain, GainRow
from busbar.check.result import RowResult
from busbar.claims.judged import GRAVE, Judged, Measured
from busbar.claims.model import Claim, ClaimedFigure
from busbar.claims.ratio import ratio_of_independent
from busbar.errors import ExitCode
from busbar.record.evidence import asking_variants
from busbar.record.models import Run
from busbar.record.pairing import medians_by_launch, paired_ratios
from busbar.record.statistics import interval_95

__all__ = ["EXIT_CODES", "ClaimResult", "Measured", "Outcome", "Tested", "judge"]

_Value = tuple[float | None, tuple[float, float] | None]
"""Of a figure, with its 95 % interval."""

_NOTHING: _Value = (None, None)
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
class Tested:
    """One figure at one point."""

    label: str
    op: str
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
    judged = [Judged.of(one, accept_fake) for one in records]
    for one in judged:
        why = _unlike(claim, one.record.run)
        if why:
            return ClaimResult(claim, (), (f"{one.name}: {why}",))
    tested: list[Tested] = []
    missing = []
    for figure in claim.figure:
        found = list(_tests(claim, figure, judged))
        tested += found
        operations = [op for op in claim.scenario.operations if op not in {o.op for o in found}]
        if operations:
            missing.append(_missing(claim, figure, judged, operations))
    return ClaimResult(claim, tuple(tested), tuple(missing))


def _unlike(claim: Claim, run: Run) -> str:
    """Why a whole record cannot test the claim, in one sentence; else empty."""
    if claim.scenario.background and run.background is None:
        return "its run does not say that other traffic ran beside it."
    wanted = claim.scenario.scenario
    if wanted is not None and run.scenario != wanted:
        return f"its run does not say that its scenario was '{wanted}'."
    return ""


def _tests(claim: Claim, figure: ClaimedFigure, judged: Sequence[Judged]) -> Iterator[Tested]:
    first = judged[0]
    if figure.compare == "in_network":
        yield from _in_network(claim, figure, first)
    elif figure.compare == "variants":
        yield from _variants(claim, figure, first)
    elif figure.compare == "bound":
        yield from _of_bound(claim, figure, first)
    else:
        yield from _records(claim, figure, first, judged[1])


def _in_network(claim: Claim, figure: ClaimedFigure, one: Judged) -> Iterator[Tested]:
    gains = {row.key: row for row in one.result.gains}
    asking = asking_variants(one.record.run)
    rows = one.rows(claim)
    for key, row in rows.items():
        if key.variant not in asking:
            continue
        against = f"over {figure.baseline}"
        gained = gains.get(row.key) if row.key is not None else None
        gain = _chosen(gained, figure.baseline)
        if gained is None or gain is None:
            doubt = f"there is no time of {figure.baseline} by hosts beside it"
            yield _decided(figure, row, against, _NOTHING, one.doubt(row) or doubt)
            continue
        baseline = rows.get(key.model_copy(update={"variant": gain.baseline}))
        doubt = "" if gained.in_network else "it is not shown to be reduced in the network"
        doubt = one.doubt(row) or (one.doubt(baseline) if baseline else "") or doubt
        against = f"over {gain.baseline}" + (" (best)" if gain.kind == "best" else "")
        yield _decided(figure, row, against, (gain.ratio, gain.ci95), doubt)


def _chosen(row: GainRow | None, baseline: str | None) -> Gain | None:
    for gain in row.gains if row is not None else ():
        best = gain.kind == "best" and baseline == "best"
        if best or (gain.kind != "bound" and gain.baseline == baseline):
            return gain
    return None


def _variants(claim: Claim, figure: ClaimedFigure, one: Judged) -> Iterator[Tested]:
    rows = one.rows(claim)
    for key, row in rows.items():
        other = rows.get(key.model_copy(update={"variant": figure.baseline or ""}))
        if key.variant == figure.variant and (other is not None or row.verdict in GRAVE):
            ratios = paired_ratios(_times(one, other), _times(one, row))
            value = (median(ratios), interval_95(ratios)) if ratios else _NOTHING
            doubt = one.doubt(row) or (one.doubt(other) if other else "")
            yield _decided(figure, row, f"over {figure.baseline}", value, doubt)


def _of_bound(claim: Claim, figure: ClaimedFigure, one: Judged) -> Iterator[Tested]:
    if one.fabric is None:
        return
    for key, row in one.rows(claim).items():
        if key.variant == figure.variant:
            doubt = one.doubt(row) or ("" if row.bound else "its bound is not known")
            yield _decided(figure, row, "of the bound", (row.fraction, row.fraction_ci95), doubt)


def _records(
    claim: Claim, figure: ClaimedFigure, first: Judged, second: Judged
) -> Iterator[Tested]:
    others = second.rows(claim)
    for key, row in first.rows(claim).items():
        other = others.get(key)
        if key.variant == figure.variant and (other is not None or row.verdict in GRAVE):
            slow, fast = _times(second, other), _times(first, row)
            value = _NOTHING
            if slow and fast:
                value = ratio_of_independent(list(slow.values()), list(fast.values()))
            doubt = first.doubt(row) or (second.doubt(other) if other else "")
            yield _decided(figure, row, f"over {second.name}", value, doubt)


def _times(one: Judged, row: RowResult | None) -> dict[int, float]:
    """Median of each launch, us."""
    point = one.point(row)
    return {} if point is None else medians_by_launch(one.record, point)


def _decided(
    figure: ClaimedFigure, row: RowResult, against: str, value: _Value, doubt: str
) -> Tested:
    """What is known to be wrong with the row decides, then doubts, then the interval."""
    assert row.key is not None
    if row.verdict in GRAVE:
        outcome, reason = Outcome.DOES_NOT_HOLD, row.reason.rstrip(".")
    elif doubt:
        outcome, reason = Outcome.UNSURE, doubt
    else:
        outcome, reason = _by_interval(figure.at_least, value[1])
    return Tested(row.label, row.key.op, against, outcome, figure.at_least, *value, reason)


def _by_interval(at_least: float, ci95: tuple[float, float] | None) -> tuple[Outcome, str]:
    if ci95 is None or math.isnan(ci95[0]):
        return Outcome.UNSURE, _NO_INTERVAL
    low, high = ci95
    if low >= at_least:
        return Outcome.HOLDS, ""
    if high < at_least:
        return Outcome.DOES_NOT_HOLD, ""
    return Outcome.UNSURE, "the interval contains the figure: more launches would tell"


def _missing(
    claim: Claim, figure: ClaimedFigure, judged: Iterable[Judged], operations: list[str]
) -> str:
    """What the records lack, in one sentence."""
    names = " and ".join(one.name for one in judged)
    what = claim.scenario.model_copy(update={"operations": operations}).sentence()
    if figure.compare == "bound" and any(one.fabric is None for one in judged):
        return f"{names} names no fabric, and without one there is no bound: give it with --fabric."
    under = {
        "in_network": f"reduced in the network beside {figure.baseline or ''} by hosts",
        "variants": f"under both variants {figure.variant} and {figure.baseline}",
        "bound": f"under variant {figure.variant}, with a bound on its fabric",
        "records": f"under variant {figure.variant}, the same in both",
    }[figure.compare]
    return f"{names} has no {what}, {under}."
