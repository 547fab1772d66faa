"""Checks a record against a fabric: every planned row, and every row that was measured."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from busbar.check.compare import compared
from busbar.check.counters import counter_rows
from busbar.check.coverage import coverage, whole_system
from busbar.check.findings import findings
from busbar.check.gain import gains
from busbar.check.label import distinct
from busbar.check.measured import measured
from busbar.check.requested import network_plugins_differ
from busbar.check.result import CheckResult, RowResult, Verdict
from busbar.check.rows import judged_rows
from busbar.check.settle import settled, to_settle
from busbar.check.thresholds import DEFAULT, Thresholds, changes
from busbar.errors import UsageError
from busbar.fabrics.model import Fabric, Limit
from busbar.pairs.rounds import PAIR_OPERATION
from busbar.pairs.sites import Sites, of_fabric
from busbar.record.evidence import asking_variants
from busbar.record.models import Run, RunRecord
from busbar.record.origin import imported_from, imported_sentence, not_real


def check(
    record: RunRecord,
    fabric: Fabric,
    limits: Sequence[Limit] | None = None,
    *,
    thresholds: Thresholds = DEFAULT,
    accept_fake: bool = False,
    sites: Sites | None = None,
) -> CheckResult:
    """The verdict on a record; `limits` default to the fabric's own, `sites` to its leaves.

    Raises UsageError for a record of figures that nothing measured (unless `accept_fake`, for
    tests), and for one that ran on hosts the fabric does not have.
    """
    if record.run.fake and not accept_fake:
        raise UsageError(
            f"run '{record.run.id}' is marked fake, nothing measured it: accepted are records of "
            "real, emulated or simulated runs."
        )
    chosen = fabric.limits if limits is None else limits
    alone = judged_rows(record, fabric, chosen, thresholds)
    rows = compared(alone, measured(record, alone), thresholds)
    rows = (*_told_apart(rows), *whole_system(record, fabric), *_unfinished(record.run))
    result = CheckResult(
        _title(record, fabric),
        (*_notes(record, fabric), *changes(thresholds)),
        tuple(replace(row, settle=settled(record, row)) for row in rows),
        gains(record, fabric),
        findings(record),
        counters=counter_rows(record, fabric.counters),
        settle=to_settle(record, rows),
        not_real=not_real(record.run),
    )
    return _with_pairs(result, record, of_fabric(fabric) if sites is None else sites)


def _told_apart(rows: Sequence[RowResult]) -> Iterator[RowResult]:
    """The same with ranks in the names of rows that would have one name."""
    named = Counter(row.label for row in rows)
    for row in rows:
        if row.key is not None and named[row.label] > 1:
            row = replace(row, label=f"{row.label} {distinct(row.key)}")
        yield row


def _with_pairs(result: CheckResult, record: RunRecord, sites: Sites) -> CheckResult:
    """The same with what pairs say, where there are any."""
    if not any(point.key.op == PAIR_OPERATION for point in record.points):
        return result
    # NumPy takes a while to load: only for those who need it.
    from busbar.check.pairs import blames, pair_findings, pair_notes, pair_rows

    found = blames(record, sites)
    return replace(
        result,
        notes=(*result.notes, *pair_notes(found)),
        findings=(*pair_findings(found), *result.findings),
        pairs=pair_rows(found),
        blames=found,
    )


def _unfinished(run: Run) -> Iterator[RowResult]:
    """A row of its own for what a run that did not come to its end still owed."""
    if run.status != "complete":
        reason = f"The run is marked {run.status}, not complete: what is there is not all of it."
        yield RowResult("run", None, Verdict.MISSING, reason)


def _title(record: RunRecord, fabric: Fabric) -> str:
    run = record.run
    unreal = not_real(run)
    what = f" ({unreal})" if unreal else ""
    what += f" (imported from {imported_from(run)})" if run.imported else ""
    return f"Run {run.id}{what} against fabric {fabric.name}"


def _notes(record: RunRecord, fabric: Fabric) -> Iterator[str]:
    run = record.run
    if run.imported:
        yield imported_sentence(run)
    if run.plan.thinned is not None:
        yield run.plan.thinned
    if run.scenario is not None:
        yield f"What was wrong with the network: {run.scenario}."
    if run.background is not None:
        yield f"Other traffic ran beside it: {run.background}."
    if run.fabric is not None and run.fabric != fabric.name:
        yield f"The run names fabric {run.fabric}, it is judged against {fabric.name}."
    if part := coverage(record, fabric):
        yield part
    if asking_variants(run) and fabric.kind == "network" and fabric.in_network is None:
        yield (
            f"Fabric {fabric.name} does not say that its switches reduce: the bounds suppose that "
            "they do, as fast as their links."
        )
    yield from network_plugins_differ(run)
