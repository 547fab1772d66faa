"""What a fabric file accepts of counters of faults and of congestion."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from busbar.fabrics.figure import Name, Part
from busbar.record.counters import COUNTERS
from busbar.record.run import Evidence


class CounterLimit(Part):
    """The most of a counter that a judge accepts, over all blocks of a run."""

    name: Name
    """Plain, as `busbar.record.counters` has it."""
    at_most: float = Field(ge=0)
    per: Literal["run", "hour", "TB"] = "run"
    """In all; per hour of measured blocks; per TB (1e12 bytes) that hosts sent."""
    reason: Name
    waived: Evidence | None = None
    """Evidence that it cannot be read here. What was read of it all the same still counts."""

    @field_validator("name")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in COUNTERS:
            raise ValueError(f"counter '{name}' is unknown, accepted: {', '.join(COUNTERS)}")
        return name

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.at_most == 0 and self.per != "run":
            raise ValueError(
                f"counter '{self.name}' has at_most 0 per {self.per}, which no measurement of any "
                "length could show: accepted is 0 per run"
            )
        return self
