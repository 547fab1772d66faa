"""`busbar tune`: find settings, prove them against the default, write them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from busbar import terminal
from busbar.commands import options
from busbar.commands.tune_target import certainty_of, refuse_in_vain, space_name_of, space_of
from busbar.errors import BusbarError, Incomplete, UsageError
from busbar.launch import nccl
from busbar.launch.binary import Described, describe, find_engine
from busbar.launch.job import fabric_of
from busbar.launch.options import MeasureOptions
from busbar.launch.runner import utc_now
from busbar.launch.target import Target
from busbar.launch.where import Where, target_of
from busbar.record.models import Variant
from busbar.tune.buckets import in_buckets
from busbar.tune.certainty import LEAST_LAUNCHES, Certainty
from busbar.tune.files import Folder
from busbar.tune.job import Place, TuneJob, Wish
from busbar.tune.journal import SearchJournal, read_command
from busbar.tune.load_workload import load_workload
from busbar.tune.outputs import unsaid, write_outputs
from busbar.tune.outputs.atomic import write_atomically
from busbar.tune.points import points_of
from busbar.tune.search import DefaultFails
from busbar.tune.searched import read_searched
from busbar.tune.space import load_space
from busbar.tune.strategies import strategy
from busbar.tune.tuned import Tuned
from busbar.tune.workload import Operation, Workload, presets
from busbar.units import parse_size, sweep

_EXAMPLES = """
[bold]Examples[/bold]

  busbar tune all_reduce all_gather all_to_all --on emulated -b 64K -e 4M

  busbar tune --workload data-parallel --transport nccl --on slurm --ranks 64 --budget 1800

  busbar tune --workload capture/ --on hostfile --hostfile hosts --ranks 64

  busbar tune all_reduce --on simulated --fabric our-cluster.toml --nodes 64 -b 1K -e 16M

  busbar tune --resume tuned-20260101-120000

