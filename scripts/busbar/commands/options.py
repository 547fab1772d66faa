"""Options that several commands take alike: where and how to launch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

On = Annotated[str, typer.Option(help="Where: local, emulated, simulated, hostfile or slurm.")]
Transport = Annotated[
    str, typer.Option(help="What carries operations: mpi or ucx (host memory), or nccl (GPUs).")
]
Ranks = Annotated[
    int | None,
    typer.Option(
        help="Ranks. Default: local one per core, or per GPU; emulated one per host; "
        "simulated one per host, or per GPU."
    ),
]
Threads = Annotated[
    int,
    typer.Option(
        help="nccl: ranks, and so GPUs, of each process, on a thread each. --ranks still "
        "counts ranks; a hostfile's slots and Slurm's tasks count processes."
    ),
]
Hosts = Annotated[
    int | None, typer.Option(help="Emulated hosts. Default: two per core of this machine.")
]
Rate = Annotated[
    list[str] | None,
    typer.Option(
        help="Emulated link rate: 400mbit for all, host2=100mbit, host2.tx=… or host2.rx=… "
        "for one; repeatable."
    ),
]
Leaves = Annotated[
    int | None,
    typer.Option(help="Emulated leaf switches below a spine. Default: one switch for all."),
]
Uplink = Annotated[
    list[str] | None,
    typer.Option(
        help="Emulated rate from leaf to spine, each way: 800mbit for all, leaf2=400mbit, "
        "leaf2.tx=… or leaf2.rx=… for one; repeatable."
    ),
]
Hostfile = Annotated[Path | None, typer.Option(help="Hosts, as mpirun's --hostfile.")]
Aggregators = Annotated[
    str | None,
    typer.Option(help="Hosts that reduce, of --on hostfile: HOST,HOST; one tree each."),
]
MinBytes = Annotated[str, typer.Option("-b", "--min-bytes", help="Smallest size.")]
MaxBytes = Annotated[str, typer.Option("-e", "--max-bytes", help="Largest size.")]
Factor = Annotated[int, typer.Option("-f", "--factor", help="From size to size.")]
Datatypes = Annotated[
    list[str] | None, typer.Option("-d", "--datatype", help="Repeatable. [default: float]")
]
Redops = Annotated[
    list[str] | None, typer.Option("-o", "--redop", help="Repeatable. [default: sum]")
]
Deadline = Annotated[float, typer.Option(help="Seconds after which a phase is a hang.")]
InitDeadline = Annotated[float, typer.Option(help="The same for getting through initialisation.")]
Seed = Annotated[int, typer.Option(help="Of data and of every shuffled order.")]
Fabric = Annotated[
    str | None,
    typer.Option(
        help="Fabric to compare with, or to simulate: name or .toml. Emulated runs know theirs."
    ),
]
MpiArgs = Annotated[str, typer.Option(help="More words for mpirun or srun, quoted as one.")]
