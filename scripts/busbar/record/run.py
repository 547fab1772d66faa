"""The run: what was asked for, its plan, and how it went."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from busbar.record.base import Count, Json, Model, Name, NonNegative, Timestamp
from busbar.record.key import PointKey

Evidence = Annotated[str, Field(pattern=r"\S")]
"""Some text: blanks excuse nothing."""
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
    evidence: Evidence | None
    """Why a row may be waived; required for a waiver, null otherwise."""
    stage: Name | None = None
    """The stage of the plan that asks for it; null in a plan without stages."""
    needs_limit: bool = False
    """Whether a required row whose bound is known must be held against a limit to count as done."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.need == "waived") != (self.evidence is not None):
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
    stopping: Stopping | None
    """Null in imported runs, as all that follows: another tool decided."""
    warmup: Warmup | None
    rest_us: NonNegative | None
    """Between one sample's end and the next one's start, at least."""
    deadline_seconds: float | None = Field(gt=0)
    name: Name | None = None
    """Of a plan of stages, such as `acceptance`; null for a sweep or a pattern."""
    sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    """Of what the plan's file said, in JSON; null where there is none, and in older records."""
    thinned: Name | None = None
    """What was left out for the sake of the budget, in one sentence; null where nothing was."""
    budget_seconds: float | None = Field(default=None, gt=0)
    """What the run was to take at most; null where nobody said."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        seen: set[PointKey] = set()
        for row in self.rows:
            if row.key in seen:
                raise ValueError(f"{row.key.op} at {row.key.size_bytes} bytes is planned twice")
            seen.add(row.key)
        return self

    def says_how(self) -> bool:
        """Whether it says how points were to be measured."""
        return None not in (self.stopping, self.warmup, self.rest_us, self.deadline_seconds)


class Segment(Model):
    """A stretch of a run between two starts of the launcher."""

    started: Timestamp
    fingerprint: str
    """Identifies the system; a segment that differs was measured on another machine."""


class Imported(Model):
    """A file of another tool's results."""

    tool: Name
    """Such as `nccl-tests`."""
    version: str | None
    """As the file states it; null where it does not."""
    format: Literal["text", "JSON"]
    file: Name
    """Its name, without folders."""
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    launches: list[Count] = Field(min_length=1)
    """Launches of this record that it describes."""
    started: str | None
    """When it began, as the file has it: the tools name no time zone."""


class Run(Model):
    """One use of `busbar run`, or of `busbar import`."""

    id: Name
    started: Timestamp
    """Of an imported run: when it was imported."""
    finished: Timestamp | None
    command: list[str]
    status: RunStatus
    """`running` in a journal without an end: the run goes on, or was killed."""
    plan: Plan
    seed: int | None
    """Null in imported runs."""
    on: Literal["local", "emulated", "simulated", "hostfile", "slurm", "imported"]
    fabric: str | None
    """Name of the fabric file it was run for; null if none was named."""
    emulated: bool
    simulated: bool
    fake: bool
    """True for figures that nothing measured, made for tests and examples."""
    emulation: dict[str, Json] | None
    """How the emulated fabric was built, enough to build it again."""
    scenario: str | None
    """What was made wrong with the network, such as `host3.tx at 80 %`; null for nothing."""
    background: str | None
    """What other traffic ran beside it; null where nobody made any."""
    segments: list[Segment]
    imported: list[Imported] | None = Field(default=None, min_length=1)
    """The files that its figures come from; null for what Busbar measured itself."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        for kind, flag in (("emulated", self.emulated), ("simulated", self.simulated)):
            if (self.on == kind) != flag:
                raise ValueError(f"a run on '{kind}' must say {kind}: true, and no other may")
        if self.emulation is not None and not self.emulated:
            raise ValueError("emulation belongs to a run that says emulated: true")
        if (self.on == "imported") != (self.imported is not None):
            raise ValueError("a run on 'imported' must name its files in imported, and no other")
        if self.imported is None and self.seed is None:
            raise ValueError("only an imported run has no seed")
        if self.imported is None and not self.plan.says_how():
            raise ValueError("only an imported run's plan leaves open how it was measured")
        return self
