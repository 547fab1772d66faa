"""The second table of `busbar theory`: what switches that reduce allow, and what it can gain."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from busbar.fabrics import Fabric
from busbar.theory.bound import bound
from busbar.theory.constants import from_fabric
from busbar.theory.expected import expected_in_network
from busbar.theory.gain import most
from busbar.units import format_size, format_time_us

_WHERE = {
    "all_reduce": "Hosts alone each send 2(N-1)/N of the size, with switches only the size.",
    "reduce": "Hosts at their bound send the size once too: only message steps can be saved.",
    "broadcast": "Hosts at their bound send the size once too: only message steps can be saved.",
    "reduce_scatter": "Up to N/(N-1) is lost, as a host's own chunk goes up too: only message "
    "steps can be saved.",
    "all_gather": "A host takes in what it lacks either way: only message steps can be saved.",
    "barrier": "It carries no data: only message steps can be saved.",
}


def print_in_network(
    out: Console, fabric: Fabric, op: str, sizes: Sequence[int], placement: tuple[str, ...]
) -> None:
    """The bound in the network of each size, and in words where the gain comes from."""
    out.print(in_network_table(fabric, op, sizes, placement))
    out.print(escape(_WHERE[op]), highlight=False)
    largest = most(fabric, op, sizes[-1], placement)
    if len(largest) > 1:
        others = ", ".join(f"{one.gain:.2f} over {one.baseline}" for one in largest[1:])
        text = f"At {format_size(sizes[-1])}, by bytes alone, at most {others}."
        out.print(escape(text), highlight=False)


def in_network_table(
    fabric: Fabric, op: str, sizes: Sequence[int], placement: tuple[str, ...]
) -> Table:
    """One line per size; the title names what the gain is over."""
    constants = from_fabric(fabric)
    expected = {n: expected_in_network(fabric, op, n, placement, constants) for n in sizes}
    gains = {n: next(iter(most(fabric, op, n, placement)), None) for n in sizes}
    over = next((gain.baseline for gain in reversed(gains.values()) if gain), "hosts")
    with_expected = any(expected.values())
    title = f"{op} in the network, and the most it can gain over {over}"
    table = Table(title=escape(title), title_justify="left")
    for column in ("size", "bound", "algbw GB/s", "busbw GB/s", "set by"):
        table.add_column(column, justify="left" if column == "set by" else "right", no_wrap=True)
    table.add_column("at most", justify="right", no_wrap=True)
    if with_expected:
        table.add_column("expected", justify="right", no_wrap=True)
    for size in sizes:
        limit = bound(fabric, op, size, placement, in_network=True)
        gain, likely = gains[size], expected[size]
        cells = [
            format_size(size),
            format_time_us(limit.time_us if limit else None),
            f"{limit.algbw_gbs:.4f}" if limit else "-",
            f"{limit.busbw_gbs:.4f}" if limit else "-",
            escape(limit.cut) if limit else "latency only",
            f"{gain.gain:.2f}" if gain else "-",
        ]
        cells += [format_time_us(likely.time_us if likely else None)] if with_expected else []
        table.add_row(*cells)
    return table
