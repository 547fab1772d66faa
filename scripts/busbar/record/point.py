"""Points: what was measured, block by block, and what it adds up to."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from busbar.record.base import Count, Interval, Model, Name, NonNegative
from busbar.record.key import PointKey

PointStatus = Literal["ok", "wrong_data", "hang", "waived", "not_run"]
StopReason = Literal["relative_ci", "max_samples", "max_seconds"]
Verified = Literal["every_block", "waived"]


class RankTimes(Model):
    """Medians per rank, in group order, relative to the agreed start."""

    arrival_us: list[float]
    finish_us: list[float]


class Estimators(Model):
    """The peers' own figures, computed from the same samples; microseconds."""

    osu_mean: float | None
    nccltests_pipelined: float | None


class Wire(Model):
    """Bytes per execution and node, nodes in order of their first rank; null where unreadable."""

    tx_bytes_per_node: list[float | None]
    rx_bytes_per_node: list[float | None]


class PointWire(Wire):
    """Of a point: medians over its blocks, beside what to expect of them."""

    expected: dict[str, float] = Field(default_factory=dict)
    """Payload bytes per execution that the busiest host sends or receives, by hypothesis."""


class Observed(Model):
    """What really ran, and how that is known."""

    algorithm: str | None
    protocol: str | None
    channels: int | None
    in_network: bool | None
    """Whether switches carried it out; null where nothing tells."""
    how: list[str]
    bytes_per_peer: list[list[float]] | None
    """Payload bytes per execution, [from][to]."""


class GpuState(Model):
    """What a GPU told of itself at one moment; null where it could not be asked."""

    sm_clock_mhz: int | None
    memory_clock_mhz: int | None
    temperature_c: int | None
    power_w: float | None
    throttle_reasons: list[str] | None


class GpuHealth(Model):
    """One rank's GPU just before and just after a block's samples."""

    before: GpuState | None
    after: GpuState | None


class NvlinkTraffic(Model):
    """What all NVLinks of one rank's GPU counted around a block; null where it does not tell."""

    tx_bytes: NonNegative | None
    """Of data, per execution."""
    rx_bytes: NonNegative | None
    crc_errors: Count | None
    """In all: damaged flits."""
    replays: Count | None
    recoveries: Count | None


class BlockBody(Model):
    """Consecutive samples of one point under one variant, taken in one visit."""

    round: Count
    t0_s: float | None
    """Null in imported runs."""
    samples_us: list[NonNegative] = Field(min_length=1)
    parts_us: list[list[NonNegative]] | None = None
    """Per part of the group and sample, the time of its slowest rank; null where there is one."""
    stop_reason: StopReason
    late_rank: list[int | None]
    last_rank: list[int | None]
    ranks: RankTimes | None
    clock_error_us: float | None
    first_call_us: float | None
    prepare_us: float | None
    estimators: Estimators
    checked_elements: Count | None
    wrong_elements: Count | None
    verified: Verified
    executions: Count | None
    printed: dict[str, float | None] | None = None
    """Of imported runs: the figures as the other tool printed them, in its own units. The one
    sample is then that tool's mean. Null for what Busbar measured."""
    errors: dict[str, int | None]
    congestion: dict[str, int | None] | None = None
    """Signs of full links, which are no fault; null in older records."""
    spoiled_samples: list[Count]
    """Indices of samples during which a counter of `errors` moved."""
    device_us: list[NonNegative] | None = None
    """Per sample, the slowest rank's time on its device's own clock; null without a device."""
    throttled: bool | None
    """Whether any rank's GPU said that something slowed its clocks; null where none says."""
    gpu_health: list[GpuHealth | None] | None = None
    """Per rank of the group; null for host memory."""
    nvlink: list[NvlinkTraffic | None] | None = None
    """Per rank of the group; null for host memory."""
    wire: Wire | None
    observed: Observed

    @model_validator(mode="after")
    def _check(self) -> Self:
        count = len(self.samples_us)
        for name, ranks in (("late_rank", self.late_rank), ("last_rank", self.last_rank)):
            if len(ranks) != count:
                raise ValueError(f"{name} has {len(ranks)} entries for {count} samples")
        if any(len(part_us) != count for part_us in self.parts_us or []):
            raise ValueError(f"a part of parts_us has not the {count} samples there are")
        if any(index >= count for index in self.spoiled_samples):
            raise ValueError(f"spoiled_samples names a sample beyond the {count} there are")
        return self


class Block(BlockBody):
    """A block of the record: with the launch it belongs to."""

    launch: Count


class TimeStats(Model):
    """Time of one execution; percentiles are null where the samples do not carry them."""

    median: float
    """Median of the launch medians."""
    ci95: Interval | None
    """95 % interval over launches; null for one launch."""
    min: float | None
    """Null for imported means, which hide it; so is max."""
    p90: float | None
    p99: float | None
    p99_9: float | None
    max: float | None


class Point(Model):
    """Everything measured under one key."""

    key: PointKey
    status: PointStatus
    reason: str | None
    """One sentence unless the status is `ok`."""
    stop_reason: StopReason | None
    """`relative_ci` only if every block ended so, else the limit that was hit."""
    algorithm_bytes: Count | None
    bus_factor: float | None
    blocks: list[Block]
    time_us: TimeStats | None
    """Over all samples, spoiled ones included; null if nothing was timed."""
    clean_time_us: TimeStats | None
    """The same without the spoiled samples; null if none was spoiled, or all were."""
    spoiled_share: float | None = Field(ge=0, le=1)
    """Spoiled samples over all samples; null if nothing was timed, or nobody watched."""
    estimators: Estimators
    algbw_gbs: float | None
    busbw_gbs: float | None
    wrong_elements: Count | None
    checked_elements: Count | None
    verified: Verified | None
    observed: Observed
    wire: PointWire | None


class Problem(Model):
    """Something that went wrong, as the launcher saw it."""

    launch: Count | None
    key: PointKey | None
    """Null where it struck before any point, such as in initialisation."""
    status: PointStatus
    reason: Name
