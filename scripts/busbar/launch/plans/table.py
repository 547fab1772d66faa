"""A plan as it is shown before it begins: its stages, what is waived and why, and its seconds."""

from __future__ import annotations

from collections import Counter

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from busbar.launch.plans.rows import StageRows
from busbar.launch.plans.staged import Staged
from busbar.record.models import PlannedPoint
from busbar.units import format_size

_NAMED = 3  # groups in a line


def print_plan(console: Console, staged: Staged) -> None:
    """What will be measured, what will not, and how long it takes."""
    plan, layout, effort = staged.job.plan, staged.layout, staged.effort
    fabric = staged.job.fabric.name if staged.job.fabric else "none"
    where = f"{len(layout.placement)} ranks on {_many(len(layout.hosts), 'host')}"
    _say(console, f"Plan {plan.name}: {where}, transport {staged.job.transport}, fabric {fabric}")
    console.print(_stages(staged))
    for stage, evidence, count in waivers(staged.stages):
        _say(console, f"waived, {_many(count, 'row')} of stage {stage}: {evidence}")
    if plan.thinned is not None:
        _say(console, plan.thinned)
    environments = len({tuple(sorted(v.environment.items())) for v in plan.variants})
    launches = f"{effort.launches} launches" + (
        f" of each of {environments} environments" if environments > 1 else ""
    )
    stopping = plan.stopping
    least = stopping.min_samples if stopping else effort.samples
    samples = (
        f"{least} samples" if least == effort.samples else f"{least} to {effort.samples} samples"
    )
    budget = "" if plan.budget_seconds is None else f" of {plan.budget_seconds:g} s"
    _say(
        console,
        f"{launches}, {samples} in a block: at most about {staged.seconds:.0f} s, after "
        f"{staged.probe_seconds:.0f} s of a probe{budget}.",
    )


def waivers(stages: tuple[StageRows, ...]) -> list[tuple[str, str, int]]:
    """Stage, evidence and number of rows of each waiver."""
    counted = Counter(
        (row.stage or "", row.evidence or "")
        for one in stages
        for row in one.rows
        if row.need == "waived"
    )
    return [(stage, evidence, count) for (stage, evidence), count in counted.items()]


def _stages(staged: Staged) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("stage", no_wrap=True)
    for column in ("groups", "measured"):
        table.add_column(column)
    for column in ("required", "optional", "waived", "s/launch"):
        table.add_column(column, justify="right", no_wrap=True)
    for one, seconds in zip(staged.stages, staged.stage_seconds, strict=True):
        needs = Counter(row.need for row in one.rows)
        table.add_row(
            escape(one.stage.name),
            escape(_groups(one)),
            escape("; ".join(_measured(one.rows)) or "-"),
            *(str(needs[need]) for need in ("required", "optional", "waived")),
            f"{seconds:.1f}",
        )
    return table


def _groups(one: StageRows) -> str:
    names = [group.name for group in one.groups]
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "") or "-"


def _measured(rows: tuple[PlannedPoint, ...]) -> list[str]:
    """`all_reduce 8, 4M (default, in_network)` for each operation."""
    found: dict[str, tuple[set[int], dict[str, None]]] = {}
    for row in rows:
        if row.need != "waived":
            sizes, variants = found.setdefault(row.key.op, (set(), {}))
            sizes.add(row.key.size_bytes)
            variants[row.key.variant] = None
    return [
        f"{op} {', '.join(format_size(size) for size in sorted(sizes))} ({', '.join(variants)})"
        for op, (sizes, variants) in found.items()
    ]


def _many(things: int, name: str) -> str:
    return f"{things} {name}" if things == 1 else f"{things} {name}s"


def _say(console: Console, text: str) -> None:
    console.print(escape(text), highlight=False, soft_wrap=True)
