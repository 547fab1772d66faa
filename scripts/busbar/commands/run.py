"""`busbar run`: measure, and leave a record."""

from __future__ import annotations

import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from busbar import emulate, fabrics
from busbar.check.check import check as judge
from busbar.check.table import verdict_table
from busbar.errors import BusbarError, ExitCode, Incomplete, UsageError
from busbar.fabrics import Fabric
from busbar.launch.binary import describe, find_engine
from busbar.launch.console import RunConsole, TheoryShare
from busbar.launch.options import MeasureOptions, SweepOptions, parse_variants
from busbar.launch.plan import make_plan
from busbar.launch.runner import Runner, RunSettings, default_output, utc_now
from busbar.launch.slots import Done, make_slots, visits_of
from busbar.launch.target import Emulated, Hostfile, Local, Slurm, Target
from busbar.record.journal import JournalWriter, journal_path, read_journal
from busbar.record.models import Plan, PointKey, Run, RunRecord, Stopping, Warmup
from busbar.theory.bound import bound
from busbar.units import parse_size

_EXAMPLES = """
[bold]Examples[/bold]

  busbar run all_reduce --on emulated

  busbar run all_reduce all_to_all --on local --ranks 2 -b 8 -e 16M

  busbar run all_reduce --on emulated --hosts 4 --rate 400mbit --rate host2=100mbit

  busbar run all_reduce --variant default: --variant ring:coll_tuned_allreduce_algorithm=4

  busbar run all_reduce --on hostfile --hostfile hosts --ranks 64 --fabric ./our-cluster.toml

  busbar run --resume busbar-20260101-120000.journal.jsonl

[bold]Exit code[/bold]: 0 measured · 1 wrong data · 2 bad usage · 3 incomplete (resume it) · 4 a hang
"""

_OBSERVE = {
    "OMPI_MCA_pml_monitoring_enable": "1",  # 1: what the library sends on its own behalf counts too
    "OMPI_MCA_pml": "ob1,monitoring",  # monitoring stands in front of ob1
}


def run(
    operations: Annotated[
        list[str] | None,
        typer.Argument(help="Operations, such as all_reduce; `busbar-bench --help` lists them."),
    ] = None,
    *,
    on: Annotated[
        str, typer.Option(help="Where: local, emulated, hostfile or slurm.")
    ] = "local",
    ranks: Annotated[
        int | None,
        typer.Option(help="Ranks. Default: local one per core; emulated one per host."),
    ] = None,
    hosts: Annotated[
        int | None, typer.Option(help="Emulated hosts. Default: two per core of this machine.")
    ] = None,
    rate: Annotated[
        list[str] | None,
        typer.Option(
            help="Emulated link rate: 400mbit for all, host2=100mbit, host2.tx=… or host2.rx=… "
            "for one; repeatable."
        ),
    ] = None,
    hostfile: Annotated[Path | None, typer.Option(help="Hosts, as mpirun's --hostfile.")] = None,
    min_bytes: Annotated[str, typer.Option("-b", "--min-bytes", help="Smallest size.")] = "1K",
    max_bytes: Annotated[str, typer.Option("-e", "--max-bytes", help="Largest size.")] = "4M",
    factor: Annotated[int, typer.Option("-f", "--factor", help="From size to size.")] = 4,
    datatype: Annotated[
        list[str] | None, typer.Option("-d", "--datatype", help="Repeatable. [default: float]")
    ] = None,
    redop: Annotated[
        list[str] | None, typer.Option("-o", "--redop", help="Repeatable. [default: sum]")
    ] = None,
    root: Annotated[int, typer.Option("-r", "--root", help="Root of rooted operations.")] = 0,
    in_place: Annotated[str, typer.Option(help="out, in or both.")] = "out",
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
    launches: Annotated[
        int, typer.Option(min=1, help="Launches; the interval of every figure rests on them.")
    ] = 5,
    relative_ci: Annotated[
        float, typer.Option(help="Stop a block when its median is known this well.")
    ] = 0.02,
    min_samples: Annotated[int, typer.Option(help="Samples per block at least.")] = 10,
    max_samples: Annotated[int, typer.Option("-n", help="Samples per block at most.")] = 1000,
    max_seconds: Annotated[float, typer.Option(help="Seconds per block at most.")] = 1.0,
    deadline: Annotated[float, typer.Option(help="Seconds after which a phase is a hang.")] = 60.0,
    init_deadline: Annotated[
        float, typer.Option(help="The same for getting through initialisation.")
    ] = 120.0,
    seed: Annotated[int, typer.Option(help="Of data and of every shuffled order.")] = 1,
    observe: Annotated[
        bool,
        typer.Option(help="One more launch counts bytes per peer with Open MPI's monitoring."),
    ] = True,
    fabric: Annotated[
        str | None,
        typer.Option(help="Fabric to compare with: name or .toml. Emulated runs know theirs."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="Record to write, NAME.json. Default: by date.")
    ] = None,
    resume: Annotated[
        Path | None, typer.Option(help="Journal of a run that did not end: go on with it.")
    ] = None,
    mpi_args: Annotated[
        str, typer.Option(help="More words for mpirun or srun, quoted as one.")
    ] = "",
) -> None:
    """Measure operations and leave a run record.

    Every launch is a fresh set of processes; variants take turns within it. The journal
    NAME.journal.jsonl grows while the run goes on and becomes NAME.json at the end.
    """
    if resume is not None:
        raise typer.Exit(_resume(resume))
    measure = MeasureOptions(
        variants=parse_variants(variant or []),
        launches=launches,
        stopping=_stopping(relative_ci, min_samples, max_samples, max_seconds),
        warmup=Warmup(min_samples=2, min_seconds=0.02),
        deadline_seconds=deadline,
        init_deadline_seconds=init_deadline,
        seed=seed,
        observe=observe,
    )
    what = SweepOptions(
        operations=operations or [],
        min_bytes=parse_size(min_bytes),
        max_bytes=parse_size(max_bytes),
        factor=factor,
        datatypes=datatype or ["float"],
        redops=redop or ["sum"],
        root=root,
        in_place=in_place,
        timings=timing or ["isolated"],
    )
    target = _target(on, ranks, hosts, rate or [], hostfile, shlex.split(mpi_args))
    job = _Job.new(sys.argv[1:], target, what, measure, fabric)
    raise typer.Exit(job.carry_out(output or default_output(Path())))


