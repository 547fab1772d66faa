"""The certificate of an acceptance: every row by stage, waivers apart, and what it rests on.

It repeats what the judge says and judges nothing itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from busbar.check import CheckResult, RowResult, Verdict
from busbar.check.gain_table import gain_text
from busbar.check.label import distinct, label, manner, point_label
from busbar.check.sentence import OVERALL, verdict_sentence
from busbar.check.table import share_text
from busbar.errors import ExitCode
from busbar.fabrics import Fabric
from busbar.record.models import PlannedPoint, RunRecord, TimeStats
from busbar.report.certificate_expected import expected_times
from busbar.report.certificate_facts import Source, counters, identity, versions
from busbar.report.document import asset, busbar_version, environment
from busbar.report.fabric import fabric_view
from busbar.report.headline import Banner, banners_of, mark
from busbar.report.judge import grade_of
from busbar.report.rows import Grade, in_words
from busbar.report.system import Table, system_of
from busbar.report.text import DASH, duration, interval, size
from busbar.units import percent

_GRADES = {ExitCode.HOLDS: Grade.GOOD, ExitCode.INCOMPLETE: Grade.UNSURE}
_BEYOND = "Measured beyond the plan"
_LAUNCHES = "Launches"


@dataclass(frozen=True)
class Line:
    """A row as the page shows it."""

    word: str
    grade: Grade
    op: str
    size: str
    variant: str
    group: str
    need: str
    time: str
    interval: str
    tail: str
    """The time that one in a hundred executions exceeds, or else one in ten; empty if unknown."""
    share: str
    limit: str
    bound: str
    expected: str
    reason: str


@dataclass(frozen=True)
class StageLines:
    """The rows of a stage but for its waivers."""

    name: str
    tally: tuple[tuple[str, Grade, int], ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Waiver:
    """Rows of a stage that one fact excuses."""

    stage: str
    rows: str
    count: int
    evidence: str


@dataclass(frozen=True)
class Certificate:
    """The page before it is laid out."""

    title: str
    verdict: str
    grade: Grade
    sentence: str
    banners: tuple[Banner, ...]
    tallies: tuple[tuple[str, Grade, int], ...]
    findings: tuple[str, ...]
    notes: tuple[str, ...]
    stages: tuple[StageLines, ...]
    waivers: tuple[Waiver, ...]
    hosts: tuple[Line, ...]
    """What pairs say of hosts, leaves and paths."""
    counters: tuple[Line, ...]
    """What the fabric's limits say of error counters."""
    settle: tuple[str, ...]
    """Commands that measure what is open."""
    gains: Table


def render(result: CheckResult, record: RunRecord, fabric: Fabric, source: Source) -> str:
    """The whole page: one HTML document that needs nothing else."""
    return (
        environment()
        .get_template("certificate.html.j2")
        .render(
            view=certificate_of(result, record, fabric),
            mark=mark(banners_of(record.run)),
            identity=identity(record, fabric, source),
            versions=versions(record),
            counters=counters(record),
            system=system_of(record.run.id, record),
            fabric=fabric_view(fabric),
            busbar_version=busbar_version(),
            css=asset("report.css") + asset("certificate.css"),
        )
    )


def certificate_of(result: CheckResult, record: RunRecord, fabric: Fabric) -> Certificate:
    """What the page says of the verdicts."""
    line = _lines(record, fabric)
    every = result.every()
    return Certificate(
        title=result.title,
        verdict=OVERALL[result.exit_code],
        grade=_GRADES.get(result.exit_code, Grade.BAD),
        sentence=verdict_sentence(result),
        banners=banners_of(record.run),
        tallies=_tally(every),
        findings=result.findings,
        notes=result.notes,
        stages=tuple(_stages(result.rows, record, line)),
        waivers=tuple(_waivers(result.rows, record)),
        hosts=tuple(line(row, None) for row in result.pairs),
        counters=tuple(line(row, None) for row in result.counters),
        settle=result.settle,
        gains=_gains(result),
    )


_ToLine = Callable[[RowResult, PlannedPoint | None], Line]


