"""The whole run: every slot's launch, every answer journalled as it comes."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from busbar.errors import BusbarError, ExitCode, UsageError
from busbar.launch import monitoring, nccl, nccl_conf, nccl_log, sharp_log
from busbar.launch.engine import Engine, LaunchHang
from busbar.launch.environment import base_environment
from busbar.launch.hang import stuck_variants
from busbar.launch.request import Manner, seed_of, visit_request
from busbar.launch.side_by_side import apart, carry_out
from busbar.launch.slots import Done, Slot, Visit, visits_of
from busbar.launch.target import Target
from busbar.launch.tuned import refuse_launch_elsewhere
from busbar.record.journal import JournalWriter
from busbar.record.key import parse_ranks
from busbar.record.lines import BlockLine, LaunchLine, ProblemLine, SegmentLine
from busbar.record.models import Plan, RunRecord, Warmup
from busbar.tune.tuned import MadeFor

MOST_HANGS = 3
"""A fabric on which so many points hang will hang on the next one too."""

_OBSERVED_WARMUP = 1
"""Executions before an observed block: all that the library counts besides the block's own."""


class Watcher(Protocol):
    """Who is told how the run goes on."""

    def launch(self, slot: Slot, launch: LaunchLine, visits: list[Visit]) -> None:
        """A launch has begun and owes these visits."""

    def block(self, slot: Slot, line: BlockLine) -> None:
        """A block has been journalled."""

    def visited(self, slot: Slot, visit: Visit) -> None:
        """A visit is over."""

    def problem(self, sentence: str) -> None:
        """Something went wrong; the run goes on if it can."""


@dataclass
class RunSettings:
    """What a run needs besides its plan."""

    target: Target
    program: list[str]
    slots: list[Slot]
    seed: int
    init_deadline_seconds: float
    common_environment: dict[str, str]
    """For every launch alike."""
    made_for: MadeFor | None = None
    """Where the settings of a variant were proven; a launch elsewhere is refused."""


@dataclass
class Outcome:
    """How a run ended."""

    hangs: int = 0
    wrong_blocks: int = 0
    hung_before: bool = False
    """Before the run was gone on with: such points are not tried again."""

    @classmethod
    def of(cls, before: RunRecord) -> Outcome:
        """What a run that is gone on with has seen already."""
        blocks = [block for point in before.points for block in point.blocks]
        return cls(
            wrong_blocks=sum(bool(block.wrong_elements) for block in blocks),
            hung_before=any(problem.status == "hang" for problem in before.problems),
        )

    def exit_code(self) -> ExitCode:
        """Wrong data is worst; a hang comes next."""
        if self.wrong_blocks:
            return ExitCode.NEGATIVE
        return ExitCode.HANG if self.hangs or self.hung_before else ExitCode.HOLDS