run.__doc__ = f"{run.__doc__}\n{_EXAMPLES}"


@dataclass(frozen=True)
class _Job:
    """A run, ready to be carried out or gone on with."""

    target: Target
    measure: MeasureOptions
    plan: Plan
    fabric: Fabric | None
    command: list[str]
    program: list[str]

    @classmethod
    def new(
        cls,
        command: list[str],
        target: Target,
        what: SweepOptions,
        measure: MeasureOptions,
        fabric: str | None,
    ) -> _Job:
        if not what.operations:
            raise UsageError("no operation given; `busbar-bench --help` lists them.")
        engine = find_engine()
        described = describe(engine, target.ranks)
        plan = make_plan(what, measure, described, target.ranks, "mpi")
        return cls(target, measure, plan, _fabric(target, fabric), command, [str(engine)])

    def carry_out(self, output: Path, before: RunRecord | None = None) -> int:
        """Measure what is missing and write the record; the exit code."""
        journal_file = journal_path(output)
        if output.exists():
            raise UsageError(f"{output} exists; choose another --output, records are not replaced.")
        slots = make_slots(self.plan, self.measure.seed, self.measure.observe, self._observing())
        settings = RunSettings(
            target=self.target,
            program=self.program,
            slots=slots,
            seed=self.measure.seed,
            init_deadline_seconds=self.measure.init_deadline_seconds,
            common_environment=self._common_environment(),
        )
        console = Console()
        journal = (
            JournalWriter.reopen(journal_file)
            if before
            else JournalWriter.create(journal_file, self._run_header(output))
        )
        watcher = RunConsole(console, self._share())
        done = Done.of(before) if before else Done()
        watcher.plan([(s, visits_of(s, self.plan, done, self.measure.seed)) for s in slots])
        with journal:
            try:
                with watcher:
                    outcome = Runner(settings, self.plan, journal, watcher).run(before)
            except (KeyboardInterrupt, BusbarError) as error:
                journal.close()
                raise _explained(error, journal_file) from None
            record = journal.finish("complete", utc_now())
        return self._conclude(console, record, outcome.exit_code())

    def _conclude(self, console: Console, path: Path, code: ExitCode) -> int:
        from busbar.record.load import load

        record = load(path)
        if self.fabric is not None and self.fabric.kind == "network":
            console.print(verdict_table(judge(record, self.fabric)))
        console.print(escape(f"record: {path}   page: busbar report {path}"), highlight=False)
        return int(code)

    def _run_header(self, output: Path) -> Run:
        spec = self.target.spec if isinstance(self.target, Emulated) else None
        return Run(
            id=output.name.removesuffix(".json"),
            started=utc_now(),
            finished=None,
            command=["busbar", *self.command],
            status="running",
            plan=self.plan,
            seed=self.measure.seed,
            on=self.target.on,
            fabric=self.fabric.name if self.fabric else None,
            emulated=spec is not None,
            simulated=False,
            fake=False,
            emulation=spec.model_dump(mode="json") if spec else None,
            scenario=None,
            background=None,
            segments=[],
        )

    def _common_environment(self) -> dict[str, str]:
        tuned = any(key.startswith("coll_tuned_") for v in self.plan.variants for key in v.settings)
        # Read once, at launch; without it Open MPI accepts and ignores what a variant sets. Every
        # launch gets it, so that default and tuned differ in nothing else.
        return {"OMPI_MCA_coll_tuned_use_dynamic_rules": "1"} if tuned else {}

    def _observing(self) -> dict[str, str]:
        return dict(_OBSERVE)

    def _share(self) -> TheoryShare:
        fabric, placement = self.fabric, self.target.placement()

        def share(key: PointKey, time_us: float) -> float | None:
            if fabric is None or fabric.kind != "network" or placement is None or time_us <= 0:
                return None
            limit = bound(fabric, key.op, key.size_bytes, placement, root=key.root or 0)
            return limit.time_us / time_us if limit else None

        return share


