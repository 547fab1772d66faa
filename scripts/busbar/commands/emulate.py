"""`busbar emulate`: run any command on an emulated fabric."""

from __future__ import annotations

from typing import Annotated

import typer

from busbar import emulate as emulated
from busbar.errors import Incomplete, UsageError

_EXAMPLES = """
[bold]Examples[/bold]

  busbar emulate -- mpirun hostname

  busbar emulate --hosts 6 --rate 400mbit --rate host2.tx=100mbit -- mpirun ./my-mpi-program

  busbar emulate --hosts 8 --leaves 2 --uplink 800mbit -- mpirun ./my-mpi-program
"""


def emulate(
    command: Annotated[list[str], typer.Argument(help="What to run on the login host.")],
    *,
    hosts: Annotated[
        int | None, typer.Option(help="Hosts. Default: two per core of this machine.")
    ] = None,
    rate: Annotated[
        list[str] | None,
        typer.Option(help="Link rate: 400mbit for all, host2=100mbit for one; repeatable."),
    ] = None,
    leaves: Annotated[
        int, typer.Option(help="Switches that share the hosts; with 2 or more, below a spine.")
    ] = 1,
    uplink: Annotated[
        list[str] | None,
        typer.Option(
            help="Rate from leaf to spine, each way: 800mbit for all, leaf2=400mbit for one; "
            "repeatable."
        ),
    ] = None,
    aggregators: Annotated[
        int, typer.Option(help="Give every switch a host SWITCH-agg for this many processes.")
    ] = 0,
) -> None:
    """Run a command on the login host of a fresh emulated fabric.

    mpirun finds its hosts there by itself. The exit code is the command's; nothing is left behind.
    """
    try:
        spec = emulated.spec_from_options(
            hosts, rate or [], leaves=leaves, uplinks=uplink or [], aggregators=aggregators
        )
    except ValueError as error:
        raise UsageError(f"{error}.") from None
    if (problem := emulated.preflight()) is not None:
        raise Incomplete(problem)
    raise typer.Exit(emulated.run(spec, command))


emulate.__doc__ = f"{emulate.__doc__}\n{_EXAMPLES}"
