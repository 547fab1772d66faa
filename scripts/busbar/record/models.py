"""The run record as data models; `results/README.md` explains it, these models are its schema.

Units are in the names: bytes, microseconds (`_us`), seconds (`_s`), GB/s = 1e9 bytes/s (`_gbs`).
A missing figure is null, never 0.
"""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from busbar.record.base import Model
from busbar.record.key import Group, PointKey
from busbar.record.launch import (
    Clock,
    Gpu,
    Host,
    Launch,
    LaunchBody,
    Nic,
    Process,
    RdmaPort,
    System,
)
from busbar.record.point import (
    Block,
    BlockBody,
    Estimators,
    Observed,
    Point,
    PointStatus,
    PointWire,
    Problem,
    RankTimes,
    StopReason,
    TimeStats,
    Wire,
)
from busbar.record.run import (
    Imported,
    Plan,
    PlannedPoint,
    Run,
    RunStatus,
    Segment,
    Stopping,
    Variant,
    Warmup,
)

__all__ = [
    "SCHEMA_VERSION",
    "Block",
    "BlockBody",
    "Clock",
    "Estimators",
    "Gpu",
    "Group",
    "Host",
    "Imported",
    "Launch",
    "LaunchBody",
    "Model",
    "Nic",
    "Observed",
    "Plan",
    "PlannedPoint",
    "Point",
    "PointKey",
    "PointStatus",
    "PointWire",
    "Problem",
    "Process",
    "RankTimes",
    "RdmaPort",
    "Run",
    "RunRecord",
    "RunStatus",
    "Segment",
    "StopReason",
    "Stopping",
    "System",
    "TimeStats",
    "Variant",
    "Warmup",
    "Wire",
]

SCHEMA_VERSION = "1.4.0"


class RunRecord(Model):
    """The document a run leaves."""

    schema_version: str = Field(pattern=r"^\d+\.\d+\.\d+$")
    run: Run
    launches: list[Launch]
    points: list[Point]
    problems: list[Problem]

    @model_validator(mode="after")
    def _check(self) -> Self:
        if any(launch.fake for launch in self.launches) and not self.run.fake:
            raise ValueError("a run with a launch that was fake must say fake: true")
        launches: set[int] = set()
        for launch in self.launches:
            if launch.id in launches:
                raise ValueError(f"launch {launch.id} is described twice")
            launches.add(launch.id)
        seen: set[PointKey] = set()
        for point in self.points:
            name = f"{point.key.op} at {point.key.size_bytes} bytes"
            unknown = next((b.launch for b in point.blocks if b.launch not in launches), None)
            if unknown is not None:
                raise ValueError(f"{name} has a block of launch {unknown}, which is not described")
            if point.key in seen:
                raise ValueError(f"{name} has two points with the same key")
            seen.add(point.key)
        return self

    def point(self, key: PointKey) -> Point | None:
        """The point measured under a key; a planned key (no node count) matches any."""
        for point in self.points:
            if key in (point.key, point.key.planned()):
                return point
        return None