def _resume(journal: Path) -> int:
    """Go on with a run by the command line that its journal holds."""
    from busbar.cli import parse_run_options

    before = read_journal(journal)
    if before.run.status not in ("running", "interrupted"):
        raise UsageError(f"{journal}: that run is {before.run.status}; there is nothing to resume.")
    options: dict[str, Any] = parse_run_options(before.run.command[1:])
    measure = MeasureOptions(
        variants=before.run.plan.variants,
        launches=before.run.plan.launches,
        stopping=before.run.plan.stopping,
        warmup=before.run.plan.warmup,
        deadline_seconds=before.run.plan.deadline_seconds,
        init_deadline_seconds=options["init_deadline"],
        seed=before.run.seed,
        observe=options["observe"],
    )
    target = _target(
        options["on"],
        options["ranks"],
        options["hosts"],
        options["rate"] or [],
        options["hostfile"],
        shlex.split(options["mpi_args"]),
    )
    job = _Job(
        target=target,
        measure=measure,
        plan=before.run.plan,
        fabric=_fabric(target, options["fabric"]),
        command=before.run.command[1:],
        program=[str(find_engine())],
    )
    name = journal.name.removesuffix(".journal.jsonl")
    return job.carry_out(journal.with_name(f"{name}.json"), before)


def _target(
    on: str,
    ranks: int | None,
    hosts: int | None,
    rates: list[str],
    hostfile: Path | None,
    extra: list[str],
) -> Target:
    if ranks is not None and ranks < 1:
        raise UsageError(f"{ranks} ranks: at least 1 is accepted.")
    if on != "emulated" and (hosts is not None or rates):
        raise UsageError(f"--hosts and --rate belong to --on emulated, not to --on {on}.")
    if on == "local":
        return Local(ranks or _cores())
    if on == "emulated":
        return _emulated(ranks, hosts, rates)
    if ranks is None:
        raise UsageError(f"--on {on} needs --ranks.")
    if on == "slurm":
        return Slurm(ranks, extra=extra)
    if on == "hostfile":
        if hostfile is None:
            raise UsageError("--on hostfile needs --hostfile FILE.")
        return Hostfile(hostfile, ranks, extra=extra)
    raise UsageError(f"unknown target '{on}'; accepted: local, emulated, hostfile, slurm")


def _emulated(ranks: int | None, hosts: int | None, rates: list[str]) -> Emulated:
    try:
        spec = emulate.spec_from_options(hosts, rates)
    except ValueError as error:
        raise UsageError(f"{error}.") from None
    if (problem := emulate.preflight()) is not None:
        raise Incomplete(problem)
    if ranks is not None and ranks % spec.hosts != 0:
        raise UsageError(f"{ranks} ranks do not fill {spec.hosts} hosts evenly.")
    return Emulated(spec, (ranks or spec.hosts) // spec.hosts)


def _cores() -> int:
    import os

    return max(2, len(os.sched_getaffinity(0)))


def _fabric(target: Target, name: str | None) -> Fabric | None:
    if name is not None:
        return fabrics.load(name)
    if isinstance(target, Emulated):
        return fabrics.from_emulation(target.spec.model_dump(mode="json"))
    return fabrics.load("local") if target.on == "local" else None


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


def _explained(error: BaseException, journal: Path) -> BusbarError:
    left = f"what was measured is in {journal}; `busbar run --resume {journal}` goes on."
    if isinstance(error, KeyboardInterrupt):
        return Incomplete(f"interrupted: {left}")
    assert isinstance(error, BusbarError)
    explained = BusbarError(f"{error.message.rstrip('.')}; {left}")
    explained.exit_code = error.exit_code
    return explained
