"""`busbar run`: measure, and leave a record."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from busbar import simulate
from busbar.commands import options
from busbar.commands.run_plan import refuse_beside_plan, run_plan
from busbar.errors import UsageError
from busbar.launch.binary import describe, find_engine
from busbar.launch.in_network import parse_in_network, with_library
from busbar.launch.job import Job, fabric_of
from busbar.launch.options import (
    MeasureOptions,
    SweepOptions,
    parse_nodes,
    parse_observe,
    parse_splits,
    parse_variants,
)
from busbar.launch.patterns import operations as made_of
from busbar.launch.patterns import parse_pattern
from busbar.launch.request import Manner
from busbar.launch.runner import default_output
from busbar.launch.slots import Observe
from busbar.launch.target import Simulated
from busbar.launch.tuned import TunedFolder
from busbar.launch.where import Where, hosts_of, target_of
from busbar.record.journal import read_journal
from busbar.record.models import Stopping, Warmup
from busbar.units import parse_size

_EXAMPLES = """
[bold]Examples[/bold]

  busbar run all_reduce --on emulated

  busbar run all_reduce all_to_all --on local --ranks 2 -b 8 -e 16M

  busbar run all_reduce --on emulated --hosts 4 --rate 400mbit --rate host2=100mbit

  busbar run all_reduce --on emulated --in-network off,on --nodes 2,3,4

  busbar run all_reduce --on emulated --hosts 8 --leaves 2 --uplink 800mbit --in-network off,on

  busbar run all_reduce --variant default: --variant ring:coll_tuned_allreduce_algorithm=4

  busbar run all_reduce --on hostfile --hostfile hosts --ranks 64 --fabric ./our-cluster.toml

  busbar run all_reduce --transport nccl --on slurm --ranks 16 --in-network off,sharp

  busbar run all_reduce --on slurm --ranks 32 --tuned tuned/

  busbar run all_reduce --on simulated --fabric FABRIC --nodes 4,8,…,1024 --in-network off,on

  busbar run --pattern pairs --on simulated --fabric FABRIC --link host3.tx=0.8 -b 4M -e 4M

  busbar run --pattern pairs --on slurm --ranks 32 -b 4M -e 4M

  busbar run --plan acceptance --budget 3600 --on slurm --ranks 64 --fabric our-cluster.toml

  busbar run --resume busbar-20260101-120000.journal.jsonl