def _lines(record: RunRecord, fabric: Fabric) -> _ToLine:
    expected = expected_times(record, fabric)
    tails = {point.key: _tail(point.time_us) for point in record.points}

    def line(row: RowResult, planned: PlannedPoint | None) -> Line:
        key = row.key
        return Line(
            word=in_words(row.verdict),
            grade=grade_of(row.verdict),
            op=" ".join([key.op, *manner(key)]) if key else row.label,
            size=size(key.size_bytes) if key and key.size_bytes else DASH,
            variant=key.variant if key else DASH,
            group=_group(row),
            need=planned.need if planned else DASH,
            time=duration(row.median_us),
            interval=interval(row.ci95_us),
            tail=tails.get(key, "") if key else "",
            share=DASH if row.fraction is None else share_text(row),
            limit=_limit(row),
            bound=duration(row.bound.time_us if row.bound else None),
            expected=duration(expected(key) if key else None),
            reason=row.reason,
        )

    return line


def _tail(time: TimeStats | None) -> str:
    if time is None or time.p90 is None:
        return ""
    return f"p90 {duration(time.p90)}" if time.p99 is None else f"p99 {duration(time.p99)}"


def _limit(row: RowResult) -> str:
    """In percent of the bound, or of the expected time with the share that there is of it."""
    if row.limit is None:
        return DASH
    limit = percent(row.limit).rstrip("%")
    if row.limit_of == "bound" or row.share is None:
        return limit
    return f"{limit} of expected, has {100 * row.share:.1f}"


def _group(row: RowResult) -> str:
    if row.key is None:
        return DASH
    root = "" if row.key.root in (None, 0) else f", root {row.key.root}"
    ranks = f", {distinct(row.key)}" if row.label != label(row.key) else ""
    return row.key.group.name + root + ranks


def _stages(rows: Sequence[RowResult], record: RunRecord, line: _ToLine) -> list[StageLines]:
    """Every row that is no waiver, by stage, in the order of the plan."""
    planned = {row.key: row for row in record.run.plan.rows}
    found: dict[str, list[tuple[RowResult, PlannedPoint | None]]] = {}
    for row in rows:
        if row.verdict is Verdict.WAIVED:
            continue
        own = planned.get(row.key.planned()) if row.key is not None else None
        found.setdefault(_stage_of(row, own), []).append((row, own))
    return [
        StageLines(
            name,
            _tally([row for row, _ in members]),
            tuple(line(row, own) for row, own in members),
        )
        for name, members in found.items()
    ]


def _stage_of(row: RowResult, planned: PlannedPoint | None) -> str:
    if row.key is None:
        return _LAUNCHES
    if planned is None:
        return _BEYOND
    return planned.stage or "Rows of the plan"


def _waivers(rows: Sequence[RowResult], record: RunRecord) -> list[Waiver]:
    planned = {row.key: row for row in record.run.plan.rows}
    found: dict[tuple[str, str], list[RowResult]] = {}
    for row in rows:
        if row.verdict is Verdict.WAIVED:
            own = planned.get(row.key.planned()) if row.key is not None else None
            found.setdefault((_stage_of(row, own), row.reason), []).append(row)
    return [
        Waiver(stage, _named(members), len(members), evidence)
        for (stage, evidence), members in found.items()
    ]


def _named(rows: Sequence[RowResult]) -> str:
    """`all_reduce 8, 4M (in_network)` for each operation and variant."""
    found: dict[tuple[str, str], dict[str, None]] = {}
    for row in rows:
        if row.key is not None:
            sizes = found.setdefault((row.key.op, row.key.variant), {})
            sizes[size(row.key.size_bytes)] = None
    each = [f"{op} {', '.join(sizes)} ({variant})" for (op, variant), sizes in found.items()]
    return "; ".join(each) or DASH


def _tally(rows: Sequence[RowResult]) -> tuple[tuple[str, Grade, int], ...]:
    counts = Counter(row.verdict for row in rows)
    return tuple(
        (in_words(verdict), grade_of(verdict), counts[verdict])
        for verdict in Verdict
        if counts[verdict]
    )


def _gains(result: CheckResult) -> Table:
    """What reduction in the network gained over each baseline."""
    proven = {True: "yes", False: "no", None: "not proven"}
    return ("point", "variant", "in the network", "over", "gain", "at most by the bounds"), [
        (
            point_label(row.key),
            row.key.variant,
            proven[row.in_network],
            f"{gain.baseline} (best)" if gain.kind == "best" else gain.baseline,
            gain_text(gain),
            f"{row.most.gain:.2f}" if gain.kind == "bound" and row.most else DASH,
        )
        for row in result.gains
        for gain in row.gains
    ]