def utc_now() -> str:
    """Now, as records write it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


class Runner:
    """Carries out what the slots owe."""

    def __init__(self, settings: RunSettings, plan: Plan, journal: JournalWriter, watcher: Watcher):
        self._settings = settings
        self._plan = plan
        self._journal = journal
        self._watcher = watcher
        self._outcome = Outcome()
        self._done = Done()
        self._next_launch = 0
        self._fingerprint: str | None = None
        self._live: set[Engine] = set()
        self._lock = threading.RLock()
        """Of all that launches at the same time share."""

    def run(self, before: RunRecord | None) -> Outcome:
        """Measure what `before` (the journal so far) lacks; everything where there is none."""
        if before is not None:
            self._done = Done.of(before)
            self._outcome = Outcome.of(before)
            self._next_launch = max((launch.id for launch in before.launches), default=-1) + 1
            if before.run.segments:
                self._fingerprint = before.run.segments[-1].fingerprint
        at_once = self._settings.target.side_by_side()
        if at_once is None:
            self._run_in_turn()
        else:
            self._run_side_by_side(at_once)
        return self._outcome

    def _run_in_turn(self) -> None:
        for slot in self._settings.slots:
            # A hang ends its launch; what the slot still owes is measured in another one.
            while visits := self._owed(slot):
                # What a launch of purpose `observe` sends is counted as a whole: one point each.
                now = visits[:1] if slot.purpose == "observe" else visits
                self._launch(slot, self._number(), now)

    def _run_side_by_side(self, at_once: int) -> None:
        slots = self._settings.slots
        while parts := [(slot, part) for slot in slots for part in apart(self._owed(slot))]:
            tasks = [partial(self._launch, slot, self._number(), part) for slot, part in parts]
            carry_out(tasks, at_once, self._end_all)

    def _owed(self, slot: Slot) -> list[Visit]:
        return visits_of(slot, self._plan, self._done, self._settings.seed)

    def _number(self) -> int:
        self._next_launch += 1
        return self._next_launch - 1

    def _end_all(self) -> None:
        with self._lock:
            live = list(self._live)
        for engine in live:
            engine.kill()

    def _launch(self, slot: Slot, number: int, visits: list[Visit]) -> None:
        with self._start(slot) as engine:
            with self._lock:
                self._live.add(engine)
                launch = self._begin(engine, slot, number, visits)
            try:
                for visit in visits:
                    self._visit(engine, slot, launch, visit)
            except LaunchHang as hang:
                with self._lock:
                    self._note_hang(number, visit, hang)
            finally:
                with self._lock:
                    self._live.remove(engine)

    def _begin(self, engine: Engine, slot: Slot, number: int, visits: list[Visit]) -> LaunchLine:
        launch = _launch_line(engine.launch_line, slot, number)
        if launch.transport == nccl.TRANSPORT:
            # Of the host that NCCL ran on, which need not be this one.
            configured = nccl_conf.names_in(launch.nccl_conf)
            nccl_conf.refuse_decided(self._plan.variants, configured)
        if self._settings.made_for is not None:
            refuse_launch_elsewhere(self._settings.made_for, launch)
        self._open_segment(fingerprint_of(launch))
        self._journal.append(launch)
        self._watcher.launch(slot, launch, visits)
        return launch

    def _visit(self, engine: Engine, slot: Slot, launch: LaunchLine, visit: Visit) -> None:
        for answer in self._answers(engine, slot, visit):
            if slot.purpose == "observe":
                engine.close()  # the library reports when it is finalised
            _put_evidence(answer, engine, slot, launch)
            if self._settings.target.on == "simulated":
                _put_certainty(answer, slot)
            line = BlockLine.model_validate({**answer, "launch": launch.launch})
            with self._lock:
                self._keep(slot, line)
        with self._lock:
            self._watcher.visited(slot, visit)

    def _start(self, slot: Slot) -> Engine:
        try:
            return Engine(
                self._settings.target,
                self._settings.program,
                self._settings.common_environment | slot.environment,
                base_environment=base_environment(self._plan.variants),
                init_deadline=self._settings.init_deadline_seconds,
            )
        except LaunchHang as hang:
            # No point was reached, so none can be blamed: the next launch would hang as well.
            problem = ProblemLine(launch=None, key=None, status="hang", reason=hang.message)
            with self._lock:
                self._journal.append(problem)
            raise

    def _open_segment(self, seen: str) -> None:
        if self._fingerprint is None:
            self._journal.append(SegmentLine(started=utc_now(), fingerprint=seen))
            self._fingerprint = seen
        elif seen != self._fingerprint:
            raise UsageError(
                f"this system's fingerprint is {seen}, the run's is {self._fingerprint}: figures "
                "of two systems do not belong in one record; start a new run."
            )

    def _answers(self, engine: Engine, slot: Slot, visit: Visit) -> Iterator[dict[str, Any]]:
        request = self._request(slot, visit)
        manner = Manner.of(self._plan)
        silence = self._settings.target.silence_seconds(
            manner.deadline_seconds, manner.stopping.max_seconds
        )
        for answer in engine.visit(request, silence):
            answer.pop("request")
            yield answer

    def _keep(self, slot: Slot, line: BlockLine) -> None:
        self._journal.append(line)
        self._done.blocks.add((slot.index, line.key.planned()))
        self._outcome.wrong_blocks += 1 if line.block.wrong_elements else 0
        self._watcher.block(slot, line)

    def _request(self, slot: Slot, visit: Visit) -> dict[str, Any]:
        key, manner = visit.key, Manner.of(self._plan)
        if slot.purpose == "observe":
            # Bytes are counted, not times: one execution to warm up, one to verify.
            manner = replace(
                manner,
                stopping=manner.stopping.model_copy(update={"min_samples": 1, "max_samples": 1}),
                warmup=Warmup(min_samples=_OBSERVED_WARMUP, min_seconds=0.0),
            )
        seed = seed_of(self._settings.seed, slot.index, key.model_dump_json())
        ranks = len(parse_ranks(key.group.ranks))
        payload = self._settings.target.carries_payload(key.size_bytes, ranks)
        return visit_request(
            key, visit.variants, manner, round_number=slot.round, seed=seed, payload=payload
        )

    def _note_hang(self, number: int, visit: Visit, hang: LaunchHang) -> None:
        self._outcome.hangs += 1
        self._watcher.problem(hang.message)
        named = stuck_variants(hang.reports)
        stuck = [v for v in visit.variants if v.name in named] or visit.variants
        for variant in stuck:
            key = visit.key.model_copy(update={"variant": variant.name})
            self._done.hopeless.add(key)
            self._journal.append(
                ProblemLine(launch=number, key=key, status="hang", reason=hang.message)
            )
        if self._outcome.hangs >= MOST_HANGS:
            raise TooManyHangs(f"{MOST_HANGS} points hung; the last: {hang.message}")


class TooManyHangs(BusbarError):
    """The run was given up."""

    exit_code = ExitCode.HANG


def fingerprint_of(launch: LaunchLine) -> str:
    """Twelve digits that change when the hardware or software measured on does."""
    system = {
        "hosts": sorted(host.model_dump_json() for host in launch.system.hosts),
        "gpus": sorted(gpu.model_dump_json() for gpu in launch.system.gpus),
        "versions": launch.system.versions,
        "ranks": [(p.rank, p.host, p.role) for p in launch.processes],
    }
    return hashlib.sha256(json.dumps(system, sort_keys=True).encode()).hexdigest()[:12]


def _launch_line(answer: dict[str, Any], slot: Slot, number: int) -> LaunchLine:
    own = {"launch": number, "slot": slot.index, "purpose": slot.purpose}
    return LaunchLine.model_validate({**answer, **own, "variant_environment": slot.environment})


def _put_evidence(answer: dict[str, Any], engine: Engine, slot: Slot, launch: LaunchLine) -> None:
    """Put into an engine's block line what the launch's output tells of how it was carried out."""
    variant = next(v for v in slot.variants if v.name == answer["key"]["variant"])
    observing = slot.purpose == "observe"
    if launch.transport == nccl.TRANSPORT:
        configured = set(nccl_conf.names_in(launch.nccl_conf))
        if (why := nccl.unproven_because(launch.settings, configured)) is not None:
            answer["block"]["observed"]["how"].append(why)
        if observing:
            asked = variant.settings.get("in_network")
            nccl_log.note(answer, engine.stderr_lines(), launch, asked)
        return
    if observing:
        _put_bytes_per_peer(answer, engine, launch)
    if variant.in_network == "sharp":
        # A trace tells of this one point only where nothing else was visited.
        sharp_log.note(answer, engine.stderr_lines(), evidence=observing)


def _put_certainty(answer: dict[str, Any], slot: Slot) -> None:
    """A simulated message has no way but the platform's links, and the engine chooses who sends."""
    variant = next(v for v in slot.variants if v.name == answer["key"]["variant"])
    answer["block"]["observed"]["in_network"] = variant.in_network != "off"


def _put_bytes_per_peer(answer: dict[str, Any], engine: Engine, launch: LaunchLine) -> None:
    executions = answer["block"]["executions"] + _OBSERVED_WARMUP
    workers = sum(process.role == "worker" for process in launch.processes)
    matrix = monitoring.bytes_per_peer(
        engine.stderr_lines(), workers, len(launch.processes), executions
    )
    if matrix is not None:
        answer["block"]["observed"]["bytes_per_peer"] = matrix
        answer["block"]["observed"]["how"].append(monitoring.HOW)


def default_output(directory: Path) -> Path:
    """Where a record goes that was given no name."""
    return directory / f"busbar-{datetime.now(UTC).strftime('%Y%m%d-%H%M%S')}.json"
