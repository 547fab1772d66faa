"""The verdicts as a table on the terminal."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from busbar.check.gain_table import print_gains
from busbar.check.result import CheckResult, RowResult, Verdict
from busbar.units import format_time_us, percent

_STYLE = {
    Verdict.PASS: "green",
    Verdict.FAIL: "bold red",
    Verdict.WRONG_DATA: "bold red",
    Verdict.IMPOSSIBLE: "bold red",
    Verdict.NOT_USED: "bold red",
    Verdict.HANG: "bold red",
    Verdict.MISSING: "yellow",
    Verdict.UNSURE: "yellow",
    Verdict.WAIVED: "cyan",
    Verdict.UNJUDGED: "dim",
}


def print_result(console: Console, result: CheckResult) -> None:
    """Findings, title, notes, a line per row, the reasons of what did not pass, gains, counts."""
    print_findings(console, result.findings)
    for line in (result.title, *result.notes):
        console.print(escape(line), highlight=False)
    console.print(verdict_table(result))
    for row in result.rows:
        if row.verdict not in (Verdict.PASS, Verdict.UNJUDGED):
            style = _STYLE[row.verdict]
            text = f"[{style}]{row.verdict.value}[/] {escape(row.label)}: {escape(row.reason)}"
            console.print(text, highlight=False)
    for reason in dict.fromkeys(r.reason for r in result.rows if r.verdict is Verdict.UNJUDGED):
        count = sum(r.verdict is Verdict.UNJUDGED and r.reason == reason for r in result.rows)
        console.print(f"[dim]UNJUDGED[/] {count} rows: {escape(reason)}", highlight=False)
    _print_pairs(console, result.pairs)
    _print_counters(console, result.counters)
    print_gains(console, result.gains)
    for command in result.settle:
        console.print("What is open would be settled by", highlight=False)
        # Whole, so that it can be copied.
        console.print(f"  {escape(command)}", highlight=False, soft_wrap=True)
    console.print(result.summary, highlight=False)


def _print_pairs(console: Console, rows: Sequence[RowResult]) -> None:
    """What did not pass; a culprit's sentence is among the findings already."""
    for row in rows:
        if row.verdict is Verdict.PASS:
            continue
        style = _STYLE[row.verdict]
        reason = "named above." if row.verdict is Verdict.FAIL else escape(row.reason)
        text = f"[{style}]{row.verdict.value}[/] {escape(row.label)}: {reason}"
        console.print(text, highlight=False)


def _print_counters(console: Console, rows: Sequence[RowResult]) -> None:
    """All of them: they are few, and a waiver must be seen."""
    for row in rows:
        text = f"[{_STYLE[row.verdict]}]{row.verdict.value}[/] {escape(row.label)}: "
        console.print(f"{text}{escape(row.reason)}", highlight=False)


def print_findings(console: Console, findings: Sequence[str]) -> None:
    """Before anything else."""
    for line in findings:
        console.print(escape(line), style="bold red", highlight=False)


def verdict_table(result: CheckResult) -> Table:
    """One line per row: time with its interval, the bound, the share of it, the verdict."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("row", no_wrap=True)
    for column in ("time", "+-%", "bound", "% of bound", "limit"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    for row in result.rows:
        table.add_row(
            escape(row.label),
            format_time_us(row.median_us),
            _half_width(row),
            format_time_us(row.bound.time_us if row.bound else None),
            share_text(row),
            _limit(row),
            f"[{_STYLE[row.verdict]}]{row.verdict.value}[/]",
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


def _limit(row: RowResult) -> str:
    """`90%`, or `90% of expected`, with the share that there is of it."""
    if row.limit is None:
        return "-"
    if row.limit_of == "bound" or row.share is None:
        return percent(row.limit)
    return f"{percent(row.limit)} of expected, has {row.share:.1%}"


def _half_width(row: RowResult) -> str:
    """Half the 95 % interval over launches, in percent of the median."""
    if row.ci95_us is None or not row.median_us:
        return "-"
    low, high = row.ci95_us
    return f"{50 * (high - low) / row.median_us:.1f}"
