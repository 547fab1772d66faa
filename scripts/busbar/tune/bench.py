"""Where candidates are measured: a live launch of the engine, asked through its request door."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from busbar.errors import UsageError
from busbar.launch.engine import Engine, LaunchDied, LaunchHang
from busbar.launch.hang import stuck_variants
from busbar.launch.request import Manner, seed_of, visit_request
from busbar.launch.target import Target
from busbar.record.key import parse_ranks
from busbar.record.lines import BlockLine, LaunchLine
from busbar.record.models import Stopping, Variant, Warmup
from busbar.tune.candidate import Candidate
from busbar.tune.points import TunePoint


@dataclass
class Seen:
    """What a visit brought."""

    times_us: dict[Candidate, list[float]] = field(default_factory=dict)
    failed: dict[Candidate, str] = field(default_factory=dict)
    """Why it must not be used: refused, hung, died, or gave wrong data."""


class Bench(Protocol):
    """Measures candidates of one point side by side."""

    def measure(
        self, point: TunePoint, candidates: Sequence[Candidate], samples: int, seconds: float
    ) -> Seen:
        """`samples` of each, or as many as `seconds` for each allow, but one."""
        ...


@dataclass(frozen=True)
class BenchSettings:
    """How launches of a search are made and asked."""

    start: Callable[[], Engine]
    target: Target
    warmup: Warmup
    """Of every block."""
    rest_us: float
    deadline_seconds: float
    seed: int
    meet: Callable[[LaunchLine], None]
    """Told of every launch; raises what ends the search."""
    objection: Callable[[TunePoint, Candidate], str | None] = lambda *_: None
    """Why a candidate cannot be tried here; None where it can."""


class LiveBench:
    """One launch after another: a new one where a candidate has taken the last one down."""

    def __init__(self, settings: BenchSettings) -> None:
        self._settings = settings
        self._engine: Engine | None = None
        self._visits = 0

    def measure(
        self, point: TunePoint, candidates: Sequence[Candidate], samples: int, seconds: float
    ) -> Seen:
        """See `Bench`. What fails together is tried alone, so that one cannot spoil the others."""
        objections = {c: self._settings.objection(point, c) for c in candidates}
        seen = Seen(failed={c: why for c, why in objections.items() if why is not None})
        possible = [c for c in candidates if c not in seen.failed]
        waiting = [possible] if possible else []
        while waiting:
            together = waiting.pop()
            try:
                self._visit(point, together, samples, seconds, seen)
            except (LaunchHang, LaunchDied, UsageError) as error:
                stuck = self._blamed(error, together)
                if len(stuck) == 1:
                    seen.failed[stuck[0]] = error.message
                    if rest := [c for c in together if c != stuck[0]]:
                        waiting.append(rest)
                else:
                    waiting += [[candidate] for candidate in together]
                for candidate in together:
                    seen.times_us.pop(candidate, None)
        return seen

    def _blamed(self, error: Exception, together: Sequence[Candidate]) -> list[Candidate]:
        """The candidates that it can have been; the launch is given up unless it only refused."""
        if not isinstance(error, UsageError):
            self.close()
        if isinstance(error, LaunchHang):
            names = stuck_variants(error.reports)
            if stuck := [candidate for candidate in together if candidate.name in names]:
                return stuck
        return list(together)

    def _visit(
        self,
        point: TunePoint,
        candidates: Sequence[Candidate],
        samples: int,
        seconds: float,
        seen: Seen,
    ) -> None:
        by_name = {candidate.name: candidate for candidate in candidates}
        target = self._settings.target
        manner = Manner(
            Stopping(
                # Never met: how many samples are worth while is the strategy's to say.
                relative_ci=1e-9,
                min_samples=1,
                max_samples=samples,
                max_seconds=max(seconds, 1e-3),
            ),
            self._settings.warmup,
            self._settings.rest_us,
            self._settings.deadline_seconds,
        )
        variants = [
            Variant(name=n, settings=c.settings, environment={}) for n, c in by_name.items()
        ]
        self._visits += 1
        request = visit_request(
            point.key,
            variants,
            manner,
            round_number=0,
            seed=seed_of(self._settings.seed, self._visits),
            payload=target.carries_payload(
                point.key.size_bytes, len(parse_ranks(point.key.group.ranks))
            ),
        )
        silence = target.silence_seconds(manner.deadline_seconds, seconds)
        for answer in self._live().visit(request, silence):
            answer.pop("request")
            line = BlockLine.model_validate({**answer, "launch": 0})
            candidate = by_name[line.key.variant]
            if line.block.wrong_elements:
                seen.failed[candidate] = f"{line.block.wrong_elements} wrong elements"
            elif (instead := _ran_instead(candidate, line)) is not None:
                seen.failed[candidate] = f"the library ran {instead} instead"
            else:
                seen.times_us[candidate] = list(line.block.samples_us)
        for candidate in candidates:
            if candidate not in seen.times_us and candidate not in seen.failed:
                seen.failed[candidate] = "the engine answered nothing for it"

    def begin(self) -> None:
        """Start the launch now, rather than with the first visit."""
        self._live()

    def _live(self) -> Engine:
        if self._engine is None:
            self._engine = self._settings.start()
            self._settings.meet(launch_of(self._engine))
        return self._engine

    def close(self) -> None:
        """End the launch, if there is one."""
        if self._engine is not None:
            self._engine.close()
            self._engine = None

    def __enter__(self) -> LiveBench:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is not None and self._engine is not None:
            self._engine.kill()
        self.close()


def _ran_instead(candidate: Candidate, line: BlockLine) -> str | None:
    """The algorithm that the library says it ran, where it is not the candidate's.

    NCCL passes over what it does not offer for a communicator and takes its own choice, whose time
    would then be credited to the candidate.
    """
    asked, ran = candidate.settings.get("algorithm"), line.block.observed.algorithm
    if asked is None or ran is None or ran.lower() == asked.lower():
        return None
    return ran


def launch_of(engine: Engine) -> LaunchLine:
    """What a launch says of itself."""
    own = {"launch": 0, "slot": 0, "purpose": "measure", "variant_environment": {}}
    return LaunchLine.model_validate({**engine.launch_line, **own})
