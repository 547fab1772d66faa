"""`busbar claims`: do a vendor's claims hold here?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from busbar import fabrics
from busbar.claims.judge import EXIT_CODES, Measured
from busbar.claims.judge import judge as hold_against
from busbar.claims.model import CLAIMS
from busbar.claims.table import print_claim, print_claims, print_result
from busbar.errors import UsageError
from busbar.record.load import load
from busbar.record.origin import not_real
from busbar.terminal import console

_HELP = """What vendors claim, the scenario that tests it, and whether it holds on your records.

[bold]Examples[/bold]

  busbar claims list

  busbar claims show in-network-1.8x

  busbar claims check in-network-1.8x acceptance.json

  busbar claims check ./our-offer.toml ours.json theirs.json
"""

claims = typer.Typer(no_args_is_help=True, rich_markup_mode="rich", help=_HELP)

ClaimName = Annotated[
    str, typer.Argument(metavar="CLAIM", help="Name of a claim, or a .toml file of your own.")
]


@claims.command("list")
def list_claims() -> None:
    """The claims that come with Busbar, each with what tests it."""
    print_claims(console(), [CLAIMS.load(name) for name in CLAIMS.names()])


@claims.command("show")
def show(claim: ClaimName) -> None:
    """One claim: who claims it, what to measure, the figure it must reach."""
    print_claim(console(), CLAIMS.load(claim))


@claims.command("check")
def check(
    claim: ClaimName,
    records: Annotated[
        list[Path],
        typer.Argument(
            metavar="RECORD...",
            help="Run records (.json), or journals; where two are compared, first the one that is "
            "claimed to be faster.",
        ),
    ],
    fabric: Annotated[
        str | None,
        typer.Option(
            help="Fabric for shares of the bound: name or .toml file. "
            "Default: for each record the one it was measured on."
        ),
    ] = None,
) -> None:
    """Hold records against a claim, by intervals over launches, size by size.

    Exit code: 0 it holds for every operation and at every size of its scenario; 1 it does not, or
    data was wrong, or a size hung; 2 bad usage; 3 the interval contains the figure, a figure is
    missing or not to be trusted, or the records do not have the scenario.

    Examples:

    busbar claims check in-network-1.8x acceptance.json

    busbar claims check noisy-neighbour-2.2x ours.json theirs.json
    """
    wanted = CLAIMS.load(claim)
    if len(records) != wanted.records():
        many = "two records" if wanted.records() == 2 else "one record"
        raise UsageError(
            f"claim '{wanted.name}' compares {many}, {len(records)} given; accepted: "
            + ("CLAIMED BASELINE" if wanted.records() == 2 else "RECORD")
        )
    measured = [_measured(path, fabric) for path in records]
    result = hold_against(wanted, measured)
    print_result(console(), result, [_title(one) for one in measured], _unreal(measured))
    raise typer.Exit(int(EXIT_CODES[result.outcome]))


def _measured(path: Path, fabric: str | None) -> Measured:
    record = load(path)
    found = fabrics.load(fabric) if fabric is not None else fabrics.for_run(record.run)
    return Measured(path.name, record, found)


def _unreal(measured: Sequence[Measured]) -> str:
    """What the verdict rests on where not all of it was real hardware, for its very line."""
    said = {one.name: unreal for one in measured if (unreal := not_real(one.record.run))}
    if len(said) < len(measured):
        return "; ".join(f"{name}: {unreal}" for name, unreal in said.items())
    return "; ".join(dict.fromkeys(said.values()))


def _title(one: Measured) -> str:
    against = f" on fabric {one.fabric.name}" if one.fabric else ""
    unreal = not_real(one.record.run)
    return f"{one.name}: run {one.record.run.id}{f' ({unreal})' if unreal else ''}{against}"
