"""The run: what was asked for, its plan, and how it went."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from busbar.record.base import Count, Json, Model, Name, NonNegative, Timestamp
from busbar.record.key import PointKey

RunStatus = Literal["running", "complete", "interrupted", "failed"]
Need = Literal["required", "optional", "waived"]


class Variant(Model):
    """A named set of settings under which the same point is measured."""

    name: Name
    settings: dict[str, str]
    """Set inside the process, such as MPI_T control variables."""
    environment: dict[str, str]
    """Set before the process starts; a variant with any gets launches of its own."""

    @property
    def in_network(self) -> str:
        """How it asks for reduction inside the network; `off` where it does not."""
        return self.settings.get("in_network", "off")


class PlannedPoint(Model):
    """One row of the plan."""

    key: PointKey
    """As `PointKey.planned()` gives it: `group.nodes` is null."""
    need: Need
    evidence: str | None
    """Why a row may be waived; required for a waiver, null otherwise."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.need == "waived") != bool(self.evidence):
            raise ValueError("evidence belongs to a waived row, and a waived row needs it")
        if self.key.group.nodes is not None:
            raise ValueError("a planned key leaves group.nodes null")
        return self


class Stopping(Model):
    """When sampling of a block ends."""

    relative_ci: float = Field(gt=0)
    """Half the 95 % interval of the median over the median."""
    min_samples: int = Field(ge=1)
    max_samples: int = Field(ge=1)
    max_seconds: float = Field(gt=0)


class Warmup(Model):
    """What runs, untimed, before a block: until both are reached."""

    min_samples: Count
    min_seconds: NonNegative


class Plan(Model):
    """What was to be measured; a judge compares it with what was."""

    rows: list[PlannedPoint]
    variants: list[Variant]
    launches: int = Field(ge=1)
    """Launches of every environment."""
    stopping: Stopping
    warmup: Warmup
    rest_us: NonNegative
    """Between one sample's end and the next one's start, at least."""
    deadline_seconds: float = Field(gt=0)


class Segment(Model):
    """A stretch of a run between two starts of the launcher."""

    started: Timestamp
    fingerprint: str
    """Identifies the system; a segment that differs was measured on another machine."""


class Run(Model):
    """One use of `busbar run`."""

    id: Name
    started: Timestamp
    finished: Timestamp | None
    command: list[str]
    status: RunStatus
    """`running` in a journal without an end: the run goes on, or was killed."""
    plan: Plan
    seed: int
    on: Literal["local", "emulated", "simulated", "hostfile", "slurm"]
    fabric: str | None
    """Name of the fabric file it was run for; null if none was named."""
    emulated: bool
    simulated: bool
    fake: bool
    """True for figures that nothing measured, made for tests and examples."""
    emulation: dict[str, Json] | None
    """How the emulated fabric was built, enough to build it again."""
    scenario: str | None
    background: str | None
    segments: list[Segment]

    @model_validator(mode="after")
    def _check(self) -> Self:
        for kind, flag in (("emulated", self.emulated), ("simulated", self.simulated)):
            if self.on == kind and not flag:
                raise ValueError(f"a run on '{kind}' must say {kind}: true")
        return self
