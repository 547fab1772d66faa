"""The verdict on each row of a record on its own: planned rows, and what else was measured."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from busbar.check.consistency import inconsistency
from busbar.check.findings import shares_gpus
from busbar.check.judge import TOLERANCE, Yardstick, judge_point, limit_of
from busbar.check.requested import Requests
from busbar.check.result import STANDS, RowResult, Verdict, label
from busbar.check.sameness import Sameness
from busbar.check.spread import missing_launches, spread
from busbar.check.standing import standing, without_point
from busbar.check.thresholds import Thresholds
from busbar.check.throttling import throttling
from busbar.check.ways import Way, may_be_sharp, ways
from busbar.errors import UsageError
from busbar.fabrics.model import Fabric, Limit
from busbar.record.evidence import finding
from busbar.record.models import Block, Launch, PlannedPoint, Point, RunRecord
from busbar.record.pairing import medians_by_launch
from busbar.record.placement import placement, placement_of_parts
from busbar.theory.bound import Bound, unknown_because
from busbar.theory.constants import fit, from_fabric
from busbar.theory.expected import (
    Expected,
    expected,
    expected_by_switches,
    expected_in_network,
)
from busbar.theory.operations import OPERATIONS
from busbar.theory.proof import COUNTED_SHARE
from busbar.theory.side_by_side import bound_side_by_side, least_bytes_side_by_side
from busbar.units import format_time_us


def judged_rows(
    record: RunRecord, fabric: Fabric, limits: Sequence[Limit], thresholds: Thresholds
) -> tuple[RowResult, ...]:
    """Planned rows in the order of the plan, then the others; none is compared with another yet.

    Raises UsageError for a record that ran on hosts the fabric does not have.
    """
    return tuple(_Judge(record, fabric, limits, thresholds).rows())


class _Judge:
    """One record held against one fabric."""

    def __init__(
        self,
        record: RunRecord,
        fabric: Fabric,
        limits: Sequence[Limit],
        thresholds: Thresholds,
    ) -> None:
        self._record = record
        self._fabric = fabric
        self._limits = limits
        self._thresholds = thresholds
        self._requests = Requests.of(record)
        self._sameness = Sameness(record)
        self._crowded = {launch.id for launch in record.launches if shares_gpus(launch)}
        self._measuring = {x.id for x in record.launches if x.purpose == "measure"}

    def rows(self) -> Iterator[RowResult]:
        """Planned rows in the order of the plan, then what was measured beyond it."""
        points: dict[object, list[Point]] = {}
        for point in standing(self._record):
            points.setdefault(point.key.planned(), []).append(point)
        for planned in self._record.run.plan.rows:
            yield from self._planned(planned, points.pop(planned.key, []))
        for unplanned in points.values():
            for point in unplanned:
                yield self._optional(point)
        yield from dict.fromkeys(self._without_point())

    def _planned(self, planned: PlannedPoint, points: Sequence[Point]) -> Iterator[RowResult]:
        if not points:
            yield _absent(planned)
        for point in points:
            if planned.need == "required":
                yardstick = self._yardstick(point)
                yardstick = replace(yardstick, required=True, needs_limit=planned.needs_limit)
                yield judge_point(point, yardstick)
            elif planned.need == "optional":
                yield self._optional(point)
            else:
                row = judge_point(point, self._yardstick(point))
                yield row if row.verdict in STANDS else _absent(planned)

    def _optional(self, point: Point) -> RowResult:
        """An optional row may be missing; what was measured of it counts like any other."""
        if point.status in ("waived", "not_run"):
            verdict = Verdict.WAIVED if point.status == "waived" else Verdict.UNJUDGED
            return RowResult(label(point.key), point.key, verdict, point.reason or "")
        return judge_point(point, self._yardstick(point))

    def _without_point(self) -> Iterator[RowResult]:
        """What struck a launch before it came to a point, or a point that is not there."""
        for problem in without_point(self._record):
            name = "run" if problem.launch is None else f"launch {problem.launch}"
            if problem.key is not None:
                name = label(problem.key)
            verdict = _WITHOUT_POINT.get(problem.status, Verdict.MISSING)
            yield RowResult(name, problem.key, verdict, problem.reason)

    def _yardstick(self, point: Point) -> Yardstick:
        unknown_because = self._why_bound_unknown(point)
        found, why_not = (None, unknown_because) if unknown_because else self._bound(point)
        limit = limit_of(
            point,
            self._limits,
            self._limiting(point.key.variant),
            "one" if self._domains(point) == 1 else "several",
        )
        best, unknown = self._expected(point) if limit and limit.of == "expected" else (None, "")
        return Yardstick(
            bound=found,
            no_bound_because=why_not,
            bound_unknown=bool(unknown_because),
            limit=limit,
            expected=best,
            not_expected_because=unknown,
            by_launch_us=medians_by_launch(self._record, point),
            missing_launches=self._missing_launches(point),
            spread=spread(medians_by_launch(self._record, point), self._thresholds.spread),
            inconsistent=inconsistency(self._record, point) or self._sameness.difference(point),
            max_spoiled_share=self._thresholds.spoiled,
            bypass="" if found is None else self._bypass(point),
            simulated=self._record.run.simulated,
            not_used=self._requests.not_used(point),
            unproven=self._unproven(point),
            throttled=throttling(self._timed(point), self._thresholds.throttled),
            shares_gpus=any(block.launch in self._crowded for block in point.blocks),
        )

    def _bound(self, point: Point) -> tuple[Bound | None, str]:
        """The bound of a point, or why there is none, in one sentence."""
        why_not = self._why_no_bound(point)
        if why_not:
            return None, why_not
        least = self._least(point, self._ways(point))
        if least and _beats(point, least) and may_be_sharp(point, self._requests):
            least = self._least(point, (Way.SWITCHES, Way.HOSTS))
        return least, "" if least else "No byte of it has to wait for a link."

    def _least(self, point: Point, ways: Sequence[Way]) -> Bound | None:
        """The bound of the fastest of these ways."""
        key = point.key
        found = [
            bound_side_by_side(
                self._fabric,
                key.op,
                key.size_bytes,
                self._parts(point),
                root=0 if key.root is None else key.root,
                in_network=way is not Way.HOSTS,
                nvlink_only=way is Way.NVLINK,
                # Simulated hosts are the fabric's first; of others nobody knows where they stand.
                placed=self._record.run.simulated,
            )
            for way in ways
        ]
        return min((b for b in found if b is not None), key=lambda b: b.time_us, default=None)

    def _expected(self, point: Point) -> tuple[Expected | None, str]:
        """What a point should take, or why that is not known, in one sentence.

        The fabric's own constants alone: those fitted to a slow system would excuse it. Of
        algorithms the fastest, for a library that chose another one chose wrong; where the variant
        sets anything, it may have asked for the one that ran. Over two domains NCCL's NVLS tree
        moves half of what it does over more, and versions that do not take it are no fault of the
        cluster: where nothing tells, it is held against the slower way.
        """
        key = point.key
        if key.op not in OPERATIONS or not point.blocks:
            return None, "The record does not say which hosts it ran on."
        alike = Counter(self._parts(point))
        if alike.total() > 1 and self._fabric.cluster is None:
            return None, "Several communicators side by side have no expected time."
        each = [self._expected_of(point, hosts, times) for hosts, times in alike.items()]
        known = [one for one in each if one is not None]
        if len(known) < len(each):
            return None, f"Fabric {self._fabric.name} has no figures for it, or theory no model."
        return max(known, key=lambda one: one.time_us), ""

    def _expected_of(self, point: Point, hosts: Sequence[str], times: int) -> Expected | None:
        """Of one communicator, where as many are placed as it is; None where that is not known."""
        able = [found for way in self._ways(point) if (found := self._by(way, point, hosts, times))]
        if self._sets_anything(point.key.variant):
            ran = (point.observed.algorithm or "").lower().replace("_", " ")
            asked = [[one for one in found if one.algorithm.lower() == ran] for found in able]
            able = [found for found in asked if found] or able
        fastest = [min(found, key=lambda one: one.time_us) for found in able]
        choose = max if self._domains(point) == 2 else min
        return choose(fastest, key=lambda one: one.time_us, default=None)

    def _by(self, way: Way, point: Point, hosts: Sequence[str], times: int) -> list[Expected]:
        what = self._fabric, point.key.op, point.key.size_bytes, hosts
        constants = from_fabric(self._fabric)
        if way is Way.HOSTS:
            return expected(*what, constants, times=times)
        if self._fabric.cluster is not None:
            return expected_by_switches(*what, nvlink_only=way is Way.NVLINK, times=times)
        one = expected_in_network(*what, constants)
        return [one] if one else []

    def _limiting(self, name: str) -> tuple[str, ...]:
        """Whose limits hold for a variant: its own, else the default's where it only says whether
        the network reduces. Either way it is held against its own bound."""
        variants = (v for v in self._record.run.plan.variants if v.name == name)
        return (name, "default") if any("in_network" in v.settings for v in variants) else (name,)

    def _domains(self, point: Point) -> int:
        """The fewest NVLink domains, or hosts without them, that have room for a communicator.

        Between them its bytes have to pass the network.
        """
        cluster = self._fabric.cluster
        room = cluster.domain_gpus() // cluster.node.gpus if cluster else 1
        parts = self._parts(point) if point.blocks else ()
        return max((-(-len(set(hosts)) // room) for hosts in parts), default=1)

    def _sets_anything(self, name: str) -> bool:
        variants = (v for v in self._record.run.plan.variants if v.name == name)
        return any(v.settings or v.environment for v in variants)

    def _missing_launches(self, point: Point) -> str:
        run = self._record.run
        planned = 0 if run.imported else run.plan.launches  # several outputs are nobody's plan
        return missing_launches(medians_by_launch(self._record, point), planned)

    def _ways(self, point: Point) -> tuple[Way, ...]:
        return ways(point, self._fabric, self._requests, self._launch(point))

    def _unproven(self, point: Point) -> str:
        """What speaks against its having run as its variant asks, or would show that it did."""
        if not_given := self._requests.not_given(point):
            return not_given
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
            strict=False,  # what is not of all nodes is a contradiction of its own
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

    def _why_bound_unknown(self, point: Point) -> str:
        """Why theory cannot tell the bound of a point, in one sentence; empty if it can.

        So it can where it tells that there is none.
        """
        if self._why_no_bound(point):
            return ""
        sentences = (
            unknown_because(self._fabric, point.key.op, hosts, in_network=way is not Way.HOSTS)
            for way in self._ways(point)
            for hosts in self._parts(point)
        )
        return next(filter(None, sentences), "")

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


def _beats(point: Point, bound: Bound) -> bool:
    time = point.time_us
    return time is not None and time.median * (1 + TOLERANCE) < bound.time_us


_WITHOUT_POINT = {"hang": Verdict.HANG, "wrong_data": Verdict.WRONG_DATA}


def _absent(planned: PlannedPoint) -> RowResult:
    """A planned row without a point, or one that is waived whatever was measured."""
    verdict, reason = {
        "required": (Verdict.MISSING, "The plan requires it, and the record does not have it."),
        "optional": (Verdict.UNJUDGED, "The plan has it as optional, and it was not measured."),
        "waived": (Verdict.WAIVED, planned.evidence or ""),
    }[planned.need]
    return RowResult(label(planned.key), planned.key, verdict, reason)
