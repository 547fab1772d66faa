"""A claim's file.

    name = "in-network-1.8x"
    claim = "Reduction in the network gives 1.8 times the effective bandwidth"
    source = "where it is claimed"
    how = "what to measure, for people"

    [scenario]
    operations = ["all_reduce"]
    from = "16M"
    least_nodes = 10

    [[figure]]
    compare = "in_network"
    baseline = "best"
    at_least = 1.8

Every figure must hold for every operation, at every size of the scenario that a record has or its
plan required: nothing is averaged.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import ConfigDict, Field, model_validator

from busbar.documents import Shipped
from busbar.fields import OperationName, SizeText
from busbar.record.base import Model, Name
from busbar.units import parse_size

Compare = Literal["in_network", "variants", "bound", "records"]


class Scenario(Model):
    """Which points of which records test a claim."""

    model_config = ConfigDict(populate_by_name=True)

    operations: list[OperationName] = Field(min_length=1)
    """All of them have to be measured."""
    from_size: SizeText = Field(alias="from", default="0")
    """Sizes from here on."""
    to_size: SizeText | None = Field(alias="to", default=None)
    transports: list[Literal["mpi", "nccl", "ucx"]] | None = None
    """Null: any."""
    least_nodes: int = Field(default=1, ge=1)
    least_ranks: int = Field(default=2, ge=2)
    background: bool = False
    """Whether the record must say that other traffic ran beside it."""
    scenario: Name | None = None
    """What the record must say was done to the network, word for word, such as `link loss`."""

    def has_size(self, size_bytes: int) -> bool:
        """Whether it is about this size."""
        below = self.to_size is None or size_bytes <= parse_size(self.to_size)
        return below and size_bytes >= parse_size(self.from_size)

    def sentence(self) -> str:
        """`all_reduce from 16M on 10 hosts or more`."""
        sizes = f" from {self.from_size}" if parse_size(self.from_size) else ""
        sizes += f" to {self.to_size}" if self.to_size else ""
        where = [f"{self.least_nodes} hosts or more"] if self.least_nodes > 1 else []
        where += [f"{self.least_ranks} ranks or more"] if self.least_ranks > 2 else []
        parts = [", ".join(self.operations) + sizes]
        parts += [f"on {' and '.join(where)}"] if where else []
        parts += [f"by transport {' or '.join(self.transports)}"] if self.transports else []
        return " ".join(parts)


class ClaimedFigure(Model):
    """A figure, and what is compared to get it."""

    compare: Compare
    """`in_network`: a variant that reduces in the network with the baseline; `variants`: two that
    are named; `bound`: a variant with the bound of the fabric; `records`: the first record that is
    given with the second."""
    at_least: float = Field(gt=0)
    """A ratio of times, baseline over claimed; of `bound` a share of it."""
    variant: Name = "default"
    """The one that is claimed to be fast; `in_network` finds its own."""
    baseline: Name | None = None
    """A variant's name, or for `in_network` also `best`: the fastest of those that hosts carried
    out, chosen by the same figures."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        wants = self.compare in ("in_network", "variants")
        if wants != (self.baseline is not None):
            raise ValueError(
                "baseline belongs to compare = in_network and variants, and these need it"
            )
        if self.compare == "bound" and self.at_least > 1:
            raise ValueError(f"at_least {self.at_least:g} is above the bound, accepted is up to 1")
        return self


class Claim(Model):
    """The fields of a claim's file."""

    name: Name
    claim: Name
    source: Name
    """Who claims it where; says so where no document is known."""
    how: Name
    """What to measure, for people."""
    not_yet: Name | None = None
    """What Busbar cannot bring about itself, so that a record must come from elsewhere."""
    scenario: Scenario
    figure: list[ClaimedFigure] = Field(min_length=1)

    def records(self) -> int:
        """How many records it compares."""
        return 2 if any(figure.compare == "records" for figure in self.figure) else 1


CLAIMS = Shipped("claim", Path(__file__).parent, Claim)
"""Those that come with Busbar, by name."""
