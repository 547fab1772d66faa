"""A plan's file: stages, each with groups of ranks and what is measured on them.

    name = "acceptance"
    description = "What a new cluster shows the day after installation"

    [launches]
    least = 2
    wanted = 5

    [block]
    least_samples = 5
    most_samples = 100
    most_seconds = 1.0
    relative_ci = 0.02

    [[stage]]
    name = "full system"
    groups = "all"

    [[stage.measure]]
    operations = ["all_reduce"]
    sizes = ["small", "large/16", "64M"]
    variants = ["default", "without", "in_network"]

What stages have in common is measured once, by the strictest need and with a limit where one of
them wants it.

Sizes are bytes, or the fabric's own: `small` and `large` are the ends of its sweep, `medium` lies
halfway between them on a logarithmic scale, and `/16` takes so many times less.
"""

from __future__ import annotations

import re
from math import log2
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from busbar.documents import Shipped
from busbar.errors import UsageError
from busbar.fabrics.model import Sweep
from busbar.fields import OperationName
from busbar.record.base import Model, Name
from busbar.record.run import Evidence, Need
from busbar.units import parse_size

Groups = Literal[
    "nodes", "rails", "pairs", "bisection", "shifts", "incast", "outcast", "leaves", "doubling",
    "all",
]  # fmt: skip
VariantWord = Literal["default", "without", "in_network"]
"""`default` as libraries come, `in_network` as the switches reduce, `without` the same settings
with hosts reducing."""

_OF_THE_FABRIC = re.compile(r"(small|medium|large)(?:/([1-9]\d*))?")


class Measure(Model):
    """Operations at sizes, under variants."""

    operations: list[OperationName] = Field(min_length=1)
    sizes: list[Name] = Field(min_length=1)
    variants: list[VariantWord] = Field(default=["default"], min_length=1)
    limited: bool = True
    """Whether a row is incomplete where no limit of the fabric applies, though its bound is known.
    False for sizes that latency decides, which are only compared with each other."""

    @field_validator("sizes")
    @classmethod
    def _understood(cls, texts: list[str]) -> list[str]:
        for text in texts:
            if _OF_THE_FABRIC.fullmatch(text) is None:
                try:
                    parse_size(text)
                except UsageError:
                    raise ValueError(
                        f"'{text}' is no size, accepted: bytes such as 64K, or small, medium and "
                        "large, which may be divided as in large/16"
                    ) from None
        return texts

    def sizes_on(self, sweep: Sweep) -> list[int]:
        """In bytes, rising, each once."""
        return sorted({_size(text, sweep) for text in self.sizes})


class Stage(Model):
    """Groups of ranks of one kind."""

    name: Name
    groups: Groups
    measure: list[Measure] = Field(min_length=1)
    need: Need = "required"
    evidence: Evidence | None = None
    """Of a waiver that the plan's author states; no other need has any."""
    isolated: int | None = Field(default=None, ge=1)
    """Of pairs: those that each rank sends to alone; null: all up to 16 ranks, else 4."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.need == "waived") != (self.evidence is not None):
            raise ValueError("evidence belongs to a waived stage, and a waived stage needs it")
        if self.isolated is not None and self.groups != "pairs":
            raise ValueError('isolated belongs to groups = "pairs" alone')
        return self


class Launches(Model):
    """How often everything is measured anew."""

    least: int = Field(default=2, ge=2)
    """With fewer there is no interval, and nothing can be judged."""
    wanted: int = Field(default=5, ge=2)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.wanted < self.least:
            raise ValueError(f"wanted {self.wanted} is below least {self.least}")
        return self


class BlockLimits(Model):
    """How long a point is measured in one launch."""

    least_samples: int = Field(default=5, ge=1)
    most_samples: int = Field(default=100, ge=1)
    most_seconds: float = Field(default=1.0, gt=0)
    """Longer where the slowest point needs it for its least samples."""
    relative_ci: float = Field(default=0.02, gt=0, lt=1)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.most_samples < self.least_samples:
            raise ValueError(
                f"most_samples {self.most_samples} is below least_samples {self.least_samples}"
            )
        return self


class PlanDocument(Model):
    """The fields of a plan's file."""

    name: Name
    description: Name
    launches: Launches = Launches()
    block: BlockLimits = BlockLimits()
    stage: list[Stage] = Field(min_length=1)

    @model_validator(mode="after")
    def _check(self) -> Self:
        names = [stage.name for stage in self.stage]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two stages are called '{name}', each needs a name of its own")
        return self


PLANS = Shipped("plan", Path(__file__).parent, PlanDocument)
"""Those that come with Busbar, by name."""


def _size(text: str, sweep: Sweep) -> int:
    match = _OF_THE_FABRIC.fullmatch(text)
    if match is None:
        return parse_size(text)
    sizes = sweep.sizes()
    middle = (log2(sizes[0]) + log2(sizes[-1])) / 2
    chosen = {
        "small": sizes[0],
        "medium": min(sizes, key=lambda size: abs(log2(size) - middle)),
        "large": sizes[-1],
    }[match[1]]
    return max(1, chosen // int(match[2] or 1))
