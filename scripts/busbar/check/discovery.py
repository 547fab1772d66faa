"""Control of false discoveries: what figures convict, out of thousands of rows.

Of rows that are all just good enough, one in forty has a 95 % interval wholly below its limit: a
sound system of a thousand rows would always fail. So figures fail a row only if its interval is
below *and* its chance survives the procedure of Benjamini and Hochberg (J. R. Stat. Soc. B 57,
1995, 289) over all that figures could convict of in the record: sort the m chances; the k smallest
are discoveries, for the largest k whose k-th is at most k/m of the rate.

* On a sound system whatever is found is false, so there the share of false discoveries is the
  chance of any: at most RATE of the runs fail by figures. No further correction for "the run
  fails", such as Holm's, is needed for that: with every hypothesis true it is Simes' test
  (Biometrika 73, 1986, 751).
* On a system with faults, at most RATE of the rows it fails are expected to be sound. Holm's
  procedure, which would bound the chance of even one, needs a chance of RATE/m from each row: with
  five launches that hides faults which a hundred rows show.

Both hold for independent rows and for those that depend positively on each other (Benjamini and
Yekutieli, Ann. Stat. 29, 2001, 1165), as rows do: a launch that is slow as a whole makes all of its
rows slow. Nothing known makes one row fast when another is slow, which is what Benjamini and
Yekutieli's factor of ln m would be for.

Control acquits nobody. A row that it spares is unsure, and says how many launches would tell; it
never passes, because to pass the whole interval has to be above the limit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from busbar.check.claims import MOST_LAUNCHES, Claim, Kind
from busbar.check.result import RowResult, Verdict

RATE = 0.01
"""For one run in a hundred: what an acceptance that is repeated every night can live with."""

_SPARED = {Kind.BELOW_LIMIT: Verdict.FAIL, Kind.ABOVE_BOUND: Verdict.IMPOSSIBLE}
"""Verdicts that rows have got by their own interval alone."""
_MAY_TURN = (Verdict.PASS, Verdict.UNSURE, Verdict.UNJUDGED)


@dataclass(frozen=True)
class Control:
    """What is left of claims."""

    proven: frozenset[int]
    """Places of those that survive."""
    threshold: float
    """The chance that one more would have needed."""


def control(chances: Sequence[float], rate: float = RATE) -> Control:
    """Benjamini and Hochberg's step-up procedure. Any chance of NaN proves nothing."""
    count = len(chances)
    order = sorted(
        (place for place in range(count) if chances[place] == chances[place]),
        key=lambda place: chances[place],
    )
    found = 0
    for k, place in enumerate(order, start=1):
        if chances[place] <= rate * k / count:
            found = k
    threshold = rate * min(found + 1, count) / count if count else rate
    return Control(frozenset(order[:found]), threshold)


def controlled(rows: Sequence[RowResult], claims: Sequence[Claim]) -> tuple[RowResult, ...]:
    """The rows as figures convict them: FAIL and IMPOSSIBLE for what survives, UNSURE for the rest.

    That a measurement beats physics is held against the fabric file rather than the system, so such
    claims are controlled apart from the others.
    """
    judged = list(rows)
    too_fast = [claim for claim in claims if claim.kind is Kind.ABOVE_BOUND]
    too_slow = [claim for claim in claims if claim.kind is not Kind.ABOVE_BOUND]
    for family in (too_slow, too_fast):
        if any(_accuses(claim, judged[claim.row]) for claim in family):
            _apply(judged, family)
    return tuple(judged)


def _accuses(claim: Claim, row: RowResult) -> bool:
    """Whether a claim has turned, or could turn, a verdict."""
    if claim.kind in _SPARED:
        return row.by_times and row.verdict is _SPARED[claim.kind]
    return row.verdict in _MAY_TURN and claim.stands


def _apply(rows: list[RowResult], claims: Sequence[Claim]) -> None:
    """Limits come first among the claims: a row that control spares may still have a dip."""
    chances = [claim.chance() for claim in claims]
    left = control(chances)
    for place, claim in enumerate(claims):
        row = rows[claim.row]
        if not _accuses(claim, row):
            continue
        if place not in left.proven:
            rows[claim.row] = _spared(row, claim, chances[place], len(claims), left.threshold)
        elif claim.kind not in _SPARED:
            rows[claim.row] = replace(
                row, verdict=Verdict.FAIL, reason=claim.sentence, by_times=True
            )


def _spared(row: RowResult, claim: Claim, chance: float, among: int, threshold: float) -> RowResult:
    needed = claim.launches_needed(threshold)
    advice = f"about {needed} launches would tell" if needed else "more launches will hardly tell"
    sentence = row.reason if claim.kind in _SPARED else claim.sentence
    reason = (
        f"{sentence} But that may be chance among {among} figures ({chance:.2g}, accepted is "
        f"{threshold:.2g}): {advice}."
    )
    return replace(
        row, verdict=Verdict.UNSURE, reason=reason, launches_wanted=needed or MOST_LAUNCHES
    )
