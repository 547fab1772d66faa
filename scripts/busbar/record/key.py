"""What makes two figures comparable: the key of a point."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from busbar.record.base import Model, Name

Timing = Literal["isolated", "pipelined"]

_RANGES = re.compile(r"\d+(-\d+)?(,\d+(-\d+)?)*")
_MOST_RANKS = 1 << 22  # several times the largest machines; keeps a torn range out of memory


def parse_ranks(text: str) -> tuple[int, ...]:
    """Ranks of a group in order: `"0-3,8"` is (0, 1, 2, 3, 8).

    Raises ValueError unless the text is a list of numbers and ranges, rising, each rank once.
    """
    if not _RANGES.fullmatch(text):
        raise ValueError(f"ranks '{text}' are not a list of numbers and ranges such as 0-3,8")
    ranks: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        if int(last or first) >= _MOST_RANKS:
            raise ValueError(f"rank {last or first} is not below {_MOST_RANKS}")
        ranks.extend(range(int(first), int(last or first) + 1))
    if not ranks or any(a >= b for a, b in pairwise(ranks)):
        raise ValueError(f"ranks '{text}' do not rise, each rank once, such as 0-3,8")
    return tuple(ranks)


def format_ranks(ranks: Iterable[int]) -> str:
    """The one canonical text of a set of ranks: (0, 1, 2, 3, 8) is `"0-3,8"`."""
    runs: list[list[int]] = []
    for rank in sorted(set(ranks)):
        if runs and rank == runs[-1][1] + 1:
            runs[-1][1] = rank
        else:
            runs.append([rank, rank])
    return ",".join(f"{a}-{b}" if b > a else f"{a}" for a, b in runs)


Split = Literal["node", "index"]
"""One communicator per host, or one of all ranks with the same index on their hosts (a rail)."""


class Group(Model):
    """The ranks an operation runs on: one communicator, or several that do it side by side."""

    name: Name
    """`all` for every rank, else the name the plan gave."""
    ranks: str
    """Ranks in canonical form, such as `0-3,8`."""
    nodes: int | None = Field(ge=1)
    """Nodes these ranks were seen on; null in a plan, where it is not known yet."""

    split: Split | None = None
    """Null: as `parts` say."""
    parts: tuple[str, ...] | None = Field(default=None, strict=False)  # JSON has lists
    """The ranks of each communicator, all of one size; null where there is one, of all ranks, and
    in a plan, where a split's are not known yet."""

    @field_validator("ranks")
    @classmethod
    def _canonical(cls, text: str) -> str:
        canonical = format_ranks(parse_ranks(text))
        if text != canonical:
            raise ValueError(f"ranks '{text}' are not canonical, write '{canonical}'")
        return text

    @field_validator("parts")
    @classmethod
    def _alike(cls, parts: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if parts is not None and len({len(parse_ranks(part)) for part in parts}) != 1:
            raise ValueError("parts are not all of one size")
        return parts

    @model_validator(mode="after")
    def _all_in_one(self) -> Self:
        if self.parts is not None:
            ranks = sorted(rank for part in self.parts for rank in parse_ranks(part))
            if ranks != list(parse_ranks(self.ranks)):
                raise ValueError(f"parts do not hold each of ranks '{self.ranks}' once")
        return self

    def size(self) -> int:
        """How many ranks."""
        return len(parse_ranks(self.ranks))

    def members(self) -> tuple[tuple[int, ...], ...]:
        """The ranks of each communicator, as far as is known."""
        return tuple(parse_ranks(part) for part in self.parts or (self.ranks,))

    def planned(self) -> Self:
        """Without what only a launch can tell."""
        parts = None if self.split is not None else self.parts
        return self.model_copy(update={"nodes": None, "parts": parts})


class PointKey(Model):
    """Everything that makes two figures comparable; two keys are equal only if all of it is."""

    transport: Name
    op: Name
    size_bytes: int = Field(ge=0)
    datatype: Name
    redop: Name | None
    """Null for operations that do not reduce."""
    root: int | None = Field(ge=0)
    """Null for operations without a root."""
    in_place: bool
    memory: Name
    registration: Name
    graph: bool
    threads: int = Field(ge=1)
    timing: Timing
    clock_scope: Name
    variant: Name
    group: Group

    def planned(self) -> Self:
        """The same key without what only a launch can tell: how a plan's row is looked up."""
        return self.model_copy(update={"group": self.group.planned()})
