"""One short launch before a plan: where its ranks are, and how long its blocks take.

Nothing of it is kept as a figure: two samples say what a visit costs, and no more.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from time import monotonic
from typing import Any, Self

from busbar.launch.engine import Engine
from busbar.launch.environment import base_environment, common_environment, program
from busbar.launch.plans.budget import Cost
from busbar.launch.request import Manner, seed_of, visit_request
from busbar.launch.target import Target
from busbar.record.models import PlannedPoint, PointKey, Stopping, Variant, Warmup

_SAMPLES = 2
_SECONDS = 10.0  # for its samples; a point that needs more is slow, and one sample says so
_SILENCE_S = 30.0  # beyond the engine's own deadline, so that its watchdogs speak first


@dataclass(frozen=True)
class _Kind:
    """Blocks that cost about the same at a size; of groups the largest stands for all."""

    op: str
    side_by_side: bool

    @classmethod
    def of(cls, key: PointKey) -> _Kind:
        return cls(key.op, key.group.parts is not None or key.group.split is not None)


@dataclass
class Figures:
    """What the probe saw."""

    start_s: float
    warmup: Warmup
    rest_us: float
    _seen: dict[tuple[_Kind, str], dict[int, Cost]] = field(default_factory=dict)

    def put(self, key: PointKey, visit_s: float, time_us: float, executions: int) -> None:
        """A visit of a point: all its seconds, and the time of one of its executions."""
        sample_s = (time_us + self.rest_us) / 1e6
        warm_s = max(self.warmup.min_samples * sample_s, self.warmup.min_seconds)
        set_up_s = max(0.0, visit_s - executions * sample_s) + warm_s
        sizes = self._seen.setdefault((_Kind.of(key), key.variant), {})
        sizes[key.size_bytes] = Cost(set_up_s, sample_s)

    def cost(self, key: PointKey) -> Cost:
        """Of one block: between the two sizes that were seen, on a straight line."""
        kind = _Kind.of(key)
        sizes = self._seen.get((kind, key.variant)) or self._of_another(kind)
        low, high = min(sizes), max(sizes)
        if low == high:
            return sizes[low]
        share = min(1.0, max(0.0, (key.size_bytes - low) / (high - low)))
        a, b = sizes[low], sizes[high]
        return Cost(
            a.set_up_s + share * (b.set_up_s - a.set_up_s),
            a.sample_s + share * (b.sample_s - a.sample_s),
        )

    def _of_another(self, kind: _Kind) -> dict[int, Cost]:
        """Of variants in another environment: its operation as another variant did it, or the
        slowest of all operations."""
        alike = [sizes for (other, _), sizes in self._seen.items() if other == kind]
        return max(
            alike or self._seen.values(), key=lambda sizes: max(c.sample_s for c in sizes.values())
        )


class Probe:
    """The launch; use as a context manager."""

    def __init__(
        self,
        target: Target,
        transport: str,
        engine: Path,
        variants: Sequence[Variant],
        manner: Manner,
        init_deadline_seconds: float,
        seed: int,
    ) -> None:
        self._manner = manner
        self._seed = seed
        first = variants[0].environment
        self._variants = {v.name: v for v in variants if v.environment == first}
        begin = monotonic()
        self._engine = Engine(
            target,
            program(engine, transport, target.threads),
            common_environment(target, transport, engine, variants) | first,
            base_environment=base_environment(variants),
            init_deadline=init_deadline_seconds,
        )
        self._start_s = monotonic() - begin

    def placement(self) -> list[str]:
        """The host of each rank."""
        processes = self._engine.launch_line["processes"]
        workers = sorted((p["rank"], p["host"]) for p in processes if p["role"] == "worker")
        return [str(host) for _, host in workers]

    def figures(self, rows: Iterable[PlannedPoint]) -> Figures:
        """What it takes to visit rows such as these; ends the launch, which takes time as well."""
        seen = Figures(self._start_s, self._manner.warmup, self._manner.rest_us)
        for key in _representatives([r.key for r in rows if r.need != "waived"], self._variants):
            begin = monotonic()
            answers = list(self._engine.visit(self._request(key), self._silence()))
            seconds = monotonic() - begin
            block = answers[0]["block"]
            times = block["samples_us"]
            seen.put(key, seconds, median(times), 1 + len(times))
        begin = monotonic()
        self._engine.close()
        seen.start_s += monotonic() - begin
        return seen

    def _request(self, key: PointKey) -> dict[str, Any]:
        manner = Manner(
            stopping=Stopping(
                relative_ci=self._manner.stopping.relative_ci,
                min_samples=_SAMPLES, max_samples=_SAMPLES, max_seconds=_SECONDS,
            ),
            warmup=Warmup(min_samples=1, min_seconds=0.0),
            rest_us=self._manner.rest_us,
            deadline_seconds=self._manner.deadline_seconds,
        )  # fmt: skip
        variant = self._variants[key.variant]
        seed = seed_of(self._seed, "probe", key.model_dump_json())
        return visit_request(key, [variant], manner, round_number=0, seed=seed)

    def _silence(self) -> float:
        return 2 * self._manner.deadline_seconds + _SECONDS + _SILENCE_S

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self._engine.__exit__(kind)


def _representatives(keys: Sequence[PointKey], variants: dict[str, Variant]) -> Iterable[PointKey]:
    """For each kind and variant the smallest and the largest size, on the largest group."""
    found: dict[tuple[_Kind, str], list[PointKey]] = {}
    for key in keys:
        if key.variant in variants:
            found.setdefault((_Kind.of(key), key.variant), []).append(key)
    for members in found.values():
        smallest = min(key.size_bytes for key in members)
        largest = max(key.size_bytes for key in members)
        for size in dict.fromkeys((smallest, largest)):
            of_size = [key for key in members if key.size_bytes == size]
            yield max(of_size, key=lambda key: key.group.size())
