"""The points that a workload is made of, ready to be measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from busbar.launch.binary import Described
from busbar.launch.plan import MEMORY
from busbar.record.key import format_ranks
from busbar.record.models import Group, PointKey
from busbar.tune.candidate import DEFAULT_NAME, Candidate
from busbar.tune.workload import Operation


@dataclass(frozen=True)
class TunePoint:
    """One operation at one size, and how often the workload carries it out."""

    key: PointKey
    """Under the default."""
    weight: float

    @property
    def label(self) -> tuple[str, int, str]:
        """What tells it from the others of its workload."""
        return self.key.op, self.key.size_bytes, self.key.datatype

    def under(self, candidate: Candidate) -> PointKey:
        """The same point under a candidate."""
        return self.key.model_copy(update={"variant": candidate.name})


def points_of(
    operations: Sequence[Operation], described: Described, ranks: int, transport: str, threads: int
) -> list[TunePoint]:
    """One point for each of them, its size raised to what the operation can carry.

    What comes to the same point adds up. Raises UsageError for what this engine does not know.
    """
    weights: dict[PointKey, float] = {}
    for line in operations:
        info = described.operation(line.op)
        unit = described.element_bytes(line.datatype) * (ranks if info.chunked else 1)
        if line.redop is not None:
            described.check_redop(line.redop)
        key = PointKey(
            transport=transport,
            op=line.op,
            size_bytes=-(-line.size_bytes // unit) * unit if info.has_data else 0,
            datatype=line.datatype,
            redop=line.redop,
            root=0 if info.rooted else None,
            in_place=False,
            memory=MEMORY[transport],
            registration="none",
            graph=False,
            threads=threads,
            timing="isolated",
            clock_scope="host",
            variant=DEFAULT_NAME,
            group=Group(name="all", ranks=format_ranks(range(ranks)), nodes=None),
        )
        weights[key] = weights.get(key, 0.0) + line.count
    return [TunePoint(key, weight) for key, weight in weights.items()]