[bold]Exit code[/bold]: 0 measured · 1 wrong data · 2 bad usage · 3 incomplete, resume it · 4 hang
"""


def run(
    context: typer.Context,
    operations: Annotated[
        list[str] | None,
        typer.Argument(help="Operations, such as all_reduce; `busbar-bench --help` lists them."),
    ] = None,
    *,
    plan: Annotated[
        str | None,
        typer.Option(
            help="acceptance, or a .toml file: stages of groups, operations and sizes, in place of "
            "all options that say what is measured, and how often."
        ),
    ] = None,
    budget: Annotated[
        float | None,
        typer.Option(help="Of --plan: seconds that all of it may take. Default: no limit."),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Of --plan: show it, and what it takes by one short launch; measure nothing.",
        ),
    ] = False,
    sites: Annotated[
        Path | None,
        typer.Option(
            help="Of --plan: where hosts hang, as for busbar check --sites. Default: the fabric's "
            "leaves."
        ),
    ] = None,
    on: options.On = "local",
    transport: options.Transport = "mpi",
    ranks: options.Ranks = None,
    threads: options.Threads = 1,
    hosts: options.Hosts = None,
    rate: options.Rate = None,
    leaves: options.Leaves = None,
    uplink: options.Uplink = None,
    nodes: Annotated[
        str | None,
        typer.Option(
            help="Also measure on the first 2, 3, … hosts: 2,3,4, or 4,8,…,64 (4,8,...,64), which "
            "goes on by ratio, else by difference. All hosts always; simulated are as many as the "
            "last one."
        ),
    ] = None,
    split: Annotated[
        str,
        typer.Option(
            help="Communicators: none (one of all ranks), node (one per host, side by side), "
            "index (one per index of ranks on their hosts, side by side: a rail); none,index for "
            "several."
        ),
    ] = "none",
    pattern: Annotated[
        str | None,
        typer.Option(
            help="pairs (each alone, and all in rounds side by side: who is slow), bisection, "
            "shifts (all to the rank d further on at once, for each d that divides the ranks), "
            "incast or outcast."
        ),
    ] = None,
    isolated: Annotated[
        int | None,
        typer.Option(
            help="Of --pattern pairs: pairs measured alone per rank. [default: all up to 16 "
            "ranks, else 4]"
        ),
    ] = None,
    in_network: Annotated[
        str | None,
        typer.Option(
            help="Reduction inside the network; off,on compares. mpi: off (variants as given, the "
            "default), tree (software aggregators), sharp (the switches), on (what the target "
            "has). nccl: off, nvls (NVLink's switches), collnet (the fabric's), sharp (by SHARP), "
            "on (nvls on one host, else sharp). [default for nccl: what NCCL chooses]"
        ),
    ] = None,
    hostfile: options.Hostfile = None,
    aggregators: options.Aggregators = None,
    min_bytes: options.MinBytes = "1K",
    max_bytes: options.MaxBytes = "4M",
    factor: options.Factor = 4,
    datatype: options.Datatypes = None,
    redop: options.Redops = None,
    root: Annotated[int, typer.Option("-r", "--root", help="Root of rooted operations.")] = 0,
    in_place: Annotated[str, typer.Option(help="out, in or both.")] = "out",
    graph: Annotated[
        bool, typer.Option("--graph", help="nccl: capture each operation as a CUDA graph.")
    ] = False,
    registration: Annotated[
        list[str] | None,
        typer.Option(
            help="nccl: buffers none, local or symmetric (windows); repeatable. [default: none]"
        ),
    ] = None,
    timing: Annotated[
        list[str] | None,
        typer.Option(help="isolated or pipelined; repeatable. [default: isolated]"),
    ] = None,
    variant: Annotated[
        list[str] | None,
        typer.Option(
            help="NAME:KEY=VALUE,… settings measured interleaved with the others; repeatable. "
            "Environment variables (OMPI_MCA_…, UCX_…, NCCL_…) get launches of their own."
        ),
    ] = None,
    tuned: Annotated[
        Path | None,
        typer.Option(
            help="Folder that `busbar tune` wrote: its files as variant 'tuned' beside 'default', "
            "on as many ranks and nodes as it was made for, with the same library."
        ),
    ] = None,
    background: Annotated[
        float | None,
        typer.Option(
            help="Simulated: share of every network link that other traffic takes, such as 0.5."
        ),
    ] = None,
    link: Annotated[
        list[str] | None,
        typer.Option(
            help="Simulated: a link, or one direction of it, that has only a share of its rate: "
            "leaf2=0.875, host3.tx=0.8; or for 1 ms of every 10 ms only: leaf1=0:1ms/10ms, where "
            "points long against 10 ms see the mean rate, and others hit or miss. Repeatable; a "
            "wrong name shows those of the fabric."
        ),
    ] = None,
    launches: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Launches; the interval of every figure rests on them. [default: 5; simulated 1, "
            "as nothing varies]",
        ),
    ] = None,
    relative_ci: Annotated[
        float, typer.Option(help="Stop a block when its median is known this well.")
    ] = 0.02,
    min_samples: Annotated[
        int | None, typer.Option(help="Samples per block at least. [default: 10, or -n if less]")
    ] = None,
    max_samples: Annotated[int, typer.Option("-n", help="Samples per block at most.")] = 1000,
    max_seconds: Annotated[float, typer.Option(help="Seconds per block at most.")] = 1.0,
    deadline: options.Deadline = 60.0,
    init_deadline: options.InitDeadline = 120.0,
    seed: options.Seed = 1,
    observe: Annotated[
        str | None,
        typer.Option(
            help="Untimed launches that look on: Open MPI's monitoring counts bytes per peer, "
            "NCCL's log names transports, ucx has none. none, largest (the largest size of each "
            "operation and variant), widest (the same on all ranks only, but of reduction in the "
            "network everywhere) or all. [default: largest; widest with --plan, none with "
            "--pattern]"
        ),
    ] = None,
    fabric: options.Fabric = None,
    output: Annotated[
        Path | None, typer.Option(help="Record to write, NAME.json. Default: by date.")
    ] = None,
    resume: Annotated[
        Path | None, typer.Option(help="Journal of a run that did not end: go on with it.")
    ] = None,
    mpi_args: options.MpiArgs = "",
) -> None:
    """Measure operations and leave a run record.

    Every launch is a fresh set of processes; variants take turns within it. The journal
    NAME.journal.jsonl grows while the run goes on and becomes NAME.json at the end.
    """
    if resume is not None:
        raise typer.Exit(_resume(resume))
    if plan is not None:
        refuse_beside_plan(context)
        raise typer.Exit(run_plan(context.params, sys.argv[1:]))
    if budget is not None or dry_run or sites is not None:
        raise UsageError("--budget, --dry-run and --sites belong to --plan; accepted is a plan.")
    describe(find_engine(), 1).check_transport(transport)
    where = Where.of(context.params)
    mechanisms = parse_in_network(in_network, on, transport, hosts_of(where))
    variants = parse_variants(variant or [], mechanisms, transport)
    folder = TunedFolder.open(tuned) if tuned is not None else None
    if folder is not None:
        variants = folder.beside(variants)
    simulated = on == "simulated"
    if simulated:
        variants = simulate.with_chunks(variants)
    target = target_of(where, variants)
    if folder is not None:
        folder.refuse_elsewhere(transport, target)
    stopping = _stopping(relative_ci, min_samples or min(10, max_samples), max_samples, max_seconds)
    if isinstance(target, Simulated):
        stopping = simulate.stopping(stopping, target.faults)
    measure = MeasureOptions(
        variants=with_library(
            variants, baseline={"off", "sharp"} <= set(mechanisms), transport=transport
        ),
        launches=launches or (simulate.LAUNCHES if simulated else 5),
        stopping=stopping,
        warmup=(
            simulate.warmup(variants) if simulated else Warmup(min_samples=2, min_seconds=0.02)
        ),
        rest_us=target.rest_us(),
        deadline_seconds=deadline,
        init_deadline_seconds=init_deadline,
        seed=seed,
        # One launch for each pair; simulated MPI has nothing that looks on.
        observe=parse_observe(observe if pattern is None and not simulated else "none"),
    )
    shape = parse_pattern(pattern, isolated, seed)
    if shape is not None and (nodes is not None or split != "none" or root != 0):
        raise UsageError("--pattern has its own groups; accepted is none of --nodes, --split, -r")
    what = SweepOptions(
        operations=made_of(shape, operations or []) if shape else operations or [],
        pattern=shape,
        min_bytes=parse_size(min_bytes),
        max_bytes=parse_size(max_bytes),
        factor=factor,
        datatypes=datatype or ["float"],
        redops=redop or ["sum"],
        root=root,
        in_place=in_place,
        timings=timing or ["isolated"],
        nodes=parse_nodes(nodes) if nodes is not None else [],
        splits=parse_splits(split),
        graph=graph,
        registrations=registration or ["none"],
    )
    job = Job.new(sys.argv[1:], target, what, measure, fabric, transport)
    if folder is not None:
        job = replace(job, made_for=folder.tuned.made_for)
    if shape is not None and shape.name == "pairs":
        typer.echo(f"pairs: {shape.covered_share(target.ranks):.0%} of all are measured alone")
    raise typer.Exit(job.carry_out(output or default_output(Path())))


run.__doc__ = f"{run.__doc__}\n{_EXAMPLES}"


def _resume(journal: Path) -> int:
    """Go on with a run by the command line that its journal holds."""
    from busbar.cli import parse_options

    before = read_journal(journal)
    if before.run.status not in ("running", "interrupted"):
        raise UsageError(f"{journal}: that run is {before.run.status}; there is nothing to resume.")
    given: dict[str, Any] = parse_options(before.run.command[1:])
    manner = Manner.of(before.run.plan)
    assert before.run.seed is not None  # only what is imported has none
    measure = MeasureOptions(
        variants=before.run.plan.variants,
        launches=before.run.plan.launches,
        stopping=manner.stopping,
        warmup=manner.warmup,
        rest_us=manner.rest_us,
        deadline_seconds=manner.deadline_seconds,
        init_deadline_seconds=given["init_deadline"],
        seed=before.run.seed,
        observe=_observed_before(given),
    )
    target = target_of(Where.of(given), before.run.plan.variants)
    # These refuse where it is not here any more.
    folder = TunedFolder.open(given["tuned"]) if given["tuned"] is not None else None
    if folder is not None and folder.variant() not in before.run.plan.variants:
        raise UsageError(f"{folder.path} was tuned anew since that run began; start a new run.")
    with_library(before.run.plan.variants, baseline=False, transport=given["transport"])
    job = Job(
        target=target,
        measure=measure,
        plan=before.run.plan,
        fabric=fabric_of(target, given["fabric"]),
        command=before.run.command[1:],
        engine=find_engine(),
        made_for=folder.tuned.made_for if folder else None,
    )
    name = journal.name.removesuffix(".journal.jsonl")
    return job.carry_out(journal.with_name(f"{name}.json"), before)


def _observed_before(given: Mapping[str, Any]) -> Observe:
    """What the command line of a run that is gone on with asked for."""
    if given["pattern"] or given["on"] == "simulated":
        return "none"
    return parse_observe(given["observe"], "widest" if given["plan"] else "largest")


def _stopping(relative_ci: float, least: int, most: int, seconds: float) -> Stopping:
    if not 0 < relative_ci < 1:
        raise UsageError(f"--relative-ci {relative_ci}: accepted is a share between 0 and 1.")
    if least < 1 or most < least:
        raise UsageError(
            f"--min-samples {least} and -n {most}: accepted is at least 1, the second not below."
        )
    if seconds <= 0:
        raise UsageError(f"--max-seconds {seconds}: accepted is more than 0.")
    return Stopping(
        relative_ci=relative_ci, min_samples=least, max_samples=most, max_seconds=seconds
    )
