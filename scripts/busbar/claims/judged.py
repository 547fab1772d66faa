"""A record as `busbar check` judges it, row by row: what a claim rests on."""

from __future__ import annotations

from dataclasses import dataclass

from busbar.check.check import check
from busbar.check.result import CheckResult, RowResult, Verdict
from busbar.claims.model import Claim
from busbar.fabrics import Fabric, load
from busbar.record.models import Point, PointKey, RunRecord
from busbar.record.placement import placement

GRAVE = (Verdict.WRONG_DATA, Verdict.HANG)
_UNTRUSTED = (*GRAVE, Verdict.MISSING, Verdict.IMPOSSIBLE, Verdict.NOT_USED)


@dataclass(frozen=True)
class Measured:
    """A record, and the fabric that it is held against."""

    name: str
    record: RunRecord
    fabric: Fabric | None


@dataclass(frozen=True)
class Judged:
    """A record with what `busbar check` says of it."""

    name: str
    record: RunRecord
    fabric: Fabric | None
    result: CheckResult

    @classmethod
    def of(cls, one: Measured, accept_fake: bool) -> Judged:
        """Raises UsageError for what `busbar check` refuses."""
        # Without a fabric, the one that has no bounds: wrong data and hangs are found all the same.
        against = one.fabric or load("local")
        result = check(one.record, against, accept_fake=accept_fake)
        return cls(one.name, one.record, one.fabric, result)

    def rows(self, claim: Claim) -> dict[PointKey, RowResult]:
        """Those of the claim's scenario, by their planned keys: the measured, and the required.

        What hung or is missing has a row too. What the plan waived, or left undone as optional, is
        none of the claim's.
        """
        found = {}
        for row in self.result.rows:
            undone = row.verdict is Verdict.UNJUDGED and row.median_us is None
            if undone or row.verdict is Verdict.WAIVED or row.key is None:
                continue
            if self._is_of(claim, row.key):
                found[row.key.planned()] = row
        return found

    def point(self, row: RowResult | None) -> Point | None:
        """What was measured of a row, if anything was."""
        key = None if row is None else row.key
        return None if key is None else next((p for p in self.record.points if p.key == key), None)

    def doubt(self, row: RowResult) -> str:
        """Why the time of a row cannot be trusted, in a clause; else empty."""
        if row.verdict in _UNTRUSTED or row.median_us is None:
            return f"{row.label} is {row.verdict.value}: {row.reason.rstrip('.')}"
        if row.doubt:
            return f"{row.label}: {row.doubt.rstrip('.')}"
        return self._doubt_of_all()

    def _doubt_of_all(self) -> str:
        """What went wrong before any point, or with the run as a whole."""
        told = (one for one in self.result.rows if one.key is None)
        return next((f"{self.name}: {one.label}: {one.reason.rstrip('.')}" for one in told), "")

    def _is_of(self, claim: Claim, key: PointKey) -> bool:
        scenario, group = claim.scenario, key.group
        wanted = key.op in scenario.operations and scenario.has_size(key.size_bytes)
        carried = scenario.transports is None or key.transport in scenario.transports
        together = group.parts is None and group.split is None
        wide = group.size() >= scenario.least_ranks and self._nodes(key) >= scenario.least_nodes
        return wanted and carried and together and wide

    def _nodes(self, key: PointKey) -> int:
        """Hosts of its ranks; of what never answered, as the launches have them."""
        if key.group.nodes is not None:
            return key.group.nodes
        for launch in self.record.launches:
            try:
                return len(set(placement(key.group, launch)))
            except KeyError:
                continue
        return 0
