"""A tuning from its search to its files: ready to be carried out, or gone on with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import psutil
from rich.console import Console

from busbar.errors import Incomplete
from busbar.fabrics.model import Fabric
from busbar.launch.engine import Engine
from busbar.launch.environment import base_environment, common_environment, program
from busbar.launch.job import Job
from busbar.launch.options import MeasureOptions
from busbar.launch.runner import fingerprint_of, utc_now
from busbar.launch.target import Target
from busbar.record.journal import journal_path, read_journal
from busbar.record.lines import LaunchLine
from busbar.record.load import load
from busbar.record.models import RunRecord, Variant
from busbar.theory.least import least_us
from busbar.tune.ask import Strategy
from busbar.tune.bench import BenchSettings, LiveBench
from busbar.tune.candidate import Candidate
from busbar.tune.certainty import Certainty
from busbar.tune.conclude import Conclusion, conclude
from busbar.tune.console import TuneConsole, print_found, print_notes, print_tuned
from busbar.tune.files import Folder
from busbar.tune.find import Found, Means, find
from busbar.tune.journal import SearchJournal, SystemLine
from busbar.tune.memory import objection
from busbar.tune.points import TunePoint
from busbar.tune.prove import Contest, proof_plan
from busbar.tune.search import PointSearch
from busbar.tune.space import PointSpace, Space
from busbar.tune.strategies.exhaustive import exhaustive
from busbar.tune.tuned import Cost, MadeFor, Tuned


@dataclass(frozen=True)
class Place:
    """Where everything is measured, and by what."""

    target: Target
    transport: str
    engine: Path
    fabric: Fabric | None
    certainty: Certainty
    measure: MeasureOptions
    """Of the proof; seed, deadlines and rest of the search as well."""
    command: list[str]


@dataclass(frozen=True)
class Wish:
    """What is tuned, and how hard it is tried."""

    space: Space
    space_name: str | None
    """None: the transport's."""
    points: list[TunePoint]
    even: bool
    workload: str
    notes: list[str]
    """What the workload leaves out."""
    strategy_name: str
    strategy: Strategy
    budget_seconds: float
    processes: bool
    """Whether settings that need fresh processes are tried."""

    def variants(self, environment: Mapping[str, str]) -> list[Variant]:
        """One for every setting that may be tried: what a launch must be prepared for."""
        return [
            Variant(
                name=f"{setting.name}={value.value}",
                settings={setting.name: value.value},
                environment=dict(environment),
            )
            for setting in self.space.named("search")
            if setting.scope == "call"
            for value in setting.values
        ]


