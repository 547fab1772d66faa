"""What reduction in the network gained, as a table on the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from busbar.check.gain import Gain, GainRow
from busbar.check.label import point_label

_LEGEND = (
    "algbw and busbw in GB/s; sent: by the busiest host, over the size; gain: time of the baseline "
    "over time in the network, median and 95 % interval over launches; best: chosen by the same "
    "figures, which favours it; at most: the gain that the bounds allow over hosts at their bound."
)


def print_gains(console: Console, rows: Sequence[GainRow]) -> None:
    """A table for each variant that reduces in the network, and a legend; nothing for no row."""
    for variant in dict.fromkeys(row.key.variant for row in rows):
        of_variant = [row for row in rows if row.key.variant == variant]
        console.print(gain_table(variant, of_variant))
        unproven = [point_label(row.key) for row in of_variant if row.in_network is None]
        if unproven:
            console.print(
                f"Not proven to be reduced in the network: {escape(', '.join(unproven))}.",
                highlight=False,
            )
    if rows:
        console.print(f"[dim]{_LEGEND}[/]", highlight=False)


def gain_table(variant: str, rows: Sequence[GainRow]) -> Table:
    """One line per point and baseline; what holds for the point stands on its first."""
    title = f"Gain of variant {variant} over what hosts do"
    table = Table(title=escape(title), title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("point")
    for column in ("hosts", "algbw", "busbw", "sent"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("over", no_wrap=True)
    for column in ("gain", "at most"):
        table.add_column(column, justify="right", no_wrap=True)
    for row in rows:
        for index, gain in enumerate(row.gains or (None,)):
            figures = _figures(row) if index == 0 else ("",) * 5
            table.add_row(*figures, *_over(gain), _at_most(row, gain))
    return table


def _figures(row: GainRow) -> tuple[str, ...]:
    return (
        escape(point_label(row.key)),
        str(row.hosts),
        _number(row.algbw_gbs, ".4f"),
        _number(row.busbw_gbs, ".4f"),
        _number(row.sent_over_size, ".3f"),
    )


def _over(gain: Gain | None) -> tuple[str, str]:
    if gain is None:
        return "-", "-"
    name = f"{gain.baseline} (best)" if gain.kind == "best" else gain.baseline
    return escape(name), gain_text(gain)


def _at_most(row: GainRow, gain: Gain | None) -> str:
    if gain is None or gain.kind != "bound" or row.most is None:
        return ""
    return f"{row.most.gain:.2f}"


def gain_text(gain: Gain) -> str:
    """A gain with its interval: `1.47 (1.46 to 1.48)`."""
    if gain.ci95 is None:
        return f"{gain.ratio:.2f}"
    low, high = gain.ci95
    return f"{gain.ratio:.2f} ({low:.2f} to {high:.2f})"


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)
