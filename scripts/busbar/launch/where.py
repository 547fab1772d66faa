"""The target that the command line names."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from busbar import emulate, fabrics, simulate
from busbar.errors import Incomplete, UsageError
from busbar.launch.in_network import refuse_where_impossible, trees_asked
from busbar.launch.options import parse_nodes
from busbar.launch.target import Emulated, Hostfile, Local, Simulated, Slurm, Target
from busbar.record.models import Variant

_DEVICES = Path("/dev")


@dataclass(frozen=True)
class Where:
    """What of a command line says where to measure, and by which library."""

    on: str
    transport: str
    ranks: int | None
    threads: int
    hosts: int | None
    rates: list[str]
    leaves: int | None
    uplinks: list[str]
    hostfile: Path | None
    aggregators: str | None
    extra: list[str]
    nodes: int | None = None
    """The most of `--nodes`, which says how many hosts are simulated."""
    fabric: str | None = None
    """Which one is simulated."""
    background: float | None = None
    """Share of every simulated link that other traffic takes."""
    faults: Sequence[str] = ()
    """Simulated links of which only a share is left."""

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Where:
        """From the options of `busbar run` or `busbar tune` by name."""
        return cls(
            on=options["on"],
            transport=options["transport"],
            ranks=options["ranks"],
            threads=options["threads"],
            hosts=options["hosts"],
            rates=list(options["rate"] or []),
            leaves=options["leaves"],
            uplinks=list(options["uplink"] or []),
            hostfile=options["hostfile"],
            aggregators=options["aggregators"],
            extra=shlex.split(options["mpi_args"]),
            nodes=parse_nodes(str(nodes))[-1] if (nodes := options.get("nodes")) else None,
            fabric=options["fabric"],
            background=options.get("background"),
            faults=tuple(options.get("link") or ()),
        )


def target_of(where: Where, variants: Sequence[Variant]) -> Target:
    """The target, with the aggregators that the variants need.

    Raises UsageError for what does not fit together, Incomplete where this machine cannot.
    """
    on = where.on
    if where.ranks is not None and where.ranks < 1:
        raise UsageError(f"{where.ranks} ranks: at least 1 is accepted.")
    only_emulated = (where.hosts, where.leaves, where.rates or None, where.uplinks or None)
    if on != "emulated" and any(option is not None for option in only_emulated):
        raise UsageError(
            f"--hosts, --rate, --leaves and --uplink belong to --on emulated, not to --on {on}."
        )
    if on != "hostfile" and where.aggregators is not None:
        raise UsageError(f"--aggregators belongs to --on hostfile, not to --on {on}.")
    if on != "simulated" and where.background is not None:
        raise UsageError(f"--background belongs to --on simulated, not to --on {on}.")
    if on != "simulated" and where.faults:
        raise UsageError(f"--link belongs to --on simulated, not to --on {on}.")
    refuse_where_impossible(variants, on, where.transport)
    _refuse_threads(where)
    _refuse_algorithms(where, variants)
    if on == "simulated":
        return _simulated(where, trees_asked(variants))
    if on == "local":
        ranks = where.ranks or _ranks_here(where.transport)
        return Local(_divisible(ranks, where.threads), threads=where.threads)
    if on == "emulated":
        return _emulated(where, trees_asked(variants))
    if on not in ("slurm", "hostfile"):
        raise UsageError(
            f"unknown target '{on}'; accepted: local, emulated, simulated, hostfile, slurm"
        )
    if where.ranks is None:
        raise UsageError(f"--on {on} needs --ranks.")
    ranks = _divisible(where.ranks, where.threads)
    if on == "slurm":
        return Slurm(ranks, extra=where.extra, threads=where.threads)
    return _hostfile(where, ranks, trees_asked(variants))


def hosts_of(where: Where) -> int | None:
    """How many hosts the target has; None where only the launch tells."""
    if where.on == "local":
        return 1
    if where.on == "emulated":
        return where.hosts
    if where.on == "simulated":
        return where.nodes
    if where.on == "slurm":
        nodes = os.environ.get("SLURM_JOB_NUM_NODES", "")
        return int(nodes) if nodes.isdecimal() else None
    if where.hostfile is None or not where.hostfile.is_file():
        return None
    lines = (line.partition("#")[0].split() for line in where.hostfile.read_text().splitlines())
    return len({words[0] for words in lines if words})


def _refuse_threads(where: Where) -> None:
    """Raises UsageError where a process cannot have so many ranks."""
    if where.threads < 1:
        raise UsageError(f"--threads {where.threads}: at least 1 is accepted.")
    if where.threads == 1:
        return
    if where.transport != "nccl":
        raise UsageError(
            f"--threads {where.threads} belongs to --transport nccl, not to {where.transport}; "
            "accepted is 1."
        )
    if where.on == "emulated":
        raise UsageError(
            f"--threads {where.threads}: --on emulated has a process for every rank; accepted is 1."
        )


def _divisible(ranks: int, threads: int) -> int:
    """The ranks, which fill whole processes."""
    if ranks % threads != 0:
        raise UsageError(
            f"--threads {threads} does not divide {ranks} ranks; accepted: a divisor, as every "
            "process has as many."
        )
    return ranks


def _ranks_here(transport: str) -> int:
    """One per core of this machine, at least two; on GPUs one for each."""
    if transport != "nccl":
        return max(2, len(os.sched_getaffinity(0)))
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return max(1, len([gpu for gpu in visible.split(",") if gpu.strip()]))
    return max(1, len(list(_DEVICES.glob("nvidia[0-9]*"))))


def _emulated(where: Where, trees: int) -> Emulated:
    try:
        spec = emulate.spec_from_options(
            where.hosts,
            where.rates,
            leaves=1 if where.leaves is None else where.leaves,
            uplinks=where.uplinks,
            aggregators=trees,
        )
    except ValueError as error:
        raise UsageError(f"{error}.") from None
    if (problem := emulate.preflight()) is not None:
        raise Incomplete(problem)
    if where.ranks is not None and where.ranks % spec.hosts != 0:
        raise UsageError(f"{where.ranks} ranks do not fill {spec.hosts} hosts evenly.")
    return Emulated(spec, (where.ranks or spec.hosts) // spec.hosts)


def _simulated(where: Where, trees: int) -> Simulated:
    if where.transport != "mpi":
        raise UsageError(
            f"--on simulated has SimGrid's MPI; accepted is --transport mpi, not {where.transport}."
        )
    if where.fabric is None:
        raise UsageError("--on simulated needs --fabric: it is what is simulated.")
    if where.extra:
        raise UsageError("--mpi-args has no effect on simulated hosts; accepted is none.")
    background = where.background or 0.0
    if not 0 <= background < 1:
        raise UsageError(f"--background {background:g}: accepted is a share from 0 to below 1.")
    faults = tuple(map(simulate.parse_fault, where.faults))
    fabric = fabrics.load(where.fabric)
    each = None
    if where.ranks is not None:
        nodes = where.nodes or len(set(fabric.placement()))
        if where.ranks % nodes != 0:
            raise UsageError(f"{where.ranks} ranks do not fill {nodes} hosts evenly.")
        each = where.ranks // nodes
    platform = simulate.platform_of(fabric, where.nodes, each, trees, background)
    return Simulated(fabric, simulate.degraded(platform, faults), background, faults)


def _refuse_algorithms(where: Where, variants: Sequence[Variant]) -> None:
    """Raises UsageError for variables that nothing here reads."""
    for variant in variants:
        if where.on == "simulated":
            simulate.refuse_unknown(variant.environment)
        elif any(name.startswith(simulate.ENVIRONMENT_PREFIX) for name in variant.environment):
            raise UsageError(
                f"variant '{variant.name}' chooses an algorithm of SimGrid, which belongs to --on "
                f"simulated, not to --on {where.on}."
            )


def _hostfile(where: Where, ranks: int, trees: int) -> Hostfile:
    if where.hostfile is None:
        raise UsageError("--on hostfile needs --hostfile FILE.")
    hosts = [host for host in (where.aggregators or "").split(",") if host]
    if trees and len(hosts) < trees:
        raise UsageError(
            f"in_network=tree with {trees} trees needs as many hosts that reduce; "
            f"--aggregators HOST,… names {len(hosts)}."
        )
    if hosts and not trees:
        raise UsageError(
            "--aggregators names hosts that no variant uses; accepted with --in-network tree."
        )
    return Hostfile(
        where.hostfile, ranks, extra=where.extra, aggregators=hosts, threads=where.threads
    )
