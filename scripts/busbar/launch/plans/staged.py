"""From a plan's file and a target to a run that fits its budget."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic

from busbar import fabrics
from busbar.errors import UsageError
from busbar.fabrics import Fabric
from busbar.launch import ucx
from busbar.launch.binary import describe, find_engine
from busbar.launch.job import Job, fabric_of
from busbar.launch.options import MeasureOptions
from busbar.launch.plans.budget import Effort, Work, fit, least_effort
from busbar.launch.plans.document import PlanDocument
from busbar.launch.plans.groups import THINNINGS, Thinning
from busbar.launch.plans.layout import Layout
from busbar.launch.plans.mechanisms import Machine, Mechanisms
from busbar.launch.plans.probe import Figures, Probe
from busbar.launch.plans.rows import Names, Situation, StageRows, rows_of, used
from busbar.launch.request import Manner
from busbar.launch.slots import Done, Observe, make_slots, visits_of
from busbar.launch.target import Target
from busbar.launch.where import Where, target_of
from busbar.pairs.sites import Sites
from busbar.record.models import Plan, Stopping, Variant, Warmup

WARMUP = Warmup(min_samples=2, min_seconds=0.02)


@dataclass(frozen=True)
class Asked:
    """What the command line says besides the target."""

    document: PlanDocument
    budget_seconds: float | None
    fabric: str | None
    sites: Sites | None
    deadline_seconds: float
    init_deadline_seconds: float
    seed: int
    observe: Observe


@dataclass(frozen=True)
class Staged:
    """A run as it will be, and what it takes."""

    job: Job
    stages: tuple[StageRows, ...]
    layout: Layout
    effort: Effort
    seconds: float
    """Of all launches to come, about."""
    probe_seconds: float
    """Of the budget, already spent."""
    stage_seconds: tuple[float, ...]
    """Of each stage in one launch of every environment, about."""


def prepare(command: Sequence[str], where: Where, asked: Asked, machine: Machine) -> Staged:
    """Look at the target with one short launch, and fit the plan to what it told.

    Raises UsageError where the plan cannot be carried out there, or not in the seconds given.
    """
    named = fabrics.load(asked.fabric) if asked.fabric is not None else None
    mechanisms = Mechanisms(
        where.transport, where.on, named or _unnamed(where.on), machine, bool(where.aggregators)
    )
    names = Names.of(asked.document, mechanisms)
    target = target_of(where, names.variants)
    fabric = _fabric(target, asked.fabric)
    planner = _Planner(asked, target, fabric, replace(mechanisms, fabric=fabric), names)
    return planner.staged(list(command))


def _unnamed(on: str) -> Fabric | None:
    return fabrics.load("local") if on == "local" else None


def _fabric(target: Target, name: str | None) -> Fabric:
    found = fabric_of(target, name)
    if found is None:
        raise UsageError(
            f"--plan on {target.on} needs --fabric: sizes, leaves and verdicts come from it."
        )
    return found


@dataclass
class _Planner:
    """One plan on one target."""

    asked: Asked
    target: Target
    fabric: Fabric
    mechanisms: Mechanisms
    names: Names

    def __post_init__(self) -> None:
        self._engine: Path = find_engine()
        self._described = describe(self._engine, self.target.ranks)
        self._described.check_transport(self.mechanisms.transport)

    def staged(self, command: list[str]) -> Staged:
        begin = monotonic()
        with self._probe() as probe:
            layout = Layout.of(
                probe.placement(), self.fabric, self.asked.sites, self.target.threads
            )
            here = self._situation(layout)
            full = rows_of(self.asked.document, here, THINNINGS[0])
            figures = probe.figures(row for one in full for row in one.rows)
        spent = monotonic() - begin
        stages, effort, thinning = self._fitting(here, full, figures, spent)
        fewer = sum(len(one.rows) for one in stages) < sum(len(one.rows) for one in full)
        plan = self._plan(stages, effort, thinning.sentence() if fewer else None)
        work = self._work(stages, figures)
        job = Job(
            target=self.target,
            measure=self._measure(stages, effort),
            plan=plan,
            fabric=self.fabric,
            command=command,
            engine=self._engine,
        )
        return Staged(
            job=job,
            stages=tuple(stages),
            layout=layout,
            effort=effort,
            seconds=work.seconds(effort),
            probe_seconds=spent,
            stage_seconds=tuple(
                sum(
                    figures.cost(row.key).seconds(effort.samples, effort.most_seconds)
                    for row in one.rows
                    if row.need != "waived"
                )
                for one in stages
            ),
        )

    def _fitting(
        self, here: Situation, full: list[StageRows], figures: Figures, spent: float
    ) -> tuple[list[StageRows], Effort, Thinning]:
        """As many pairs as leave time for the wanted launches, else the fewest."""
        document, budget = self.asked.document, self.asked.budget_seconds
        left = float("inf") if budget is None else budget - spent
        best: tuple[list[StageRows], Effort, Thinning] | None = None
        stages = full
        for number, thinning in enumerate(THINNINGS):
            stages = full if number == 0 else rows_of(document, here, thinning)
            effort = fit(self._work(stages, figures), left, document.launches, document.block)
            if effort is not None:
                best = (stages, effort, thinning)
                if effort.launches == document.launches.wanted:
                    return best
        if best is not None:
            return best
        work = self._work(stages, figures)
        least = least_effort(work, document.launches, document.block)
        needed = spent + work.seconds(least)
        raise UsageError(
            f"--budget {budget:g}: the least that plan '{document.name}' can do here, "
            f"{least.launches} launches of {least.samples} samples, takes about {needed:.0f} s."
        )

    def _work(self, stages: Sequence[StageRows], figures: Figures) -> Work:
        measured = [row for one in stages for row in one.rows if row.need != "waived"]
        variants = used(stages, self.names.variants)
        return Work(
            blocks=[figures.cost(row.key) for row in measured],
            environments=len({tuple(sorted(v.environment.items())) for v in variants}),
            start_s=figures.start_s,
            observing=self._observing(stages),
        )

    def _observing(self, stages: Sequence[StageRows]) -> int:
        """Launches that look on: one for each of their visits."""
        if self.asked.observe == "none" or self.mechanisms.transport == ucx.TRANSPORT:
            return 0
        document = self.asked.document
        least = Effort(document.launches.least, document.block.least_samples, 1.0)
        plan = self._plan(stages, least)
        slots = make_slots(plan, self.asked.seed, self.asked.observe, {})
        looking = [slot for slot in slots if slot.purpose == "observe"]
        return sum(len(visits_of(slot, plan, Done(), self.asked.seed)) for slot in looking)

    def _plan(
        self, stages: Sequence[StageRows], effort: Effort, thinned: str | None = None
    ) -> Plan:
        said = self.asked.document.model_dump_json()
        return Plan(
            rows=[row for one in stages for row in one.rows],
            variants=used(stages, self.names.variants),
            launches=effort.launches,
            stopping=self._stopping(effort),
            warmup=WARMUP,
            rest_us=self.target.rest_us(),
            deadline_seconds=self.asked.deadline_seconds,
            name=self.asked.document.name,
            sha256=hashlib.sha256(said.encode()).hexdigest(),
            thinned=thinned,
            budget_seconds=self.asked.budget_seconds,
        )

    def _stopping(self, effort: Effort) -> Stopping:
        block = self.asked.document.block
        return Stopping(
            relative_ci=block.relative_ci,
            min_samples=block.least_samples,
            max_samples=effort.samples,
            max_seconds=effort.most_seconds,
        )

    def _measure(self, stages: Sequence[StageRows], effort: Effort) -> MeasureOptions:
        return MeasureOptions(
            variants=used(stages, self.names.variants),
            launches=effort.launches,
            stopping=self._stopping(effort),
            warmup=WARMUP,
            rest_us=self.target.rest_us(),
            deadline_seconds=self.asked.deadline_seconds,
            init_deadline_seconds=self.asked.init_deadline_seconds,
            seed=self.asked.seed,
            observe=self.asked.observe,
        )

    def _situation(self, layout: Layout) -> Situation:
        block = self.asked.document.block
        effort = Effort(self.asked.document.launches.least, block.least_samples, block.most_seconds)
        return Situation(
            layout=layout,
            sweep=self.fabric.sweep,
            described=self._described,
            mechanisms=self.mechanisms,
            names=self.names,
            how=self._measure([], effort),
        )

    def _probe(self) -> Probe:
        block = self.asked.document.block
        effort = Effort(self.asked.document.launches.least, block.least_samples, block.most_seconds)
        return Probe(
            self.target,
            self.mechanisms.transport,
            self._engine,
            self._of_first_environment(),
            Manner(
                self._stopping(effort),
                WARMUP,
                self.target.rest_us(),
                self.asked.deadline_seconds,
            ),
            self.asked.init_deadline_seconds,
            self.asked.seed,
        )

    def _of_first_environment(self) -> list[Variant]:
        first = self.names.variants[0].environment
        return [variant for variant in self.names.variants if variant.environment == first]
