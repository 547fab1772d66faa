"""Folds the lines of a journal into the run record."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from busbar.record.evidence import (
    expected_bytes,
    finding,
    finding_by_nvlink,
    finding_by_peers,
    with_findings,
)
from busbar.record.figures import figures
from busbar.record.key import PointKey
from busbar.record.lines import (
    BlockLine,
    EndLine,
    JournalLine,
    LaunchLine,
    ProblemLine,
    RunLine,
    SegmentLine,
)
from busbar.record.models import (
    SCHEMA_VERSION,
    Block,
    Launch,
    Observed,
    Point,
    PointWire,
    Problem,
    Run,
    RunRecord,
    Segment,
    StopReason,
    Variant,
    Wire,
)
from busbar.record.placement import placement
from busbar.record.status import status_of, verified_of


@dataclass
class _Gathered:
    """What a journal says of one key."""

    algorithm_bytes: int | None = None
    bus_factor: float | None = None
    blocks: list[Block] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def launch(self) -> int:
        """The first that came to it."""
        found: list[Block | Problem] = [*self.blocks, *self.problems]
        return min((one.launch for one in found if one.launch is not None), default=-1)


@dataclass
class _Journal:
    """A journal sorted into its kinds."""

    run: Run
    launches: dict[int, Launch] = field(default_factory=dict)
    points: dict[PointKey, _Gathered] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def fold(lines: Iterable[JournalLine]) -> RunRecord:
    """The record that the lines of a journal add up to.

    Raises ValueError when the lines contradict each other.
    """
    rest = iter(lines)
    first = next(rest, None)
    if not isinstance(first, RunLine):
        raise ValueError("the first line must be of type 'run'")
    journal = _Journal(first.run)
    for line in rest:
        _take(journal, line)
    _join_unanswered(journal)
    return RunRecord(
        schema_version=SCHEMA_VERSION,
        run=journal.run,
        # Launches at the same time write as they happen to come; their numbers are the plan's.
        launches=[journal.launches[number] for number in sorted(journal.launches)],
        points=[
            _point(key, gathered, journal)
            for key, gathered in sorted(journal.points.items(), key=lambda item: item[1].launch())
        ],
        problems=journal.problems,
    )


def _take(journal: _Journal, line: JournalLine) -> None:
    match line:
        case RunLine():
            raise ValueError("a second line of type 'run'")
        case LaunchLine():
            if line.launch in journal.launches:
                raise ValueError(f"launch {line.launch} appears twice")
            journal.launches[line.launch] = line.to_launch()
            if line.fake:
                journal.run = journal.run.model_copy(update={"fake": True})
        case BlockLine():
            _take_block(journal, line)
        case ProblemLine():
            problem = Problem(
                launch=line.launch, key=line.key, status=line.status, reason=line.reason
            )
            journal.problems.append(problem)
            if line.key is not None:
                journal.points.setdefault(line.key, _Gathered()).problems.append(problem)
        case SegmentLine():
            segment = Segment(started=line.started, fingerprint=line.fingerprint)
            update = {"segments": [*journal.run.segments, segment], "status": "running"}
            journal.run = journal.run.model_copy(update={**update, "finished": None})
        case EndLine():
            update = {"finished": line.finished, "status": line.status}
            journal.run = journal.run.model_copy(update=update)


def _take_block(journal: _Journal, line: BlockLine) -> None:
    if line.launch not in journal.launches:
        raise ValueError(f"a block names launch {line.launch}, which no line before it describes")
    gathered = journal.points.setdefault(line.key, _Gathered())
    stated = (line.algorithm_bytes, line.bus_factor)
    if gathered.blocks and stated != (gathered.algorithm_bytes, gathered.bus_factor):
        raise ValueError(
            f"blocks of {line.key.op} at {line.key.size_bytes} bytes disagree on algorithm_bytes "
            "or bus_factor"
        )
    gathered.algorithm_bytes, gathered.bus_factor = stated
    body = {name: getattr(line.block, name) for name in type(line.block).model_fields}
    gathered.blocks.append(Block(launch=line.launch, **body))


def _join_unanswered(journal: _Journal) -> None:
    """Give a problem under a planned key, of a visit that never answered, to its point."""
    for key in [k for k in journal.points if k.group.nodes is None]:
        answered = [k for k in journal.points if k != key and k.planned() == key]
        if answered and not journal.points[key].blocks:
            journal.points[answered[0]].problems += journal.points.pop(key).problems


def _point(key: PointKey, gathered: _Gathered, journal: _Journal) -> Point:
    launches = journal.launches
    # Monitoring costs time, so launches that observe say what ran, and nothing else.
    timed = [b for b in gathered.blocks if launches[b.launch].purpose == "measure"]
    found = figures(gathered.blocks, timed, gathered.algorithm_bytes, gathered.bus_factor)
    status, reason = status_of(gathered.blocks, timed, gathered.problems)
    hosts = _hosts(key, gathered.blocks, launches)
    return Point(
        key=key,
        status=status,
        reason=reason,
        stop_reason=_stop_reason(timed),
        algorithm_bytes=gathered.algorithm_bytes,
        bus_factor=gathered.bus_factor,
        blocks=gathered.blocks,
        time_us=found.time_us,
        clean_time_us=found.clean_time_us,
        spoiled_share=found.spoiled_share,
        estimators=found.estimators,
        algbw_gbs=found.algbw_gbs,
        busbw_gbs=found.busbw_gbs,
        wrong_elements=found.wrong_elements,
        checked_elements=found.checked_elements,
        verified=verified_of(gathered.blocks),
        observed=with_findings(
            _observed(gathered.blocks),
            finding(key, timed, hosts) if timed and hosts else None,
            finding_by_peers(key, gathered.blocks, launches) if hosts else None,
            gathered.blocks,
            finding_by_nvlink(key, _variant(key, journal.run), timed, hosts) if hosts else None,
        ),
        wire=_with_expected(found.wire, expected_bytes(key, hosts) if hosts else {}),
    )


def _variant(key: PointKey, run: Run) -> Variant | None:
    return next((v for v in run.plan.variants if v.name == key.variant), None)


def _stop_reason(blocks: Sequence[Block]) -> StopReason | None:
    """How the blocks ended: a limit that any of them hit before the wanted precision."""
    reasons = {b.stop_reason for b in blocks}
    worst_first: tuple[StopReason, ...] = ("max_seconds", "max_samples", "relative_ci")
    for reason in worst_first:
        if reason in reasons:
            return reason
    return None


def _observed(blocks: Sequence[Block]) -> Observed:
    """What every block that knows agrees on; null where they disagree, which `how` then says."""
    seen = [b.observed for b in blocks]
    how = list(dict.fromkeys(text for o in seen for text in o.how))
    agreed: dict[str, object] = {}
    for name in ("algorithm", "protocol", "channels", "in_network"):
        values = {getattr(o, name) for o in seen} - {None}
        agreed[name] = values.pop() if len(values) == 1 else None
        if values:
            how.append(f"blocks disagree on {name}")
    peers = [o.bytes_per_peer for o in seen if o.bytes_per_peer is not None]
    return Observed.model_validate(
        {**agreed, "how": how, "bytes_per_peer": peers[-1] if peers else None}
    )


def _hosts(
    key: PointKey, blocks: Sequence[Block], launches: dict[int, Launch]
) -> tuple[str, ...] | None:
    """The host of each rank; None where launches differ in it, or do not have all ranks."""
    try:
        found = {placement(key.group, launches[block.launch]) for block in blocks}
    except KeyError:
        return None
    return found.pop() if len(found) == 1 else None


def _with_expected(wire: Wire | None, expected: dict[str, float]) -> PointWire | None:
    return None if wire is None else PointWire(**dict(wire), expected=expected)
