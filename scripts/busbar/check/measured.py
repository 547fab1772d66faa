"""The rows that figures compare with each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from busbar.check.claims import Claim, Kind, ratios_of_theory
from busbar.check.judge import TOLERANCE
from busbar.check.result import RowResult, Verdict
from busbar.record.key import PointKey
from busbar.record.models import RunRecord
from busbar.record.pairing import medians_by_launch

_WITHOUT_FIGURES = (
    Verdict.WRONG_DATA,
    Verdict.HANG,
    Verdict.MISSING,
    Verdict.NOT_USED,
    Verdict.WAIVED,
)


@dataclass(frozen=True)
class Measured:
    """A row whose time counts for something."""

    at: int
    """Its place among the rows."""
    key: PointKey
    by_launch: Mapping[int, float]
    """Median of each launch, us."""
    bound_us: float | None
    judged: bool
    """Whether a limit applies to it."""
    of_plan: bool = False
    """Whether a plan of stages requires it, with or without a limit."""


def measured(record: RunRecord, rows: Sequence[RowResult]) -> list[Measured]:
    """Those of the rows that have times, and ran as they were asked to."""
    points = {point.key: point for point in record.points}
    required = {
        row.key for row in record.run.plan.rows if row.stage is not None and row.need == "required"
    }
    found = []
    for at, row in enumerate(rows):
        point = points.get(row.key) if row.key is not None else None
        if point is None or row.median_us is None or row.verdict in _WITHOUT_FIGURES:
            continue
        found.append(
            Measured(
                at=at,
                key=point.key,
                by_launch=medians_by_launch(record, point),
                bound_us=row.bound.time_us if row.bound else None,
                judged=row.limit is not None,
                of_plan=point.key.planned() in required,
            )
        )
    return found


def against_theory(rows: Sequence[RowResult], found: Sequence[Measured]) -> Iterator[Claim]:
    """That a row is below its limit, for each that has one; that it beats its bound, for all."""
    for one in found:
        row, times = rows[one.at], list(one.by_launch.values())
        reference = row.reference_us
        if row.limit is not None and reference is not None:
            shares = ratios_of_theory(reference, times)
            if shares is not None:
                yield Claim(Kind.BELOW_LIMIT, one.at, shares, row.limit)
        if row.bound is not None:
            shares = ratios_of_theory(row.bound.time_us, times)
            if shares is not None:
                inverse = tuple(1 / share for share in shares)
                yield Claim(Kind.ABOVE_BOUND, one.at, inverse, 1 / (1 + TOLERANCE))
