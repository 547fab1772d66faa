"""The verdicts as a table on the terminal."""

from __future__ import annotations

import math

from rich.markup import escape
from rich.table import Table

from busbar.check.result import CheckResult, RowResult, Verdict
from busbar.units import format_time_us

_STYLE = {
    Verdict.PASS: "green",
    Verdict.FAIL: "bold red",
    Verdict.WRONG_DATA: "bold red",
    Verdict.IMPOSSIBLE: "bold red",
    Verdict.HANG: "bold red",
    Verdict.MISSING: "yellow",
    Verdict.UNSURE: "yellow",
    Verdict.WAIVED: "cyan",
    Verdict.UNJUDGED: "dim",
}


def verdict_table(result: CheckResult) -> Table:
    """One line per row: time with its interval, the bound, the share of it, the verdict."""
    table = Table()
    table.add_column("row", no_wrap=True)
    table.add_column("median", justify="right")
    table.add_column("95 % interval", justify="right")
    table.add_column("bound", justify="right")
    table.add_column("% of bound", justify="right")
    table.add_column("limit", justify="right")
    table.add_column("verdict")
    table.add_column("reason")
    for row in result.rows:
        table.add_row(
            escape(row.label),
            format_time_us(row.median_us),
            _interval_us(row),
            format_time_us(row.bound.time_us if row.bound else None),
            share_text(row),
            "-" if row.limit is None else f"{row.limit:.0%}",
            f"[{_STYLE[row.verdict]}]{row.verdict.value}[/]",
            escape(row.reason),
        )
    return table


def share_text(row: RowResult) -> str:
    """The share of the bound with its interval: `97.1 (96.8 to 97.3)`; `-` if there is none."""
    if row.fraction is None:
        return "-"
    if row.fraction_ci95 is None:
        return f"{100 * row.fraction:.1f}"
    low, high = row.fraction_ci95
    upper = "any" if math.isinf(high) else f"{100 * high:.1f}"
    return f"{100 * row.fraction:.1f} ({100 * low:.1f} to {upper})"


def _interval_us(row: RowResult) -> str:
    if row.ci95_us is None:
        return "-"
    return " to ".join(format_time_us(limit) for limit in row.ci95_us)
