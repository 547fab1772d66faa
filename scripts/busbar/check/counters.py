"""What the fabric accepts of counters of faults, held against what all blocks counted.

* Per run: a count, which is what it is.
* Per hour or TB: a rate, of which the run is a sample. Events that come singly are Poisson: at the
  accepted rate it passes if more would have been seen with 97.5 %, and fails if fewer would have
  been with 99 %, shared among all counters. Between them it is unsure. Errors that come in bursts
  stray more, so that these are the least that must be asked.

What was never read passes nothing: it is unsure unless the fabric waives it with evidence.
"""

from __future__ import annotations

from collections.abc import Sequence

from busbar.check.discovery import RATE
from busbar.check.result import RowResult, Verdict
from busbar.fabrics.counters import CounterLimit
from busbar.record.counters import COUNTERS, Reading, readings
from busbar.record.models import Block, RunRecord

_PASS_CHANCE = 0.025
_MOST_NAMED = 4  # hosts; beyond this nobody in particular


def counter_rows(record: RunRecord, limits: Sequence[CounterLimit]) -> tuple[RowResult, ...]:
    """A verdict for each limit, in their order; simulated hosts have no counters."""
    if record.run.simulated:
        return ()
    return tuple(_row(record, limit, len(limits)) for limit in limits)


def _row(record: RunRecord, limit: CounterLimit, among: int) -> RowResult:
    found = list(readings(record, limit.name))
    known = [one for one in found if one.count is not None]
    total = sum(one.count or 0 for one in known)
    verdict, reason = _verdict(record, limit, total, among)
    if not found or (verdict is not Verdict.FAIL and len(known) < len(found)):
        verdict, reason = _unread(limit, len(found) - len(known), len(found))
    elif verdict is Verdict.FAIL:
        reason = f"{reason[:-1]}{_where(known)}."
    return RowResult(f"counter {limit.name}", None, verdict, reason)


def _unread(limit: CounterLimit, missing: int, readings_: int) -> tuple[Verdict, str]:
    if limit.waived is not None:
        return Verdict.WAIVED, limit.waived
    if COUNTERS[limit.name].where is None:
        why = "Nothing that Busbar reads counts it yet"
    elif not readings_:
        why = "Nothing was measured"
    elif missing == readings_:
        why = "No block could read it"
    else:
        why = f"{missing} of {readings_} readings lack it"
    return Verdict.UNSURE, f"{why}: read it another way, or waive it in the fabric with evidence."


def _verdict(record: RunRecord, limit: CounterLimit, total: int, among: int) -> tuple[Verdict, str]:
    most = f"{limit.at_most:g} per {limit.per}"
    if limit.per == "run":
        if total > limit.at_most:
            return Verdict.FAIL, f"{total} counted, at most {most} is accepted."
        return Verdict.PASS, f"{total} counted, at most {most} is accepted."
    amount = _hours(record) if limit.per == "hour" else _terabytes(record)
    if not amount:
        why = "no block says how many bytes hosts sent" if limit.per == "TB" else "nothing is timed"
        return Verdict.UNSURE, f"{total} counted, but {why}: measure again."
    return _of_rate(limit, total, amount, among)


def _of_rate(limit: CounterLimit, total: int, amount: float, among: int) -> tuple[Verdict, str]:
    # SciPy takes a while to load: only for those who need it.
    from scipy.special import pdtr, pdtri

    text = (
        f"{total} counted in {amount:.3g} {limit.per} are {total / amount:.3g} per {limit.per}, at "
        f"most {limit.at_most:g} is accepted"
    )
    accepted = limit.at_most * amount
    as_many = 1.0 - float(pdtr(total - 1, accepted)) if total else 1.0
    if as_many <= RATE / among:
        return Verdict.FAIL, f"{text}."
    if float(pdtr(total, accepted)) <= _PASS_CHANCE:
        return Verdict.PASS, f"{text}."
    needed = float(pdtri(total, _PASS_CHANCE)) / limit.at_most
    return Verdict.UNSURE, f"{text}: {needed:.3g} {limit.per} without another one would tell."


def _hours(record: RunRecord) -> float:
    """Of blocks: their executions, and the rest between samples."""
    rest_us = record.run.plan.rest_us or 0.0
    blocks = [block for point in record.points for block in point.blocks]
    return sum(_block_us(block, rest_us) for block in blocks) / 3.6e9


def _block_us(block: Block, rest_us: float) -> float:
    samples = len(block.samples_us)
    mean_us = sum(block.samples_us) / samples
    return max(samples, block.executions or 0) * mean_us + samples * rest_us


def _terabytes(record: RunRecord) -> float:
    """Sent by all hosts in all blocks; 0 where any block does not say."""
    total = 0.0
    for point in record.points:
        for block in point.blocks:
            sent = block.wire.tx_bytes_per_node if block.wire else [None]
            if None in sent or block.executions is None:
                return 0.0
            total += block.executions * sum(value for value in sent if value is not None)
    return total / 1e12


def _where(known: Sequence[Reading]) -> str:
    """Whose counters moved, as far as the blocks tell."""
    counting = [one for one in known if one.count]
    common = set(counting[0].hosts).intersection(*(one.hosts for one in counting))
    quiet = {host for one in known if not one.count for host in one.hosts}
    suspects = sorted(common - quiet or common)
    if not suspects or len(suspects) > _MOST_NAMED:
        hosts = {host for one in counting for host in one.hosts}
        return f", on no host of {len(hosts)} in particular"
    devices = {one.device for one in counting if one.hosts == (suspects[0],) and one.device}
    device = f" ({devices.pop()})" if len(suspects) == 1 and len(devices) == 1 else ""
    where = f", on {' or '.join(suspects)}{device}"
    return where if len(suspects) == 1 else f"{where}: no block tells them apart"
