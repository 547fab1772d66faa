"""The lines of a journal as data models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, Self

from pydantic import BaseModel, Field, TypeAdapter, ValidationError, model_validator

from busbar.errors import UsageError
from busbar.record.base import Count, Model, Timestamp
from busbar.record.key import PointKey
from busbar.record.models import (
    BlockBody,
    Launch,
    LaunchBody,
    Problem,
    Run,
    RunStatus,
    Segment,
)
from busbar.validation import describe


class RunLine(Model):
    """First line: the run as it was planned, status `running`."""

    type: Literal["run"] = "run"
    schema_version: str
    run: Run


class LaunchLine(LaunchBody):
    """A launch: the engine's first line, with its place in the plan."""

    type: Literal["launch"] = "launch"
    launch: Count

    def to_launch(self) -> Launch:
        """The record's form, which calls the launch's number `id`."""
        return Launch(
            id=self.launch, **{name: getattr(self, name) for name in LaunchBody.model_fields}
        )


class BlockLine(Model):
    """A block: the engine's line without its request number, with the launch it came from."""

    type: Literal["block"] = "block"
    launch: Count
    key: PointKey
    algorithm_bytes: Count
    bus_factor: float | None
    block: BlockBody

    @model_validator(mode="after")
    def _fits_its_group(self) -> Self:
        """Lists per rank and per node must be as long as the key says."""
        group = self.key.group
        if (ranks := self.block.ranks) is not None:
            _refuse_length("ranks.arrival_us", ranks.arrival_us, group.size())
            _refuse_length("ranks.finish_us", ranks.finish_us, group.size())
        parts_us = self.block.parts_us
        if (parts_us is None) != (group.parts is None):
            raise ValueError("parts_us and the group's parts belong together")
        if parts_us is not None:
            _refuse_length("parts_us", parts_us, len(group.members()))
        if (wire := self.block.wire) is not None and group.nodes is not None:
            _refuse_length("wire.tx_bytes_per_node", wire.tx_bytes_per_node, group.nodes)
            _refuse_length("wire.rx_bytes_per_node", wire.rx_bytes_per_node, group.nodes)
        return self


def _refuse_length(name: str, values: Sequence[object], expected: int) -> None:
    if len(values) != expected:
        raise ValueError(f"{name} has {len(values)} entries, the group has {expected}")


class ProblemLine(Problem):
    """Something that went wrong."""

    type: Literal["problem"] = "problem"


class SegmentLine(Segment):
    """A resumed run begins here."""

    type: Literal["segment"] = "segment"


class EndLine(Model):
    """The run's end."""

    type: Literal["end"] = "end"
    finished: Timestamp
    status: RunStatus


JournalLine = RunLine | LaunchLine | BlockLine | ProblemLine | SegmentLine | EndLine

_LINE: TypeAdapter[JournalLine] = TypeAdapter(Annotated[JournalLine, Field(discriminator="type")])
_MODELS: dict[str, type[BaseModel]] = {
    "run": RunLine,
    "launch": LaunchLine,
    "block": BlockLine,
    "problem": ProblemLine,
    "segment": SegmentLine,
    "end": EndLine,
}


def parse_line(text: bytes) -> JournalLine:
    """One line of a journal. Raises UsageError naming the field that is wrong."""
    try:
        return _LINE.validate_json(text)
    except ValidationError as error:
        tag = str(next(iter(error.errors()[0]["loc"]), ""))
        raise UsageError(describe(error, _MODELS.get(tag))) from None
