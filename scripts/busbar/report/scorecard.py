"""The scorecard: percent of bound of every row, curves down, sizes across."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from busbar.report.panels import Panel
from busbar.report.rows import Grade, Row
from busbar.report.text import size


@dataclass(frozen=True)
class ScoreLine:
    """One curve: its row at each size of the scorecard, None where none was planned."""

    op: str
    name: str
    setting: str
    cells: tuple[Row | None, ...]
    first_of_op: bool


@dataclass(frozen=True)
class Scorecard:
    """Sizes across, curves down."""

    sizes: tuple[str, ...]
    """Only those at which some row has a share of its bound, or a fault."""
    lines: tuple[ScoreLine, ...]


def scorecard(panels: Sequence[Panel]) -> Scorecard:
    """The scorecard of all panels, without lines and sizes that say nothing."""
    sizes = sorted({row.key.size_bytes for p in panels for row in p.rows if _speaks(row)})
    lines: list[ScoreLine] = []
    for panel in panels:
        for curve in panel.curves:
            by_size = {row.key.size_bytes: row for row in curve.rows}
            if not any(_speaks(row) for row in curve.rows):
                continue
            lines.append(
                ScoreLine(
                    op=panel.op,
                    name=f"{curve.name} · {panel.group}" if panel.group else curve.name,
                    setting=panel.setting,
                    cells=tuple(by_size.get(s) for s in sizes),
                    first_of_op=not lines or lines[-1].op != panel.op,
                )
            )
    return Scorecard(tuple(size(s) for s in sizes), tuple(lines))


def _speaks(row: Row) -> bool:
    return row.percent is not None or row.grade is not Grade.NEUTRAL