[bold]Exit code[/bold]: 0 done · 1 wrong data · 2 bad usage · 3 incomplete, resume it · 4 hang
"""


_TREES = "in_network_trees"
_MAX_SECONDS = 2.0


def tune(
    context: typer.Context,
    operations: Annotated[
        list[str] | None,
        typer.Argument(help="Operations, each at the sizes of -b, -e and -f."),
    ] = None,
    *,
    on: options.On = "local",
    transport: options.Transport = "mpi",
    ranks: options.Ranks = None,
    threads: options.Threads = 1,
    hosts: options.Hosts = None,
    rate: options.Rate = None,
    leaves: options.Leaves = None,
    uplink: options.Uplink = None,
    nodes: Annotated[
        int | None,
        typer.Option(min=1, help="Simulated hosts: the fabric's first ones. [default: all]"),
    ] = None,
    hostfile: options.Hostfile = None,
    aggregators: options.Aggregators = None,
    workload: Annotated[
        str | None,
        typer.Option(
            help="What it is for, in the place of operations and sizes: a preset ("
            + ", ".join(presets())
            + "), a .toml or .json file, or a folder of what was captured."
        ),
    ] = None,
    max_ctas: Annotated[
        int | None,
        typer.Option(
            help="nccl: thread blocks (CTAs), and so SMs, that a setting may occupy. "
            "[default: the workload's limit]"
        ),
    ] = None,
    space: Annotated[
        str | None,
        typer.Option(
            help="Settings to search: tree is the reduction tree in software. "
            "[default: those of the transport's library; simulated SimGrid's algorithms]"
        ),
    ] = None,
    min_bytes: options.MinBytes = "64K",
    max_bytes: options.MaxBytes = "4M",
    factor: options.Factor = 4,
    datatype: Annotated[str, typer.Option("-d", "--datatype")] = "float",
    redop: Annotated[str, typer.Option("-o", "--redop")] = "sum",
    strategy_name: Annotated[
        str,
        typer.Option(
            "--strategy",
            help="How to search: halving (a short look at everything, longer ones at what is "
            "left), descent (along ordered settings), tpe (Optuna, large spaces) or exhaustive.",
        ),
    ] = "halving",
    budget: Annotated[
        float, typer.Option(help="Seconds for the search; the proof comes on top.")
    ] = 300.0,
    processes: Annotated[
        bool | None,
        typer.Option(
            "--processes/--no-processes",
            help="Also try settings that need fresh processes. [default: yes]",
        ),
    ] = None,
    launches: Annotated[
        int | None,
        typer.Option(
            help=f"Launches of the proof, at least {LEAST_LAUNCHES}. "
            f"[default: {LEAST_LAUNCHES}; simulated 1, as nothing varies]"
        ),
    ] = None,
    max_seconds: Annotated[
        float | None,
        typer.Option(help="Seconds per block of the proof at most. [default: 2]"),
    ] = None,
    deadline: options.Deadline = 60.0,
    init_deadline: options.InitDeadline = 120.0,
    seed: options.Seed = 1,
    fabric: options.Fabric = None,
    output: Annotated[
        Path | None, typer.Option(help="Folder for what is found. Default: by date.")
    ] = None,
    resume: Annotated[
        Path | None, typer.Option(help="Folder of a tuning that did not end: go on with it.")
    ] = None,
    mpi_args: options.MpiArgs = "",
) -> None:
    """Find the settings that make operations fast here, prove them, and write them.

    Candidates are searched in live processes; winners are measured again in fresh launches, taking
    turns with the default. Only what is then surely faster, by more than 1 %, is written. On
    simulated hosts nothing varies: one fresh launch must give the very figures of the search.
    """
    if resume is not None:
        folder = Folder(resume)
        from busbar.cli import parse_options

        command = read_command(folder.search)
        job = job_of(command, parse_options(command), folder)
        journal = SearchJournal.reopen(folder.search)
    else:
        folder = Folder(output or Path(f"tuned-{utc_now()[:19].replace(':', '').replace('-', '')}"))
        job = job_of(sys.argv[1:], context.params, folder)
        folder.make()
        journal = SearchJournal.create(folder.search, sys.argv[1:], utc_now())
    with journal:
        try:
            tuned = job.carry_out(journal)
        except KeyboardInterrupt:
            raise Incomplete(f"interrupted: `busbar tune --resume {folder.path}` goes on") from None
        except (DefaultFails, UsageError):
            raise  # it would again
        except BusbarError as error:
            explained = BusbarError(
                f"{error.message.rstrip('.')}; `busbar tune --resume {folder.path}` goes on."
            )
            explained.exit_code = error.exit_code
            raise explained from None
    # Plotly takes half a second to load, and searching needs none of it.
    from busbar.report.tuning_page import write_page

    written = _write(tuned, folder, job)  # the page says what lies beside it
    for path in [*written, write_page(tuned, read_searched(folder.search), folder.path)]:
        job.console.print(f"written: {path}", highlight=False)


tune.__doc__ = f"{tune.__doc__}\n{_EXAMPLES}"


def _write(tuned: Tuned, folder: Folder, job: TuneJob) -> list[Path]:
    """The files. Nothing but the result itself is written of what ran on a fake, and nothing that
    a library reads of what was simulated."""
    if tuned.made_for.fake:
        job.console.print("fake: it ran on a library or a GPU that is none; no setting is written.")
        write_atomically(folder.tuned, tuned.model_dump_json(indent=2) + "\n")
        return [folder.tuned]
    for choice in unsaid(tuned):
        job.console.print(
            escape(f"no file can say {choice.settings} of {choice.op}: it is in {folder.tuned}"),
            highlight=False,
        )
    plugin = nccl.plugins_beside(job.place.engine).get("NCCL_TUNER_PLUGIN")
    return write_outputs(tuned, folder.path, plugin)


def job_of(command: list[str], given: dict[str, Any], folder: Folder) -> TuneJob:
    """What the options ask for. Raises UsageError for what does not fit together."""
    chosen = strategy(given["strategy_name"])
    refuse_in_vain(given)
    if given["budget"] <= 0:
        raise UsageError(f"--budget {given['budget']}: accepted is more than 0 seconds.")
    engine = find_engine()
    transport = given["transport"]
    target = target_of(Where.of(given), _roles(given["space"]))
    described = describe(engine, target.ranks)
    described.check_transport(transport)
    space = space_of(given)
    workload = _workload(given, described, target)
    max_ctas = workload.max_ctas if given["max_ctas"] is None else given["max_ctas"]
    wish = Wish(
        space=space.capped(max_ctas) if max_ctas is not None else space,
        space_name=space_name_of(given),
        points=points_of(workload.operation, described, target.ranks, transport, target.threads),
        even=given["workload"] is None,
        workload=workload.name,
        notes=workload.notes,
        strategy_name=given["strategy_name"],
        strategy=chosen,
        budget_seconds=given["budget"],
        processes=given["processes"] is not False,
    )
    fabric = fabric_of(target, given["fabric"])
    certainty = certainty_of(target)
    measure = _measure(given, certainty, target)
    place = Place(target, transport, engine, fabric, certainty, measure, list(command))
    return TuneJob(place, wish, folder, terminal.console())


def _measure(given: dict[str, Any], certainty: Certainty, target: Target) -> MeasureOptions:
    seconds = _MAX_SECONDS if given["max_seconds"] is None else given["max_seconds"]
    stopping, warmup = certainty.proof(seconds)
    return MeasureOptions(
        variants=[],
        launches=certainty.launches if given["launches"] is None else given["launches"],
        stopping=stopping,
        warmup=warmup,
        rest_us=target.rest_us(),
        deadline_seconds=given["deadline"],
        init_deadline_seconds=given["init_deadline"],
        seed=given["seed"],
        observe="none",
    )


def _roles(space: str | None) -> list[Variant]:
    """What the target must have besides ranks: aggregators, as many as any candidate uses."""
    if space is None:
        return []
    trees = [v.value for s in load_space(space).setting for v in s.values if s.name == _TREES]
    if not trees:
        return []
    settings = {"in_network": "tree", _TREES: max(trees, key=int)}
    return [Variant(name="aggregators", settings=settings, environment={})]


def _workload(given: dict[str, Any], described: Described, target: Target) -> Workload:
    """The one that is named, in buckets; else a sweep of the operations."""
    if given["workload"] is not None:
        if given["operations"]:
            raise UsageError("--workload has its own operations; accepted is none beside it.")
        placement = target.placement()
        found = load_workload(
            given["workload"],
            ranks=target.ranks,
            nodes=len(set(placement)) if placement else None,
            transport=given["transport"],
        )
        return found.model_copy(update={"operation": in_buckets(found.operation, target.ranks)})
    if not given["operations"]:
        raise UsageError(
            "no operation and no --workload given; `busbar-bench --help` lists operations."
        )
    sizes = sweep(parse_size(given["min_bytes"]), parse_size(given["max_bytes"]), given["factor"])
    return Workload(
        name="a sweep, every point the same share of time",
        source="the command line",
        operation=[
            Operation(
                op=op,
                size_bytes=size,
                count=1.0,
                datatype=given["datatype"],
                redop=given["redop"] if described.operation(op).reduces else None,
            )
            for op in given["operations"]
            for size in (sizes if described.operation(op).has_data else [0])
        ],
    )
