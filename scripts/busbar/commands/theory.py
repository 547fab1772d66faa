"""`busbar theory`: what a fabric allows, before anything is measured."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from busbar import fabrics
from busbar.commands.theory_in_network import print_in_network
from busbar.emulate.spec import spec_from_options
from busbar.errors import UsageError
from busbar.fabrics import Fabric
from busbar.terminal import console
from busbar.theory.bound import bound, operation
from busbar.theory.constants import from_fabric
from busbar.theory.expected import expected
from busbar.theory.operations import OPERATIONS
from busbar.units import format_size, format_time_us, parse_size, sweep


def theory(
    fabric: Annotated[
        str,
        typer.Argument(help="Name from the catalogue, path of a .toml file, or `emulated`."),
    ],
    *,
    op: Annotated[
        list[str] | None, typer.Option("--op", help="Operation; may be repeated. Default: all.")
    ] = None,
    min_size: Annotated[
        str | None, typer.Option("--min", help="Smallest size, such as 64K. Default: the fabric's.")
    ] = None,
    max_size: Annotated[
        str | None, typer.Option("--max", help="Largest size, such as 16M. Default: the fabric's.")
    ] = None,
    factor: Annotated[
        int | None, typer.Option(help="Each size over the one before. Default: the fabric's.")
    ] = None,
    ranks_per_node: Annotated[
        int | None,
        typer.Option(help="Ranks on each host. Default: 1, of a GPU cluster one per GPU."),
    ] = None,
    nodes: Annotated[
        int | None, typer.Option(help="Use only the first so many hosts. Default: all.")
    ] = None,
    gpus: Annotated[
        int | None,
        typer.Option(help="Ranks on the first nodes of a GPU cluster, instead of --nodes."),
    ] = None,
    hosts: Annotated[
        int | None,
        typer.Option(help="Hosts of fabric `emulated`. Default: by this machine's cores."),
    ] = None,
    rate: Annotated[
        list[str] | None,
        typer.Option(
            help="Link rate of fabric `emulated`: 400mbit, or host2=100mbit for one host, "
            "host2.tx or host2.rx for one direction; may be repeated."
        ),
    ] = None,
    leaves: Annotated[
        int | None,
        typer.Option(
            help="Leaf switches of fabric `emulated`, below a spine. Default: one switch."
        ),
    ] = None,
    uplink: Annotated[
        list[str] | None,
        typer.Option(
            help="Rate from leaf to spine of fabric `emulated`, each way: 800mbit, or "
            "leaf2=400mbit for one, leaf2.tx or leaf2.rx for one direction; may be repeated."
        ),
    ] = None,
    in_network: Annotated[
        bool,
        typer.Option(
            "--in-network", help="Also for switches that reduce, if the fabric does not say so."
        ),
    ] = False,
) -> None:
    """Show the bound and the expected time of each operation and size on a fabric.

    The bound is the shortest time physics allows; the cut that sets it is named. The expected
    time is that of the fastest algorithm that is modelled, where the fabric states its constants.
    Where switches can reduce, a second table has their bound, and the most that it can gain.

    On a GPU cluster there is a column for each algorithm of NCCL that can run.

    Examples:

    busbar theory emulated-4x400m

    busbar theory emulated-4x400m --op all_reduce --min 64K --max 16M

    busbar theory emulated --hosts 6 --rate 400mbit --rate host2=100mbit

    busbar theory emulated --hosts 8 --leaves 2 --uplink 800mbit --in-network

    busbar theory ./our-cluster.toml --ranks-per-node 8

    busbar theory ./our-cluster.toml --op all_reduce --gpus 1024
    """
    chosen = _fabric(fabric, hosts, rate or [], leaves, uplink or [])
    out = console()
    if chosen.kind == "shared_memory":
        out.print(
            f"Fabric {chosen.name} has no bound: through shared memory, what to expect comes from "
            "the copy bandwidth that a run measures (operation memory_copy)."
        )
        return
    sizes_of = {}
    for name in op or [name for name, what in OPERATIONS.items() if what.phases]:
        operation(name)
        sizes_of[name] = _sizes(chosen, name, min_size, max_size, factor)
    if chosen.cluster is not None:
        # NumPy takes a while to load.
        from busbar.commands.theory_cluster import print_cluster, shape_from_options

        shape = shape_from_options(chosen.cluster, gpus, nodes, ranks_per_node)
        print_cluster(out, chosen, shape, sizes_of, in_network=in_network)
        return
    if gpus is not None:
        raise UsageError(
            f"--gpus does not fit fabric '{chosen.name}': accepted is a GPU cluster's."
        )
    placement = chosen.placement(1 if ranks_per_node is None else ranks_per_node, nodes)
    for name, sizes in sizes_of.items():
        out.print(_table(chosen, name, sizes, placement))
        if (in_network or chosen.in_network) and operation(name).in_network is not None:
            print_in_network(out, chosen, name, sizes, placement)
    if in_network and chosen.in_network is None:
        out.print(f"Fabric {chosen.name} does not say that its switches reduce: supposed here.")


def _fabric(
    name: str, hosts: int | None, rates: list[str], leaves: int | None, uplinks: list[str]
) -> Fabric:
    if name != "emulated":
        if hosts is not None or leaves is not None or rates or uplinks:
            raise UsageError(
                f"--hosts, --rate, --leaves and --uplink do not fit fabric '{name}': accepted is "
                "fabric 'emulated'."
            )
        return fabrics.load(name)
    try:
        spec = spec_from_options(
            hosts, rates, leaves=1 if leaves is None else leaves, uplinks=uplinks
        )
        return fabrics.from_emulation(spec.model_dump(mode="json"))
    except ValueError as error:
        raise UsageError(f"{error}.") from None


def _sizes(
    fabric: Fabric, op: str, min_size: str | None, max_size: str | None, factor: int | None
) -> list[int]:
    if min_size is None and max_size is None and factor is None:
        return list(fabric.sizes(op))
    default = fabric.sweep
    return list(
        sweep(
            parse_size(default.min if min_size is None else min_size),
            parse_size(default.max if max_size is None else max_size),
            default.factor if factor is None else factor,
        )
    )


def _table(fabric: Fabric, op: str, sizes: list[int], placement: tuple[str, ...]) -> Table:
    hosts = len(set(placement))
    title = f"{op} on {fabric.name}: {len(placement)} ranks on {hosts} hosts"
    constants = from_fabric(fabric)
    rows = [(n, bound(fabric, op, n, placement)) for n in sizes]
    best = {n: next(iter(expected(fabric, op, n, placement, constants)), None) for n in sizes}
    table = Table(title=escape(title), title_justify="left")
    for column in ("size", "bound", "algbw GB/s", "busbw GB/s", "set by"):
        table.add_column(column, justify="left" if column == "set by" else "right", no_wrap=True)
    with_expected = any(best.values())
    if with_expected:
        table.add_column("expected")
    for size, limit in rows:
        cells = [
            format_size(size),
            format_time_us(limit.time_us if limit else None),
            f"{limit.algbw_gbs:.4f}" if limit else "-",
            f"{limit.busbw_gbs:.4f}" if limit else "-",
            escape(limit.cut) if limit else "latency only",
        ]
        likely = best[size]
        if with_expected:
            text = f"{format_time_us(likely.time_us)} ({likely.algorithm})" if likely else "-"
            cells.append(text)
        table.add_row(*cells)
    return table
