"""`busbar theory` of a GPU cluster: bounds, and the expected time of each algorithm."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from busbar.errors import UsageError
from busbar.fabrics import Fabric
from busbar.fabrics.cluster import Cluster
from busbar.theory.cluster.bounds import Slope
from busbar.theory.cluster.layout import Layout, lay_out
from busbar.theory.cluster.shape import Shape
from busbar.theory.cluster.table import Rows, Times, rows
from busbar.theory.gain import HOSTS_AT_BOUND
from busbar.theory.operations import OPERATIONS
from busbar.units import format_size, format_time_us


def shape_from_options(
    cluster: Cluster, gpus: int | None, nodes: int | None, ranks_per_node: int | None
) -> Shape:
    """One rank per GPU on all nodes, or as the options say. Raises UsageError if they do not fit.

    The last node may have fewer ranks.
    """
    if gpus is not None and nodes is not None:
        raise UsageError("--gpus and --nodes both say how many: accepted is one of them.")
    per_node = cluster.node.gpus if ranks_per_node is None else ranks_per_node
    count = cluster.node.count if nodes is None else nodes
    ranks = count * per_node if gpus is None else gpus
    if ranks < 1:
        raise UsageError(f"{ranks} ranks: accepted is 1 or more.")
    return Shape(ranks, min(per_node, ranks))


def print_cluster(
    out: Console, fabric: Fabric, shape: Shape, sizes_of: Mapping[str, Sequence[int]],
    *, in_network: bool,
) -> None:  # fmt: skip
    """Two tables for each operation: by hosts, and in the network where switches reduce.

    `in_network`: the second also where the fabric does not say that any do. Raises UsageError if
    the cluster has no room for that shape.
    """
    assert fabric.cluster is not None
    layout = lay_out(fabric.cluster, shape)
    scale_up = fabric.cluster.scale_up
    stated = fabric.in_network is not None or bool(scale_up and scale_up.in_network)
    for op, sizes in sizes_of.items():
        found = rows(fabric, layout, op, np.asarray(sizes, dtype=np.int64))
        out.print(_host_table(_title(fabric, layout, op), found))
        out.print(escape(_set_by(found.bound)), highlight=False)
        what = OPERATIONS[op]
        if (stated or in_network) and what.in_network is not None and what.phases:
            _print_in_network(out, op, found)
    if in_network and not stated:
        out.print(f"Fabric {fabric.name} does not say that its switches reduce: supposed here.")
    for sentence in _of_direct_links(fabric.cluster, shape):
        out.print(escape(sentence), highlight=False)


def _of_direct_links(cluster: Cluster, shape: Shape) -> Iterator[str]:
    """What holds of a dragonfly alone."""
    for tier in cluster.tiers:
        if tier.joined == "directly" and tier.nodes < shape.nodes():
            payload = cluster.pair_gbs(tier) * cluster.payload_share()
            yield (
                f"Each {tier.name} has a link of {payload:.1f} GB/s to each other. All times are "
                "for routes that spread what two of them exchange over the links of all; what goes "
                "by the one link between two takes longer, as in a simulation."
            )


def _title(fabric: Fabric, layout: Layout, op: str) -> str:
    ranks, nodes = layout.ranks, layout.shape.nodes()
    return f"{op} on {fabric.name}: {ranks} GPUs on {nodes} node{'s' if nodes > 1 else ''}"


def _host_table(title: str, found: Rows) -> Table:
    return _table(title, found, found.bound_us, found.hosts_us)


def _print_in_network(out: Console, op: str, found: Rows) -> None:
    if found.network_bound is None:
        out.print(f"{op} in the network: its switches have nothing to do here.", highlight=False)
        return
    title = f"{op} in the network"
    out.print(_table(title, found, found.network_bound_us, found.network_us))
    out.print(escape(_set_by(found.network_bound)), highlight=False)
    gains = ", ".join(f"{gain:.2f} over {name}" for name, gain in _gains(found))
    out.print(escape(f"By bytes alone it gains at most {gains}."), highlight=False)


def _gains(found: Rows) -> Iterator[tuple[str, float]]:
    assert found.network_bound is not None
    at_best = found.network_bound.us_per_byte
    if found.bound is not None:
        yield HOSTS_AT_BOUND, found.bound.us_per_byte / at_best
    for name, us_per_byte in found.baselines.items():
        yield name, us_per_byte / at_best


def _set_by(slope: Slope | None) -> str:
    if slope is None:
        return "No byte of it has to wait for a link."
    limit = slope.limit
    return f"Set by: {limit.cut}, {limit.share:.4g} of the size at {limit.gbs:.1f} GB/s."


def _table(
    title: str, found: Rows, bound_us: Times | None, expected_us: Mapping[str, Times]
) -> Table:
    """One line per size; a column per algorithm holds the time to expect of it."""
    table = Table(title=escape(title), title_justify="left")
    for column in ("size", "bound", "algbw GB/s", "busbw GB/s", *expected_us):
        table.add_column(column, justify="right", no_wrap=True)
    speeds: tuple[Times, Times] | None = None
    if bound_us is not None:
        speeds = found.algbw_gbs(bound_us), found.busbw_gbs(bound_us)
    for row, size in enumerate(found.sizes):
        known = bound_us is not None and size > 0
        time_us = float(bound_us[row]) if bound_us is not None and known else None
        table.add_row(
            format_size(int(size)),
            format_time_us(time_us),
            *(f"{each[row]:.2f}" if known else "-" for each in speeds or ()),
            *(["-", "-"] if speeds is None else []),
            *(format_time_us(float(times[row])) for times in expected_us.values()),
        )
    return table
