"""What variants ask for, in the network and by name, and whether that is shown to have run."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from busbar.record.evidence import asking_variants
from busbar.record.models import Launch, Point, Run, RunRecord, Variant

_NETWORK = ("NCCL_NET_PLUGIN", "NCCL_NET", "NCCL_IBEXT_DISABLE")
"""What chooses NCCL's network plugin."""

_BY_NAME = {"algorithm": "NCCL_ALGO", "protocol": "NCCL_PROTO"}
"""Settings that name what shall run, and the variable that does the same."""
_ONE_NAME = re.compile(r"\w+")  # neither a list, nor all but some

_RECORDED = re.compile(r"(NCCL|UCX|UCC|OMPI_MCA|SHARP|HCOLL|OMPI_UCC)_")
_LEFT_OUT = re.compile(
    r"TOKEN|SECRET|PASSW|KEY|CREDENTIAL|AUTH|PRIVATE"
    r"|OMPI_MCA_(ORTE_|ESS|PMIX|INITIAL_WDIR|SHMEM_RUNTIME)"
)
"""Of these, what the engine keeps out of records (`src/observe/environment.cpp`)."""


@dataclass(frozen=True)
class Requests:
    """The variants of a run, by what they say of reduction in the network."""

    asking: frozenset[str]
    of_nvlink: frozenset[str]
    """Those of them that ask for NVLink's switches."""
    silent: frozenset[str]
    """Those that say nothing."""
    named: Mapping[str, Mapping[str, str]]
    """Per variant: the one `algorithm` and the one `protocol` that it asks for."""
    environments: Mapping[str, Mapping[str, str]]
    """Per variant: the variables it sets."""
    launches: Sequence[Launch]

    @classmethod
    def of(cls, record: RunRecord) -> Requests:
        """From the record's plan."""
        variants = record.run.plan.variants
        return cls(
            asking=asking_variants(record.run),
            of_nvlink=frozenset(v.name for v in variants if v.in_network == "nvls"),
            silent=frozenset(v.name for v in variants if "in_network" not in v.settings),
            named={v.name: dict(_named(v)) for v in variants},
            environments={v.name: v.environment for v in variants},
            launches=record.launches,
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
        for what, asked in self.named.get(name, {}).items():
            ran = getattr(point.observed, what)
            if ran is not None and _plain(ran) != _plain(asked):
                return f"Variant {name} asks for {what} {asked}, and {ran} ran."
        return ""

    def not_given(self, point: Point) -> str:
        """One sentence where a launch did not have the variables of the point's variant."""
        name = point.key.variant
        asked = self.environments.get(name, {})
        for launch in self.measuring(point):
            if launch.variant_environment != asked:
                return (
                    f"Launch {launch.id} was given other variables than variant {name} has: judge "
                    "it as the variant that it was, or measure again."
                )
            for variable, value in asked.items():
                had = launch.settings.get(variable)
                if had != value and _is_recorded(variable):
                    return (
                        f"Variant {name} asks for {variable}={value}, and launch {launch.id} had "
                        f"{'none' if had is None else had}: see that it reaches every rank."
                    )
        return ""

    def measuring(self, point: Point) -> list[Launch]:
        """The launches that timed a point: those that observe take variables of their own."""
        used = {block.launch for block in point.blocks}
        return [x for x in self.launches if x.id in used and x.purpose == "measure"]

    def is_left_to_the_library(self, point: Point) -> bool:
        """MPI reduces in the network only when told to; NCCL takes NVLink's switches by itself."""
        return point.key.transport == "nccl" and point.key.variant in self.silent


def network_plugins_differ(run: Run) -> Iterator[str]:
    """A sentence where variants load different network plugins."""
    for name in _NETWORK:
        if len({variant.environment.get(name) for variant in run.plan.variants}) > 1:
            yield f"Variants differ in {name}: what one gains over another is not SHARP's alone."


def _named(variant: Variant) -> Iterator[tuple[str, str]]:
    """What shall run, where it is a single name."""
    for what, variable in _BY_NAME.items():
        asked = variant.settings.get(what) or variant.environment.get(variable) or ""
        if _ONE_NAME.fullmatch(asked):
            yield what, asked


def _plain(name: str) -> str:
    """NVLSTree in a variable is NVLS_TREE in NCCL's log."""
    return name.replace("_", "").lower()


def _is_recorded(variable: str) -> bool:
    return bool(_RECORDED.match(variable)) and not _LEFT_OUT.search(variable.upper())
