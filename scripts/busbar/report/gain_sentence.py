"""What reduction in the network gained, in a sentence for the top of the page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from busbar.check import Verdict
from busbar.check.gain import Gain, GainRow
from busbar.record.evidence import asking_variants
from busbar.report.gains import theory_from
from busbar.report.rows import Judged
from busbar.report.text import gain, many, size
from busbar.report.wire_shares import proved_by
from busbar.theory.gain import RING_AT_BOUND


def gain_sentences(judged: Judged) -> Iterator[str]:
    """One sentence for each variant that asks for it."""
    for variant in (v.name for v in judged.record.run.plan.variants):
        if variant in asking_variants(judged.record.run):
            found = [row for row in judged.gains if row.key.variant == variant]
            yield _gained(judged, found) if found else _not_gained(judged, variant)


def _gained(judged: Judged, found: Sequence[GainRow]) -> str:
    row = _telling(found)
    of = {gain.kind: gain for gain in row.gains}
    over = [_over(of[kind]) for kind in ("bound", "best") if kind in of]
    what = " and ".join(over) or "no baseline was measured"
    sentence = (
        f"{_title(judged, row.key.variant)}: {what} at {row.key.op} {size(row.key.size_bytes)} "
        f"on {many(row.hosts, 'host')}"
    )
    if row.most is not None and row.key.size_bytes >= theory_from(judged.fabric):
        sentence += f"; theory {gain(row.most.gain)}"
    return f"{sentence}; {_proof(judged, row)}."


def _telling(found: Sequence[GainRow]) -> GainRow:
    """On the most hosts, the operation that theory lets gain most, at its largest size."""
    hosts = max(row.hosts for row in found)
    widest = [row for row in found if row.hosts == hosts]
    largest = {row.key.op: row for row in sorted(widest, key=lambda row: row.key.size_bytes)}
    return max(largest.values(), key=lambda row: row.most.gain if row.most else 0.0)


def _over(one: Gain) -> str:
    name = f"a {one.baseline}" if one.baseline == RING_AT_BOUND else one.baseline
    best = " (best variant of the hosts)" if one.kind == "best" else ""
    return f"{gain(one.ratio, one.ci95)} over {name}{best}"


def _proof(judged: Judged, row: GainRow) -> str:
    if row.in_network is None:
        return "not proved, see below"
    point = judged.record.point(row.key)
    assert point is not None
    return f"proved by {proved_by(point)}"


def _not_gained(judged: Judged, variant: str) -> str:
    rows = [row for row in judged.rows if row.key.variant == variant]
    by_hosts = sum(row.verdict is Verdict.NOT_USED for row in rows)
    if by_hosts:
        return f"{_title(judged, variant)}: hosts did it in {many(by_hosts, 'row')}, so no gain."
    return f"{_title(judged, variant)}: no row of it says what was gained."


def _title(judged: Judged, variant: str) -> str:
    several = len(asking_variants(judged.record.run)) > 1
    return f"In-network reduction ({variant})" if several else "In-network reduction"
