"""Checks a record against a fabric: every planned row, and every row that was measured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from busbar.check.findings import findings, shares_gpus
from busbar.check.gain import gains
from busbar.check.judge import Yardstick, judge_point
from busbar.check.requested import Requests, network_plugins_differ
from busbar.check.result import CheckResult, RowResult, Verdict, label
from busbar.check.throttling import MAX_THROTTLED_SHARE, throttling
from busbar.errors import UsageError
from busbar.fabrics.model import Fabric, Limit
from busbar.pairs.rounds import PAIR_OPERATION
from busbar.pairs.sites import Sites, of_fabric
from busbar.record.evidence import asking_variants, finding
from busbar.record.models import Block, Launch, PlannedPoint, Point, RunRecord
from busbar.record.origin import imported_from, imported_sentence
from busbar.record.placement import placement, placement_of_parts
from busbar.theory.bound import Bound
from busbar.theory.constants import fit
from busbar.theory.expected import expected
from busbar.theory.operations import OPERATIONS
from busbar.theory.proof import COUNTED_SHARE
from busbar.theory.side_by_side import bound_side_by_side, least_bytes_side_by_side
from busbar.units import format_time_us

MAX_SPOILED_SHARE = 0.05  # an occasional retransmit is normal; one sample in twenty is not


def check(
    record: RunRecord,
    fabric: Fabric,
    limits: Sequence[Limit] | None = None,
    *,
    max_spoiled_share: float = MAX_SPOILED_SHARE,
    max_throttled_share: float = MAX_THROTTLED_SHARE,
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
    judge = _Judge(record, fabric, chosen, max_spoiled_share, max_throttled_share)
    result = CheckResult(
        _title(record, fabric),
        tuple(_notes(record, fabric)),
        tuple(judge.rows()),
        gains(record, fabric),
        findings(record),
    )
    return _with_pairs(result, record, of_fabric(fabric) if sites is None else sites)


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


class _Judge:
    """One record held against one fabric."""

    def __init__(
        self,
        record: RunRecord,
        fabric: Fabric,
        limits: Sequence[Limit],
        max_spoiled_share: float,
        max_throttled_share: float,
    ) -> None:
        self._record = record
        self._fabric = fabric
        self._limits = limits
        self._max_spoiled_share = max_spoiled_share
        self._max_throttled_share = max_throttled_share
        self._requests = Requests.of(record)
        self._crowded = {launch.id for launch in record.launches if shares_gpus(launch)}
        self._measuring = {x.id for x in record.launches if x.purpose == "measure"}

    def rows(self) -> Iterator[RowResult]:
        """Planned rows in the order of the plan, then what was measured beyond it."""
        points: dict[object, list[Point]] = {}
        for point in self._record.points:
            points.setdefault(point.key.planned(), []).append(point)
        for planned in self._record.run.plan.rows:
            yield from self._planned(planned, points.pop(planned.key, []))
        for unplanned in points.values():
            for point in unplanned:
                yield self._optional(point)
        yield from self._before_any_point()

    def _planned(self, planned: PlannedPoint, points: Sequence[Point]) -> Iterator[RowResult]:
        if not points:
            yield _absent(planned)
        for point in points:
            if planned.need == "required":
                yield judge_point(point, self._yardstick(point))
            elif planned.need == "optional":
                yield self._optional(point)
            else:
                row = judge_point(point, self._yardstick(point))
                yield row if row.verdict is Verdict.WRONG_DATA else _absent(planned)

    def _optional(self, point: Point) -> RowResult:
        """An optional row may be missing; what was measured of it counts like any other."""
        if point.status in ("waived", "not_run") and not point.wrong_elements:
            verdict = Verdict.WAIVED if point.status == "waived" else Verdict.UNJUDGED
            return RowResult(label(point.key), point.key, verdict, point.reason or "")
        return judge_point(point, self._yardstick(point))

    def _before_any_point(self) -> Iterator[RowResult]:
        """What struck a launch before it came to a point."""
        for problem in self._record.problems:
            if problem.key is None:
                name = "run" if problem.launch is None else f"launch {problem.launch}"
                verdict = _WITHOUT_POINT.get(problem.status, Verdict.MISSING)
                yield RowResult(name, None, verdict, problem.reason)

    def _yardstick(self, point: Point) -> Yardstick:
        found, why_not = self._bound(point)
        return Yardstick(
            bound=found,
            no_bound_because=why_not,
            limits=self._limits,
            max_spoiled_share=self._max_spoiled_share,
            bypass="" if found is None else self._bypass(point),
            simulated=self._record.run.simulated,
            not_used=self._requests.not_used(point),
            unproven=self._unproven(point),
            throttled=throttling(self._timed(point), self._max_throttled_share),
            shares_gpus=any(block.launch in self._crowded for block in point.blocks),
        )

    def _bound(self, point: Point) -> tuple[Bound | None, str]:
        """The bound of a point, or why there is none, in one sentence."""
        why_not = self._why_no_bound(point)
        if why_not:
            return None, why_not
        key = point.key
        parts = self._parts(point)
        root = 0 if key.root is None else key.root
        if key.op == "all_to_allv" and any(len(set(hosts)) < len(hosts) for hosts in parts):
            return None, "With several ranks per host its shares between hosts are not known here."
        found = [
            bound_side_by_side(
                self._fabric, key.op, key.size_bytes, parts, root=root, in_network=way
            )
            for way in self._ways(point)
        ]
        least = min((b for b in found if b is not None), key=lambda b: b.time_us, default=None)
        return least, "" if least else "No byte of it has to wait for a link."

    def _ways(self, point: Point) -> tuple[bool, ...]:
        """By hosts (False), in the network (True), or both where nothing tells which it was."""
        if point.observed.in_network is not None:
            return (point.observed.in_network,)
        asked = self._requests.asks(point)
        has_meaning = OPERATIONS[point.key.op].in_network is not None
        return (True, False) if asked and has_meaning else (False,)

    def _unproven(self, point: Point) -> str:
        """What would show that a variant's reduction in the network took place, if nothing does."""
        if not self._requests.asks(point) or self._requests.carried_out(point) is not None:
            return ""
        timed = self._timed(point)
        by_bytes = timed and not self._requests.leaves_no_bytes(point)
        found = finding(point.key, timed, self._placement(point)) if by_bytes else None
        if found is not None and found.in_network is None:
            return f"Not shown to be reduced in the network: {found.because}."
        how = "; ".join(point.observed.how)
        return f"Not shown to be reduced in the network, measure again: {how}."

    def _timed(self, point: Point) -> list[Block]:
        return [block for block in point.blocks if block.launch in self._measuring]

    def _bypass(self, point: Point) -> str:
        """Whether bytes went another way than over the links, such as through shared memory."""
        if point.wire is None:
            return ""
        key, wire = point.key, point.wire
        root = 0 if key.root is None else key.root
        must_pass = {
            least.host: least
            for least in least_bytes_side_by_side(key.op, key.size_bytes, self._parts(point), root)
        }
        for host, sent, received in zip(
            dict.fromkeys(self._placement(point)),
            wire.tx_bytes_per_node,
            wire.rx_bytes_per_node,
            strict=True,
        ):
            least = must_pass[host]
            for what, counted, must in (
                ("sent", sent, least.sent),
                ("received", received, least.received),
            ):
                if counted is not None and counted < COUNTED_SHARE * must:
                    return (
                        f"{least.host} {what} {counted:.0f} bytes over its links, but {must:.0f} "
                        "must pass them: the rest went another way."
                    )
        return ""

    def _why_no_bound(self, point: Point) -> str:
        """Why theory has no bound for a point like this, in one sentence; empty if it has."""
        op = point.key.op
        known = OPERATIONS.get(op)
        if self._fabric.kind == "shared_memory":
            return self._expected_by_copying(point)
        if known is None or not known.phases:
            return f"Operation '{op}' has no bound."
        if not point.blocks:
            return "The record does not say which hosts it ran on."
        return ""

    def _expected_by_copying(self, point: Point) -> str:
        """What to expect of shared memory, which has no bound, in one sentence."""
        key = point.key
        if key.op in OPERATIONS and point.blocks:
            constants = fit(self._record, self._fabric)
            hosts = self._placement(point)
            for best in expected(self._fabric, key.op, key.size_bytes, hosts, constants):
                return (
                    f"Shared memory has no bound; {best.algorithm} takes "
                    f"{format_time_us(best.time_us)} at the copy rate that this run measured."
                )
        return "Shared memory has no bound; an expected time needs memory_copy in the same run."

    def _parts(self, point: Point) -> tuple[tuple[str, ...], ...]:
        """The hosts of each communicator of the point's group."""
        self._placement(point)  # refuses ranks that are not there
        return placement_of_parts(point.key.group, self._launch(point))

    def _launch(self, point: Point) -> Launch:
        return next(x for x in self._record.launches if x.id == point.blocks[0].launch)

    def _placement(self, point: Point) -> tuple[str, ...]:
        """The host of each rank of the point's group, as its launch had them."""
        launch = self._launch(point)
        try:
            return placement(point.key.group, launch)
        except KeyError as error:
            raise UsageError(
                f"{label(point.key)} names rank {error}, which launch {launch.id} does not have: "
                "accepted are the ranks of its workers."
            ) from None


