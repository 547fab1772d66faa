"""`busbar fabrics`: the catalogue of fabrics, and files for those of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from busbar.commands.fabrics_show import print_fabric, print_names
from busbar.fabrics.guess import guess
from busbar.fabrics.load import find
from busbar.fabrics.seen import seen_here, seen_in
from busbar.fabrics.site_file import write_new
from busbar.record.load import load as load_record
from busbar.terminal import console

_HELP = """
The catalogue of fabrics: what hardware can do, each figure with its source.

Examples:

busbar fabrics list

busbar fabrics show dgx-h100

busbar fabrics new our-cluster.toml
"""

fabrics = typer.Typer(help=_HELP, no_args_is_help=True)


@fabrics.command("list")
def list_() -> None:
    """Show the fabrics of the catalogue.

    Example:

    busbar fabrics list
    """
    print_names(console())


@fabrics.command()
def show(
    fabric: Annotated[
        str, typer.Argument(help="Name from the catalogue, or path of a .toml file.")
    ],
) -> None:
    """Show what a fabric's file states, with the source of each figure, and what follows.

    Figures of files that it extends are shown too, with the file that each comes from.

    Examples:

    busbar fabrics show dgx-h100

    busbar fabrics show ./our-cluster.toml
    """
    print_fabric(console(), find(fabric))


@fabrics.command()
def new(
    file: Annotated[Path, typer.Argument(help="File to write, NAME.toml; never one that exists.")],
    from_record: Annotated[
        Path | None,
        typer.Option(
            help="Run record whose hosts, GPUs and ports to describe, not this machine's."
        ),
    ] = None,
    extends: Annotated[
        str | None,
        typer.Option(
            help="Fabric of the catalogue that it is a case of, or a .toml file, seen from the new "
            "one's folder. Default: by the GPUs and ports."
        ),
    ] = None,
) -> None:
    """Write the file of a fabric of one's own: what was seen, and the rest from the catalogue.

    Each figure says where it was seen. What could not be told is said in one sentence, which also
    stands in the file: read it, and put in what you know.

    Examples:

    busbar fabrics new our-cluster.toml

    busbar fabrics new our-cluster.toml --from-record run.json --extends dgx-h100-superpod-2su
    """
    seen = seen_here() if from_record is None else seen_in(load_record(from_record))
    written = write_new(file, guess(seen, extends, file.parent))
    out = console()
    out.print(
        f"Written: {escape(str(file))}, an extension of {escape(written.extends)}",
        soft_wrap=True,
        highlight=False,
    )
    out.print(escape(written.unknown), style="yellow", soft_wrap=True, highlight=False)
