"""Asks theory and the judge what they say of a record, and turns it into the report's rows.

Nothing is judged here: this is the one place where the report meets `busbar.check`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from busbar import fabrics
from busbar.check import CheckResult, RowResult, Verdict, check
from busbar.check.result import JUDGED
from busbar.errors import ExitCode, UsageError
from busbar.fabrics import Fabric
from busbar.pairs.sites import Sites
from busbar.record.evidence import asking_variants
from busbar.record.models import RunRecord
from busbar.report.rows import Grade, Judged, Row, Unplaced
from busbar.report.text import slug

# Worst first.
_SEVERITY = (
    Verdict.WRONG_DATA,
    Verdict.HANG,
    Verdict.IMPOSSIBLE,
    Verdict.NOT_USED,
    Verdict.FAIL,
    Verdict.MISSING,
    Verdict.UNSURE,
    Verdict.WAIVED,
    Verdict.UNJUDGED,
    Verdict.PASS,
)
_GRADES = {
    Verdict.PASS: Grade.GOOD,
    Verdict.UNSURE: Grade.UNSURE,
    Verdict.WAIVED: Grade.NEUTRAL,
    Verdict.UNJUDGED: Grade.NEUTRAL,
}  # all others are bad
_OVERALL = {
    ExitCode.HOLDS: ("pass", Grade.GOOD),
    ExitCode.NEGATIVE: ("fail", Grade.BAD),
    ExitCode.INCOMPLETE: ("incomplete", Grade.UNSURE),
    ExitCode.HANG: ("hang", Grade.BAD),
}


def grade_of(verdict: Verdict) -> Grade:
    """What a verdict means for the reader."""
    return _GRADES.get(verdict, Grade.BAD)


def judge(
    name: str, record: RunRecord, fabric: Fabric | None, sites: Sites | None = None
) -> Judged:
    """A record with what the judge says of it.

    `sites` defaults to the fabric's leaves. Without `fabric` the one the run names is taken. If
    that cannot be used, the rows stay unjudged and a note says why: a report must come out of any
    record that can be read. Raises UsageError if the record does not fit a fabric that was asked
    for.
    """
    if fabric is not None:
        return _judged(name, record, fabric, _check(record, fabric, sites), ())
    try:
        own = fabrics.for_run(record.run)
        if own is not None:
            return _judged(name, record, own, _check(record, own, sites), ())
        notes: tuple[str, ...] = ()
    except UsageError as error:
        notes = (f"Not judged: {error.message}",)
    return _judged(name, record, None, _without_fabric(record, sites), notes)


def _check(record: RunRecord, fabric: Fabric, sites: Sites | None) -> CheckResult:
    # The page's banner says what is fake; leaving the rows out would say less.
    return check(record, fabric, accept_fake=True, sites=sites)


def _without_fabric(record: RunRecord, sites: Sites | None) -> CheckResult:
    """What the judge says with no bound to judge by: wrong data, hangs, missing rows."""
    result = _check(record, fabrics.load("local"), sites)  # the fabric that has no bounds
    rows = tuple(
        replace(row, reason="No fabric to judge against.") if _measured_unjudged(row) else row
        for row in result.rows
    )
    return replace(result, notes=(), rows=rows)


def _measured_unjudged(row: RowResult) -> bool:
    return row.verdict is Verdict.UNJUDGED and row.median_us is not None


def _judged(
    name: str,
    record: RunRecord,
    fabric: Fabric | None,
    result: CheckResult,
    notes: Sequence[str],
) -> Judged:
    needs = {planned.key: planned.need for planned in record.run.plan.rows}
    asking = asking_variants(record.run)
    rows = [
        _row(
            name,
            f"{slug(name)}-{index}",
            row,
            record,
            need=needs.get(row.key.planned(), "extra"),
            asks=row.key.variant in asking,
        )
        for index, row in enumerate(result.rows)
        if row.key is not None
    ]
    verdict, grade = _OVERALL[result.exit_code]
    if not {row.verdict for row in (*result.rows, *result.pairs)} & JUDGED:
        verdict, grade = "not judged", Grade.NEUTRAL
    return Judged(
        name=name,
        record=record,
        rows=tuple(rows),
        unplaced=tuple(
            _unplaced(row)
            for row in (*result.rows, *result.counters)
            if row.key is None and row.verdict is not Verdict.PASS
        ),
        verdict=verdict,
        grade=grade,
        fabric=fabric,
        notes=(*notes, *result.notes),
        gains=result.gains,
        blames=result.blames,
    )


def _row(
    name: str, identity: str, result: RowResult, record: RunRecord, *, need: str, asks: bool
) -> Row:
    assert result.key is not None
    share = result.fraction
    return Row(
        id=identity,
        record=name,
        key=result.key,
        point=record.point(result.key),
        need=need,
        asks=asks,
        verdict=result.verdict,
        grade=grade_of(result.verdict),
        severity=_severity(result.verdict),
        reason=result.reason,
        bound_us=result.bound.time_us if result.bound else None,
        bound_busbw_gbs=result.bound.busbw_gbs if result.bound else None,
        cut=result.bound.cut if result.bound else None,
        percent=None if share is None else 100 * share,
    )


def _unplaced(result: RowResult) -> Unplaced:
    return Unplaced(
        label=result.label,
        verdict=result.verdict,
        grade=grade_of(result.verdict),
        severity=_severity(result.verdict),
        reason=result.reason,
    )


def _severity(verdict: Verdict) -> int:
    return len(_SEVERITY) - _SEVERITY.index(verdict)
