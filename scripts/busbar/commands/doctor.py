"""`busbar doctor`: what on this machine or cluster would spoil a measurement?"""

from __future__ import annotations

import json
import re
import shlex
from typing import Annotated

import typer

from busbar.commands.options import Hostfile, MpiArgs
from busbar.doctor.examine import examine, refuse_unknown
from busbar.doctor.gather import gather
from busbar.doctor.table import as_document, print_examination
from busbar.errors import UsageError
from busbar.launch.where import Where
from busbar.terminal import console

_SHARP_PORT = 6126


def doctor(
    on: Annotated[str, typer.Option(help="Where: local, hostfile or slurm.")] = "local",
    hostfile: Hostfile = None,
    waive: Annotated[
        list[str] | None,
        typer.Option(
            help="Check whose findings are accepted, or that cannot be made here; repeatable. It "
            "is shown, and does not count.",
            metavar="CHECK",
        ),
    ] = None,
    sharp_manager: Annotated[
        str,
        typer.Option(
            help="SHARP's aggregation manager, which every host must reach. Port by default: 6126.",
            metavar="HOST[:PORT]",
        ),
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    deadline: Annotated[
        float, typer.Option(help="Seconds in which all hosts must have answered.")
    ] = 120.0,
    mpi_args: MpiArgs = "",
) -> None:
    """Say before measuring what would spoil a measurement, why, and how to mend it.

    Looks at versions, settings left behind, other load, processors, memory limits, PCI Express,
    GPUs and NVLink, network ports, RoCE and SHARP, on this machine or on every host of a launch,
    and compares hosts with each other. It reads and changes nothing; hosts need Python 3, no
    Busbar. Run it as the user, and in the container, that will measure; as root it also sees ACS.

    Exit code: 0 nothing spoils a measurement; 1 something does; 2 bad usage; 3 a check could not
    be made, or a host did not answer; 4 the hosts did not answer in time.

    Examples:

    busbar doctor

    busbar doctor --on hostfile --hostfile hosts.txt

    busbar doctor --on slurm --waive acs --json
    """
    if not deadline > 0:
        raise UsageError(f"--deadline {deadline:g}: accepted is a number of seconds above 0.")
    if on != "hostfile" and hostfile is not None:
        raise UsageError(f"--hostfile belongs to --on hostfile, not to --on {on}.")
    where = Where(
        on=on,
        transport="mpi",
        ranks=None,
        threads=1,
        hosts=None,
        rates=[],
        leaves=None,
        uplinks=[],
        hostfile=hostfile,
        aggregators=None,
        extra=shlex.split(mpi_args),
    )
    # Before hosts are asked: a name that is wrong should not cost a launch.
    refuse_unknown(waive or [])
    found = gather(where, _address(sharp_manager), deadline)
    result = examine(found.hosts, waive or [], found.unanswered)
    if as_json:
        print(json.dumps(as_document(result), indent=2))
    else:
        print_examination(console(), result)
    raise typer.Exit(int(result.exit_code))


def _address(text: str) -> str:
    """HOST:PORT; raises UsageError for anything else."""
    if not text:
        return ""
    matched = re.fullmatch(r"([\w.-]+)(?::(\d{1,5}))?", text)
    if matched is None or not 0 < int(matched[2] or _SHARP_PORT) < 1 << 16:
        raise UsageError(f"--sharp-manager {text}: accepted is HOST or HOST:PORT.")
    return f"{matched[1]}:{matched[2] or _SHARP_PORT}"
