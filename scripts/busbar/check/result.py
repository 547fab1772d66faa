"""What the judge says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Literal

from busbar.check.gain import GainRow
from busbar.check.label import label
from busbar.errors import ExitCode
from busbar.record.key import PointKey
from busbar.theory.bound import Bound
from busbar.theory.expected import Expected

if TYPE_CHECKING:
    from busbar.pairs.blame import Blame

__all__ = ["JUDGED", "CheckResult", "RowResult", "Verdict", "label"]


class Verdict(Enum):
    """What is said of one row."""

    PASS = "PASS"
    """Judged, and the whole interval is at or above the limit."""
    FAIL = "FAIL"
    """The whole interval is below the limit."""
    UNSURE = "UNSURE"
    """The measurement cannot tell; the reason names one that would."""
    MISSING = "MISSING"
    """Required, and not measured."""
    WRONG_DATA = "WRONG_DATA"
    """The operation gave a wrong result: the worst verdict."""
    HANG = "HANG"
    """It did not end before its deadline."""
    IMPOSSIBLE = "IMPOSSIBLE"
    """Faster than physics allows: a wrong fabric or a wrong measurement, never good news."""
    NOT_USED = "NOT_USED"
    """Shown to have run otherwise than its variant asks: by hosts, or reduced in the network."""
    WAIVED = "WAIVED"
    """Excused by the plan, with evidence; not a pass."""
    UNJUDGED = "UNJUDGED"
    """Measured, or optional, with nothing to judge it by."""


JUDGED = frozenset(Verdict) - {Verdict.WAIVED, Verdict.UNJUDGED}
_NEGATIVE = {Verdict.WRONG_DATA, Verdict.FAIL, Verdict.IMPOSSIBLE, Verdict.NOT_USED}
STANDS = _NEGATIVE | {Verdict.HANG}
"""What is known of a row, and no waiver undoes."""
_INCOMPLETE = {Verdict.MISSING, Verdict.UNSURE}


@dataclass(frozen=True)
class RowResult:
    """The verdict on one row. Times in microseconds; fractions are bound over measured time."""

    label: str
    """`all_reduce 1M ring`, or the launch for what struck before any point."""
    key: PointKey | None
    verdict: Verdict
    reason: str
    """One sentence."""
    median_us: float | None = None
    ci95_us: tuple[float, float] | None = None
    bound: Bound | None = None
    fraction: float | None = None
    fraction_ci95: tuple[float, float] | None = None
    """The upper limit is infinite where the interval of the time reaches zero."""
    limit: float | None = None
    """The least share that is accepted; None where no limit judges it."""
    limit_of: Literal["bound", "expected"] = "bound"
    """What the limit, and `share`, are of."""
    share: float | None = None
    """Of what the limit is of: theory's time over the measured one."""
    share_ci95: tuple[float, float] | None = None
    expected: Expected | None = None
    """Known only where the limit is of it."""
    doubt: str = ""
    """Why its time cannot be trusted, whatever it is held against: one sentence, else empty."""
    by_times: bool = False
    """Whether times alone convict it: then chance has to be ruled out."""
    launches_wanted: int | None = None
    """Launches that would tell, of an unsure row where that can be said."""
    settle: str = ""
    """The command that measures what would settle it; empty where it is settled, or none is."""

    @property
    def reference_us(self) -> float | None:
        """The time of theory that the limit is of."""
        if self.limit_of == "expected":
            return self.expected.time_us if self.expected else None
        return self.bound.time_us if self.bound else None


@dataclass(frozen=True)
class CheckResult:
    """The verdict on a record."""

    title: str
    """What was judged against what; says so if it was not real hardware."""
    notes: tuple[str, ...]
    """What a reader must know besides the rows."""
    rows: tuple[RowResult, ...]
    gains: tuple[GainRow, ...] = ()
    """What reduction in the network gained; none where no variant asks for it."""
    findings: tuple[str, ...] = ()
    """What a reader must know first, such as a fall-back to sockets, or a slow host."""
    pairs: tuple[RowResult, ...] = ()
    """What pairs say of each host, and of leaves and paths; none where no pairs were measured."""
    blames: tuple[Blame, ...] = ()
    """What that rests on."""
    counters: tuple[RowResult, ...] = ()
    """A verdict for each counter that the fabric limits."""
    settle: tuple[str, ...] = ()
    """Commands that together measure what would settle all unsure and missing rows."""
    not_real: str = ""
    """`simulated: not real hardware` or alike, as `record.origin` says it; empty for real."""

    def every(self) -> tuple[RowResult, ...]:
        """Everything that has a verdict."""
        return (*self.rows, *self.pairs, *self.counters)

    def count(self, verdict: Verdict) -> int:
        """How many rows got this verdict."""
        return sum(row.verdict is verdict for row in self.rows)

    @property
    def nothing_judged(self) -> str:
        """One sentence where no row has a verdict; else empty.

        Counters tell of no operation, and pairs only of who is slower than the others: where all
        are as slow, all are alike.
        """
        if any(row.verdict in JUDGED for row in self.rows):
            return ""
        if self.pairs:
            return (
                "Pairs were held against each other only, and no row against a limit, which is "
                "not a pass."
            )
        return "Nothing was judged, which is not a pass."

    @property
    def exit_code(self) -> ExitCode:
        """Negative before hang before incomplete; incomplete too if no row was judged at all."""
        verdicts = {row.verdict for row in self.every()}
        if verdicts & _NEGATIVE:
            return ExitCode.NEGATIVE
        if Verdict.HANG in verdicts:
            return ExitCode.HANG
        if verdicts & _INCOMPLETE or self.nothing_judged:
            return ExitCode.INCOMPLETE
        return ExitCode.HOLDS

    @property
    def summary(self) -> str:
        """One sentence with the count of each verdict that occurs."""
        rows = f"{len(self.rows)} rows: {_counts(self.rows) or 'none'}."
        pairs = (
            f" {len(self.pairs)} verdicts by pairs: {_counts(self.pairs)}." if self.pairs else ""
        )
        counters = (
            f" {len(self.counters)} counters: {_counts(self.counters)}." if self.counters else ""
        )
        nothing = f" {self.nothing_judged}" if self.nothing_judged else ""
        return f"{rows}{pairs}{counters}{nothing}{self.reminder}"

    @property
    def reminder(self) -> str:
        """What no sentence that is quoted alone may lack: ` Simulated: not real hardware.`."""
        return f" {self.not_real.capitalize()}." if self.not_real else ""


def _counts(rows: Sequence[RowResult]) -> str:
    """`3 PASS, 1 FAIL`."""
    found = [(v, sum(row.verdict is v for row in rows)) for v in Verdict]
    return ", ".join(f"{count} {verdict.value}" for verdict, count in found if count)
