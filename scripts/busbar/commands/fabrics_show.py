"""What `busbar fabrics list` and `show` print."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from busbar.fabrics.cluster import Cluster
from busbar.fabrics.facts import facts
from busbar.fabrics.inheritance import Resolved
from busbar.fabrics.load import fabric_of, load, names, resolve
from busbar.fabrics.model import Fabric
from busbar.units import format_rate

_VALUE_WIDTH, _FILE_WIDTH = 26, 22
"""Columns of the terminal, so that sources have the rest."""


def print_names(out: Console) -> None:
    """The catalogue, a fabric a line."""
    table = Table(box=None, pad_edge=False)
    for column in ("fabric", "kind", "GPUs", "scale-up", "network", "description"):
        whole = column != "description"
        table.add_column(column, justify="right" if column == "GPUs" else "left", no_wrap=whole)
    for name in names():
        fabric = load(name)
        cells = [name, fabric.kind, _gpus(fabric), _scale_up(fabric), _network(fabric)]
        table.add_row(*(escape(cell) for cell in [*cells, fabric.description]))
    out.print(table, highlight=False)


def print_fabric(out: Console, path: Path) -> None:
    """A fabric's facts, what follows from them, and what is asked of it.

    Raises UsageError, one sentence, if it cannot be used.
    """
    resolved = resolve(path)
    fabric = fabric_of(resolved.document, str(path))
    out.print(f"[bold]{escape(fabric.name)}[/]: {escape(fabric.description)}", highlight=False)
    for extended, _ in resolved.files[1:]:
        out.print(f"extends {escape(extended.stem)} ({escape(str(extended))})", highlight=False)
    shown = _facts_table(resolved)
    if shown.row_count:
        out.print(shown, highlight=False)
    if fabric.cluster is not None:
        out.print(_levels_table(fabric), highlight=False)
        shares = _shares_table(fabric.cluster)
        if shares.row_count:
            out.print(shares, highlight=False)
    elif fabric.cuts():
        out.print(_cuts_table(fabric), highlight=False)
    sweep = fabric.sweep
    out.print(f"Sizes: {sweep.min} to {sweep.max}, each {sweep.factor} times the one before.")
    if fabric.limits:
        out.print(_limits_table(fabric), highlight=False)


def _gpus(fabric: Fabric) -> str:
    return "" if fabric.cluster is None else str(fabric.cluster.gpus())


def _scale_up(fabric: Fabric) -> str:
    if fabric.cluster is None or fabric.cluster.scale_up is None:
        return ""
    links = fabric.cluster.scale_up
    return f"{links.gpus} x {links.name}"


def _network(fabric: Fabric) -> str:
    if fabric.hosts is not None:
        return f"{fabric.hosts.count} x {format_rate(fabric.hosts.egress_bps.value)}"
    if fabric.cluster is None or fabric.cluster.nic is None:
        return ""
    nic = fabric.cluster.nic
    return f"{nic.per_node} x {nic.rate_bps.value / 1e9:g}G {nic.protocol}"


def _facts_table(resolved: Resolved) -> Table:
    inherits = len(resolved.files) > 1
    title = "What its files state" if inherits else "What its file states"
    table = Table(title=title, title_justify="left")
    table.add_column("figure", no_wrap=True)
    table.add_column("value", max_width=_VALUE_WIDTH)
    table.add_column("source")
    if inherits:
        table.add_column("file", max_width=_FILE_WIDTH, overflow="fold")
    for fact in facts(resolved):
        files = ", ".join(path.stem for path in fact.files)
        cells = [fact.key, fact.value, fact.source or "-", *([files] if inherits else [])]
        table.add_row(*(escape(cell) for cell in cells))
    return table


def _levels_table(fabric: Fabric) -> Table:
    assert fabric.cluster is not None
    columns = ("level", "GPUs", "line, each way", "payload", "of each GPU")
    table = _right("What follows: what a part can exchange with all the rest", columns)
    for level in fabric.cluster.levels():
        table.add_row(
            escape(level.name),
            str(level.gpus),
            f"{level.line_gbs:.6g} GB/s",
            f"{level.payload_gbs():.6g} GB/s",
            f"{level.payload_gbs() / level.gpus:.4g} GB/s",
        )
    return table


def _shares_table(cluster: Cluster) -> Table:
    columns = ("share of a group's uplinks", "of a group", "line, each way", "payload")
    table = _right("What follows: what uplinks consist of", columns)
    for name, count, gbs in _shares(cluster):
        payload = f"{gbs * cluster.payload_share():.6g} GB/s"
        table.add_row(escape(name), str(count), f"{gbs:.6g} GB/s", payload)
    return table


def _shares(cluster: Cluster) -> Iterator[tuple[str, int, float]]:
    """The parts of a tier's uplinks that not all NICs of a group have in common: how many, GB/s."""
    for tier in cluster.tiers:
        if tier.rails and cluster.nic is not None:
            rails = cluster.nic.per_node
            yield f"uplinks of a rail of a {tier.name}", rails, cluster.rail_gbs(tier)
        if tier.joined == "directly":
            others = cluster.groups(tier) - 1
            yield f"link to another {tier.name}", others, cluster.pair_gbs(tier)


def _cuts_table(fabric: Fabric) -> Table:
    columns = ("cut", "hosts", "out", "in")
    table = _right("What follows: what hosts can exchange with all the rest", columns)
    for cut in fabric.cuts():
        rates = [format_rate(port.rate_bps) for port in (cut.egress, cut.ingress)]
        table.add_row(escape(cut.name), str(len(cut.hosts)), *rates)
    return table


def _limits_table(fabric: Fabric) -> Table:
    table = Table(title="What a check asks of it", title_justify="left")
    for column in ("operation", "variant", "from", "at least", "reason"):
        table.add_column(column, justify="right" if column in ("from", "at least") else "left")
    for limit in fabric.limits:
        share = f"{100 * limit.at_least:g} % of {limit.of}"
        if limit.domains is not None:
            share += f", {limit.domains} domain{'s' if limit.domains == 'several' else ''}"
        cells = [limit.op, limit.variant, limit.from_size, share, limit.reason]
        table.add_row(*(escape(cell) for cell in cells))
    return table


def _right(title: str, columns: Sequence[str]) -> Table:
    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column, justify="left" if column == columns[0] else "right")
    return table
