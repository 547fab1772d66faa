"""A tuning from its search to its files: ready to be carried out, or gone on with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path

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
from busbar.tune.conclude import Conclusion, conclude
from busbar.tune.console import TuneConsole, print_found, print_tuned
from busbar.tune.files import Folder
from busbar.tune.find import Found, Means, find
from busbar.tune.journal import SearchJournal, SystemLine
from busbar.tune.points import TunePoint
from busbar.tune.prove import Contest, proof_plan
from busbar.tune.search import PointSearch
from busbar.tune.space import PointSpace, Space
from busbar.tune.tuned import Cost, MadeFor, Tuned


@dataclass(frozen=True)
class Place:
    """Where everything is measured, and by what."""

    target: Target
    transport: str
    engine: Path
    fabric: Fabric | None
    measure: MeasureOptions
    """Of the proof; seed, deadlines and rest of the search as well."""
    command: list[str]


@dataclass(frozen=True)
class Wish:
    """What is tuned, and how hard it is tried."""

    space: Space
    points: list[TunePoint]
    even: bool
    workload: str
    strategy_name: str
    strategy: Strategy
    budget_seconds: float
    processes: bool
    """Whether settings that need fresh processes are tried."""


@dataclass(frozen=True)
class TuneJob:
    """A tuning."""

    place: Place
    wish: Wish
    folder: Folder
    console: Console

    def carry_out(self, journal: SearchJournal) -> Tuned:
        """Search, prove, conclude; what is in the folder already is not measured again."""
        found = self._find(journal)
        print_found(self.console, found.searches)
        if journal.system is None:
            raise Incomplete("the budget was spent before anything was measured: raise --budget.")
        contests = found.contests()
        record = self.prove(contests)
        conclusion = conclude(found.searches, contests, record)
        tuned = self._tuned(found, conclusion, journal, _seconds_of(record) if record else 0.0)
        print_tuned(self.console, tuned)
        return tuned

    @cached_property
    def _spaces(self) -> dict[str, PointSpace]:
        ranks = self.place.target.ranks
        ops = {point.key.op for point in self.wish.points}
        return {op: self.wish.space.of_calls(op, ranks) for op in ops}

    def _find(self, journal: SearchJournal) -> Found:
        wish = self.wish
        searches = [PointSearch(p, self._spaces[p.key.op], wish.strategy) for p in wish.points]
        processes = wish.space.of_processes() if wish.processes else PointSpace(())
        with TuneConsole(self.console, wish.budget_seconds) as watcher:
            means = Means(
                open_bench=lambda environment: self._bench(environment, journal),
                journal=journal,
                watcher=watcher,
                least_us=self._least_us,
                budget_seconds=wish.budget_seconds,
                seed=self.place.measure.seed,
            )
            return find(searches, processes, wish.even, means)

    @contextmanager
    def _bench(self, environment: Mapping[str, str], journal: SearchJournal) -> Iterator[LiveBench]:
        place = self.place
        everything = [
            Variant(name=c.name, settings=c.settings, environment=dict(environment))
            for space in self._spaces.values()
            for c in space.candidates
        ]

        def start() -> Engine:
            common = common_environment(place.target, place.transport, place.engine, everything)
            return Engine(
                place.target,
                program(place.engine, place.transport, place.target.threads),
                common | dict(environment),
                base_environment=base_environment(everything),
                init_deadline=place.measure.init_deadline_seconds,
            )

        settings = BenchSettings(
            start=start,
            rest_us=place.measure.rest_us,
            deadline_seconds=place.measure.deadline_seconds,
            seed=place.measure.seed,
            meet=lambda launch: journal.meet(system_of(launch)),
        )
        with LiveBench(settings) as bench:
            yield bench

    def _least_us(self, point: TunePoint, candidate: Candidate) -> float | None:
        placement, fabric = self.place.target.placement(), self.place.fabric
        if fabric is None or placement is None:
            return None
        models = self._spaces[point.key.op].models(candidate)
        known = [
            least
            for model in models
            if (least := least_us(fabric, point.key.op, model, point.key.size_bytes, placement))
            is not None
        ]
        return max(known, default=None)

    def short_name(self, point: TunePoint, candidate: Candidate) -> str:
        """What people are shown of a candidate of that point."""
        return self._spaces[point.key.op].short_name(candidate)

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

    def _tuned(
        self, found: Found, conclusion: Conclusion, journal: SearchJournal, proof_seconds: float
    ) -> Tuned:
        assert journal.system is not None  # carry_out looked
        place, system = self.place, journal.system
        return Tuned(
            made_for=MadeFor(
                transport=place.transport,
                fabric=place.fabric.name if place.fabric else None,
                on=place.target.on,
                versions=system.versions,
                nodes=system.nodes,
                ranks=place.target.ranks,
                fake=system.fake,
                made=utc_now(),
            ),
            workload=self.wish.workload,
            environment=conclusion.environment.settings,
            choices=conclusion.choices,
            total_gain=conclusion.total_gain,
            total_gain_interval=conclusion.total_interval,
            cost=Cost(
                search_seconds=journal.spent_seconds,
                proof_seconds=proof_seconds,
                candidates_measured=sum(len(one.history.samples) for one in found.searches),
                candidates=sum(len(one.space.candidates) for one in found.searches),
                strategy=self.wish.strategy_name,
            ),
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
