"""What variants ask for in the network, and whether that is shown to have run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from busbar.record.evidence import asking_variants
from busbar.record.models import Point, Run, RunRecord

_NETWORK = ("NCCL_NET_PLUGIN", "NCCL_NET", "NCCL_IBEXT_DISABLE")
"""What chooses NCCL's network plugin."""


@dataclass(frozen=True)
class Requests:
    """The variants of a run, by what they say of reduction in the network."""

    asking: frozenset[str]
    of_nvlink: frozenset[str]
    """Those of them that ask for NVLink's switches."""
    silent: frozenset[str]
    """Those that say nothing."""

    @classmethod
    def of(cls, record: RunRecord) -> Requests:
        """From the record's plan."""
        variants = record.run.plan.variants
        return cls(
            asking=asking_variants(record.run),
            of_nvlink=frozenset(v.name for v in variants if v.in_network == "nvls"),
            silent=frozenset(v.name for v in variants if "in_network" not in v.settings),
        )

    def asks(self, point: Point) -> bool:
        """Whether its variant asks for it."""
        return point.key.variant in self.asking

    def leaves_no_bytes(self, point: Point) -> bool:
        """Whether no host's counter could see what is asked for: NVLink passes none of them."""
        return point.key.variant in self.of_nvlink

    def carried_out(self, point: Point) -> bool | None:
        """Whether what its variant asks for is shown to have run; None where nothing tells."""
        if self.leaves_no_bytes(point):
            algorithm = point.observed.algorithm
            if algorithm is not None:
                return algorithm.startswith("NVLS")
            # On one host only NVLink's own bytes can have said it; between hosts it is the fabric.
            return point.observed.in_network if point.key.group.nodes == 1 else None
        return point.observed.in_network

    def not_used(self, point: Point) -> str:
        """One sentence where it is shown to have run otherwise than its variant asks."""
        name, seen = point.key.variant, self.carried_out(point)
        how = "; ".join(point.observed.how)
        if seen is False and self.asks(point):
            return f"Variant {name} asks for reduction in the network, and hosts did it: {how}."
        if seen is True and not self.asks(point) and not self.is_left_to_the_library(point):
            return f"Variant {name} does not ask for it, and the network did it: {how}."
        return ""

    def is_left_to_the_library(self, point: Point) -> bool:
        """MPI reduces in the network only when told to; NCCL takes NVLink's switches by itself."""
        return point.key.transport == "nccl" and point.key.variant in self.silent


def network_plugins_differ(run: Run) -> Iterator[str]:
    """A sentence where variants load different network plugins."""
    for name in _NETWORK:
        if len({variant.environment.get(name) for variant in run.plan.variants}) > 1:
            yield f"Variants differ in {name}: what one gains over another is not SHARP's alone."