@dataclass(frozen=True)
class TuneJob:
    """A tuning."""

    place: Place
    wish: Wish
    folder: Folder
    console: Console

    def carry_out(self, journal: SearchJournal) -> Tuned:
        """Search, prove, conclude; what is in the folder already is not measured again."""
        system = self._meet(journal)
        found = self._find(journal, self.space_of(system), system.nodes)
        print_found(self.console, found.searches)
        contests = found.contests()
        record = self.prove(contests)
        conclusion = conclude(found.searches, contests, record, self.place.certainty)
        cost = self._cost(found, journal, _seconds_of(record) if record else 0.0)
        tuned = self._tuned(conclusion, system, cost)
        print_tuned(self.console, tuned)
        print_notes(self.console, self.wish.notes)
        return tuned

    def space_of(self, system: SystemLine) -> Space:
        """What may be tried on that system."""
        version = system.versions.get(self.place.transport)
        if version is None:
            raise Incomplete(
                f"the launch does not tell the version of {self.place.transport}, which says what "
                "can be set."
            )
        return self.wish.space.of_version(version)

    def _meet(self, journal: SearchJournal) -> SystemLine:
        """The system that is measured: of the journal, else of a launch."""
        if journal.system is None:
            with self._bench({}, journal) as bench:
                bench.begin()
        assert journal.system is not None  # the launch above has told it
        return journal.system

    def _find(self, journal: SearchJournal, space: Space, nodes: int) -> Found:
        wish, ranks = self.wish, self.place.target.ranks
        searches = [
            PointSearch(p, space.of_calls(p.key.op, ranks, nodes), wish.strategy)
            for p in wish.points
        ]
        processes = space.of_processes() if wish.processes else PointSpace(())
        with TuneConsole(self.console, wish.budget_seconds) as watcher:
            means = Means(
                open_bench=lambda environment: self._bench(environment, journal),
                journal=journal,
                watcher=watcher,
                least_us=self._least_us,
                budget_seconds=wish.budget_seconds,
                seed=self.place.measure.seed,
                exact=self.place.certainty.exact,
            )
            return find(searches, processes, wish.even, means)

    @contextmanager
    def _bench(self, environment: Mapping[str, str], journal: SearchJournal) -> Iterator[LiveBench]:
        place = self.place
        every = self.wish.variants(environment)

        def start() -> Engine:
            common = common_environment(place.target, place.transport, place.engine, every)
            return Engine(
                place.target,
                program(place.engine, place.transport, place.target.threads),
                common | dict(environment),
                base_environment=base_environment(every),
                init_deadline=place.measure.init_deadline_seconds,
            )

        settings = BenchSettings(
            start=start,
            target=place.target,
            warmup=place.certainty.warmup,
            rest_us=place.measure.rest_us,
            deadline_seconds=place.measure.deadline_seconds,
            seed=place.measure.seed,
            meet=lambda launch: journal.meet(system_of(launch)),
            objection=self._objection,
        )
        with LiveBench(settings) as bench:
            yield bench

    def _objection(self, point: TunePoint, candidate: Candidate) -> str | None:
        vectors = self.wish.space.vectors(point.key.op, candidate)
        free_bytes = psutil.virtual_memory().available
        return objection(vectors, point.key.size_bytes, self.place.target.ranks, free_bytes)

    def _least_us(self, point: TunePoint, candidate: Candidate) -> float | None:
        placement, fabric = self.place.target.placement(), self.place.fabric
        if fabric is None or placement is None or self.wish.strategy is exhaustive:
            return None  # who asks for everything gets everything
        known = [
            least
            for model in self.wish.space.models(point.key.op, candidate)
            if (least := least_us(fabric, point.key.op, model, point.key.size_bytes, placement))
            is not None
        ]
        return max(known, default=None)

    def prove(self, contests: Sequence[Contest]) -> RunRecord | None:
        """The record of the proof, measured as far as it is not there; None for no contests."""
        if not contests:
            return None
        output = self.folder.proof
        if not output.exists():
            journal = journal_path(output)
            before = read_journal(journal) if journal.exists() else None
            place = self.place
            job = Job(
                target=place.target,
                measure=place.measure,
                plan=before.run.plan if before else proof_plan(contests, place.measure),
                fabric=place.fabric,
                command=place.command,
                engine=place.engine,
            )
            job.measure_into(output, before)
        return load(output)

    def _cost(self, found: Found, journal: SearchJournal, proof_seconds: float) -> Cost:
        return Cost(
            search_seconds=journal.spent_seconds,
            proof_seconds=proof_seconds,
            candidates_measured=sum(len(one.history.samples) for one in found.searches),
            candidates=sum(len(one.space.candidates) for one in found.searches),
            strategy=self.wish.strategy_name,
        )

    def _tuned(self, conclusion: Conclusion, system: SystemLine, cost: Cost) -> Tuned:
        place = self.place
        return Tuned(
            made_for=MadeFor(
                transport=place.transport,
                fabric=place.fabric.name if place.fabric else None,
                on=place.target.on,
                versions=system.versions,
                nodes=system.nodes,
                ranks=place.target.ranks,
                fake=system.fake,
                simulated=place.target.on == "simulated",
                made=utc_now(),
            ),
            workload=self.wish.workload,
            space=self.wish.space_name,
            environment=conclusion.environment.settings,
            choices=conclusion.choices,
            total_gain=conclusion.total_gain,
            total_gain_interval=conclusion.total_interval,
            cost=cost,
        )


def system_of(launch: LaunchLine) -> SystemLine:
    """What of a launch a search must meet again."""
    workers = [process for process in launch.processes if process.role == "worker"]
    return SystemLine(
        fingerprint=fingerprint_of(launch),
        versions={k: v for k, v in launch.system.versions.items() if v is not None},
        nodes=len({process.host for process in workers}),
        fake=launch.fake,
    )


def _seconds_of(record: RunRecord) -> float:
    """From the proof's first line to its last; with an interruption in between, all of it."""
    if record.run.finished is None:
        return 0.0
    begun = datetime.fromisoformat(record.run.started)
    return (datetime.fromisoformat(record.run.finished) - begun).total_seconds()