_WITHOUT_POINT = {"hang": Verdict.HANG, "wrong_data": Verdict.WRONG_DATA}


def _absent(planned: PlannedPoint) -> RowResult:
    """A planned row without a point, or one that is waived whatever was measured."""
    verdict, reason = {
        "required": (Verdict.MISSING, "The plan requires it, and the record does not have it."),
        "optional": (Verdict.UNJUDGED, "The plan has it as optional, and it was not measured."),
        "waived": (Verdict.WAIVED, planned.evidence or ""),
    }[planned.need]
    return RowResult(label(planned.key), planned.key, verdict, reason)


def _title(record: RunRecord, fabric: Fabric) -> str:
    run = record.run
    kinds = [name for name in ("fake", "simulated", "emulated") if getattr(run, name)]
    what = f" ({', '.join(kinds)}: not real hardware)" if kinds else ""
    what += f" (imported from {imported_from(run)})" if run.imported else ""
    return f"Run {run.id}{what} against fabric {fabric.name}"


def _notes(record: RunRecord, fabric: Fabric) -> Iterator[str]:
    run = record.run
    if run.imported:
        yield imported_sentence(run)
    if run.status != "complete":
        yield f"The run is marked {run.status}, not complete."
    if run.fabric is not None and run.fabric != fabric.name:
        yield f"The run names fabric {run.fabric}, it is judged against {fabric.name}."
    if asking_variants(run) and fabric.kind == "network" and fabric.in_network is None:
        yield (
            f"Fabric {fabric.name} does not say that its switches reduce: the bounds suppose that "
            "they do, as fast as their links."
        )
    yield from network_plugins_differ(run)
    if len({segment.fingerprint for segment in run.segments}) > 1:
        yield "The system changed between segments of the run."
