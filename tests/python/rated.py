"""Records whose launches reach known shares of their bounds, on four emulated hosts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from busbar import fabrics
from busbar.check import CheckResult, RowResult
from busbar.check import check as judge
from busbar.fabrics import Fabric, Limit
from busbar.record.fold import fold
from busbar.record.key import Group
from busbar.record.lines import BlockLine, EndLine, JournalLine, RunLine
from busbar.record.models import PlannedPoint, RunRecord
from busbar.theory.bound import bound
from factories import FINISHED, HOSTS, Example, Row, block_line, journal_lines, launch_line

STAR = fabrics.load("emulated-4x400m")
Shares = Sequence[float]
SAMPLES = 3


def limit(op: str = "send_recv", at_least: float = 0.5, start: str = "1M", **more: Any) -> Limit:
    """A limit of the default variant."""
    return Limit.model_validate(
        {"op": op, "from": start, "at_least": at_least, "reason": "for a test", **more}
    )


def with_limits(*limits: Limit, fabric: Fabric = STAR) -> Fabric:
    """The four hosts with these limits and no others."""
    return fabric.model_copy(update={"limits": list(limits)})


def rated(rows: Mapping[Row, Shares], launches: int | None = None) -> RunRecord:
    """One point for each row, its launches at these shares of its bound.

    The plan has as many launches as the longest of them, or `launches`.
    """
    most = max(len(shares) for shares in rows.values())
    return fold(
        lines_of([(row, shares, {}, None) for row, shares in rows.items()], launches or most)
    )


def lines_of(
    rows: Sequence[tuple[Row, Shares, Mapping[str, Any], Group | None]], launches: int
) -> list[JournalLine]:
    """The journal; each row with changes of its key, and its group if it is not all ranks."""
    unlike = list(dict.fromkeys(row for row, *_ in rows))
    first = journal_lines(Example(rows=unlike, launches=1))[0]
    assert isinstance(first, RunLine)
    found: list[JournalLine] = []
    planned: list[PlannedPoint] = []
    for launch in range(max(len(shares) for _, shares, _, _ in rows)):
        found.append(launch_line(launch))
        for row, shares, changes, group in rows:
            if launch >= len(shares):
                continue
            line = _block(row, shares[launch], launch, changes, group)
            found.append(line)
            if launch == 0:
                planned.append(PlannedPoint(key=line.key.planned(), need="required", evidence=None))
    plan = first.run.plan.model_copy(update={"rows": planned, "launches": launches})
    run = first.run.model_copy(update={"plan": plan})
    end = EndLine(finished=FINISHED, status="complete")
    return [first.model_copy(update={"run": run}), *found, end]


def _block(
    row: Row, share: float, launch: int, changes: Mapping[str, Any], group: Group | None
) -> BlockLine:
    ranks = HOSTS if group is None else group.size()
    theory = bound(STAR, row.op, row.size_bytes, STAR.placement(nodes=ranks))
    assert theory is not None
    line = block_line(row, launch, [theory.time_us / share] * SAMPLES)
    update = dict(changes) | ({} if group is None else {"group": group})
    body = line.block
    if group is not None:
        body = body.model_copy(update={"ranks": None, "wire": None})
    return line.model_copy(update={"key": line.key.model_copy(update=update), "block": body})


def check(record: RunRecord, fabric: Fabric, **more: Any) -> CheckResult:
    """The judge, which takes fakes here."""
    return judge(record, fabric, accept_fake=True, **more)


def only(result: CheckResult) -> RowResult:
    """The only row."""
    (row,) = result.rows
    return row
