"""A run from its plan to its record: ready to be carried out, or gone on with."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from busbar import fabrics, simulate, terminal
from busbar.check.check import check as judge
from busbar.check.findings import findings
from busbar.check.table import print_findings, print_result
from busbar.errors import BusbarError, ExitCode, Incomplete, UsageError
from busbar.fabrics import Fabric
from busbar.launch import monitoring, nccl, nccl_log, ucx
from busbar.launch.binary import describe, find_engine
from busbar.launch.console import RunConsole, TheoryShare
from busbar.launch.environment import common_environment, program
from busbar.launch.options import MeasureOptions, SweepOptions
from busbar.launch.plan import Ranks, make_plan
from busbar.launch.runner import Runner, RunSettings, utc_now
from busbar.launch.slots import Done, make_slots, visits_of
from busbar.launch.target import Emulated, Simulated, Target
from busbar.record.journal import JournalWriter, journal_path, read_journal
from busbar.record.load import load
from busbar.record.models import Plan, PointKey, Run, RunRecord
from busbar.record.origin import unreal_lines
from busbar.theory.side_by_side import bound_side_by_side
from busbar.tune.tuned import MadeFor


@dataclass(frozen=True)
class Job:
    """A run, ready to be carried out or gone on with."""

    target: Target
    measure: MeasureOptions
    plan: Plan
    fabric: Fabric | None
    command: list[str]
    engine: Path
    made_for: MadeFor | None = None
    """Where the settings of a variant were proven; a launch elsewhere is refused."""

    @classmethod
    def new(
        cls,
        command: list[str],
        target: Target,
        what: SweepOptions,
        measure: MeasureOptions,
        fabric: str | None,
        transport: str = "mpi",
    ) -> Job:
        if not what.operations:
            raise UsageError("no operation given; `busbar-bench --help` lists them.")
        engine = find_engine()
        described = describe(engine, target.ranks)
        ranks = Ranks(target.ranks, target.placement(), target.threads)
        plan = make_plan(what, measure, described, ranks, transport)
        return cls(target, measure, plan, fabric_of(target, fabric), command, engine)

    @property
    def transport(self) -> str:
        """What carries every point of the plan."""
        return self.plan.rows[0].key.transport

    def carry_out(self, output: Path, before: RunRecord | None = None) -> int:
        """Measure what is missing, write the record and judge it; the exit code."""
        journal_file = journal_path(output)
        anothers = before is None and journal_file.exists()
        try:
            code = self.measure_into(output, before)
        except (KeyboardInterrupt, BusbarError) as error:
            if anothers or not journal_file.exists():
                raise
            raise _explained(error, journal_file) from None
        return self._conclude(terminal.console(), output, code)

    def measure_into(self, output: Path, before: RunRecord | None = None) -> ExitCode:
        """Measure what is missing and write the record; how it went.

        What was measured stays in the journal where this is interrupted or fails.
        """
        journal_file = journal_path(output)
        if output.exists():
            raise UsageError(f"{output} exists; choose another --output, records are not replaced.")
        of_nccl = self.transport == nccl.TRANSPORT
        observing = nccl_log.OBSERVING if of_nccl else monitoring.ENVIRONMENT
        # UCX counts no bytes for its users, and MPI's monitoring sees none of what it carries.
        observe = "none" if self.transport == ucx.TRANSPORT else self.measure.observe
        slots = make_slots(self.plan, self.measure.seed, observe, observing)
        settings = RunSettings(
            target=self.target,
            program=program(self.engine, self.transport, self.target.threads),
            slots=slots,
            seed=self.measure.seed,
            init_deadline_seconds=self.measure.init_deadline_seconds,
            common_environment=common_environment(
                self.target, self.transport, self.engine, self.plan.variants
            ),
            made_for=self.made_for,
        )
        console = terminal.console()
        header = self._run_header(output)
        journal = (
            JournalWriter.reopen(journal_file)
            if before
            else JournalWriter.create(journal_file, header)
        )
        watcher = RunConsole(console, self._share(), unreal_lines(header))
        done = Done.of(before) if before else Done()
        watcher.plan([(s, visits_of(s, self.plan, done, self.measure.seed)) for s in slots])
        with journal:
            try:
                with watcher:
                    outcome = Runner(settings, self.plan, journal, watcher).run(before)
            except UsageError:
                journal.close()
                if before is None and not _holds_anything(journal_file):
                    journal_file.unlink()  # going on with it would be refused for the same reason
                raise
            journal.finish("complete", utc_now())
        return outcome.exit_code()

    def _conclude(self, console: Console, path: Path, code: ExitCode) -> int:
        record = load(path)
        if record.run.fake:
            print_findings(console, findings(record))
            console.print("fake: it ran on a library or a GPU that is none; no judge takes it.")
        elif self.fabric is not None and self.fabric.kind != "shared_memory":
            print_result(console, judge(record, self.fabric))
        else:
            print_findings(console, findings(record))
        page = f"busbar report {path}{_fabric_file(self.command)}"
        console.print(escape(f"record: {path}   page: {page}"), highlight=False, soft_wrap=True)
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
            simulated=isinstance(self.target, Simulated),
            fake=False,
            emulation=spec.model_dump(mode="json") if spec else None,
            scenario=_scenario(self.target),
            background=_background(self.target),
            segments=[],
        )

    def _share(self) -> TheoryShare:
        fabric, placement = self.fabric, self.target.placement()
        in_network = {v.name for v in self.plan.variants if v.in_network != "off"}

        def share(key: PointKey, time_us: float) -> float | None:
            if key.group.split is not None and key.group.parts is None:
                return None
            if fabric is None or fabric.kind != "network" or placement is None or time_us <= 0:
                return None
            limit = bound_side_by_side(
                fabric,
                key.op,
                key.size_bytes,
                [[placement[rank] for rank in members] for members in key.group.members()],
                root=key.root or 0,
                in_network=key.variant in in_network,
            )
            return limit.time_us / time_us if limit else None

        return share


def _fabric_file(command: list[str]) -> str:
    """` --fabric FILE` as the command line has it: a record names its fabric, but has no file."""
    for word, after in pairwise([*command, ""]):
        name = after if word == "--fabric" else word.partition("--fabric=")[2]
        if name.endswith(".toml"):
            return f" --fabric {shlex.quote(name)}"
    return ""


def _background(target: Target) -> str | None:
    if not isinstance(target, Simulated) or target.background == 0:
        return None
    return f"{100 * target.background:.4g} % of every network link"


def _scenario(target: Target) -> str | None:
    return simulate.sentence(target.faults) if isinstance(target, Simulated) else None


def fabric_of(target: Target, name: str | None) -> Fabric | None:
    """The fabric to compare with: the one named, else what the target is known to be."""
    if isinstance(target, Simulated):
        return target.fabric
    if name is not None:
        return fabrics.load(name)
    if isinstance(target, Emulated):
        return fabrics.from_emulation(target.spec.model_dump(mode="json"))
    return fabrics.load("local") if target.on == "local" else None


def _holds_anything(journal: Path) -> bool:
    """Whether anything was measured, or went wrong in a way that the record must tell."""
    record = read_journal(journal)
    return bool(record.points or record.problems)


def _explained(error: BaseException, journal: Path) -> BusbarError:
    left = f"what was measured is in {journal}; `busbar run --resume {journal}` goes on."
    if isinstance(error, KeyboardInterrupt):
        return Incomplete(f"interrupted: {left}")
    assert isinstance(error, BusbarError)
    explained = BusbarError(f"{error.message.rstrip('.')}; {left}")
    explained.exit_code = error.exit_code
    return explained
