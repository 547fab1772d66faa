"""The fabric file as data models, and the graph of cuts that theory reads.

A cut is a set of hosts and the rates at which bytes can leave and enter it. With one switch that
never blocks every host is a cut; a switch level with slower uplinks will be one more cut for the
hosts below it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, field_validator, model_validator

from busbar.errors import UsageError
from busbar.theory.operations import OPERATIONS, SIZELESS
from busbar.units import parse_size, sweep

Name = Annotated[str, Field(min_length=1)]


@dataclass(frozen=True)
class Port:
    """One direction of a link: its line rate, and the token bucket that shapes it."""

    rate_bps: float
    burst_bytes: float

    def __add__(self, other: Port) -> Port:
        """Both together."""
        return Port(self.rate_bps + other.rate_bps, self.burst_bytes + other.burst_bytes)

    def least_us(self, wire_bytes: float) -> float:
        """Shortest time in microseconds in which these bytes pass.

        A full bucket lets its burst through at once; from then on the line rate holds.
        """
        return max(0.0, wire_bytes - self.burst_bytes) / (self.rate_bps / 8e6)


@dataclass(frozen=True)
class Cut:
    """A set of hosts, and what can leave and enter it. Both directions at once: full duplex."""

    name: str
    hosts: frozenset[str]
    egress: Port
    ingress: Port


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Figure(_Part):
    """A number, and where it comes from."""

    value: float = Field(gt=0)
    source: Name


class Hosts(_Part):
    """Hosts with a link each to one switch that never blocks: `<prefix>1` to `<prefix><count>`."""

    prefix: Name
    count: int = Field(ge=1)
    egress_bps: Figure
    ingress_bps: Figure
    burst_bytes: Figure | None = None
    """Token bucket of each direction; none where the line itself sets the rate."""


class DifferentHost(_Part):
    """A host whose link is not like the others'."""

    name: Name
    egress_bps: Figure | None = None
    ingress_bps: Figure | None = None


class Protocol(_Part):
    """What a full packet carries, and what the link counts for it."""

    name: Name
    payload_bytes: Figure
    wire_bytes: Figure

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.payload_bytes.value > self.wire_bytes.value:
            raise ValueError("payload_bytes is above wire_bytes, accepted is at most the same")
        return self

    def efficiency(self) -> float:
        """Payload over wire bytes."""
        return self.payload_bytes.value / self.wire_bytes.value


class Latency(_Part):
    """Constants of the expected time."""

    message_us: Figure
    """What one message costs beyond its bytes."""


class Sweep(_Part):
    """The sizes that make sense on this fabric."""

    min: str
    max: str
    factor: int

    @model_validator(mode="after")
    def _check(self) -> Self:
        try:
            self.sizes()
        except UsageError as error:
            raise ValueError(error.message.removesuffix(".")) from None
        return self

    def sizes(self) -> Sequence[int]:
        """In bytes, rising."""
        return sweep(parse_size(self.min), parse_size(self.max), self.factor)


class Limit(_Part):
    """What a judge asks of an operation from a size on."""

    op: Name
    variant: Name = "default"
    from_size: str = Field(alias="from")
    at_least: float = Field(gt=0, le=1)
    """Of the bound: shortest possible time over measured time."""
    reason: Name

    @field_validator("op")
    @classmethod
    def _known(cls, op: str) -> str:
        if op not in OPERATIONS:
            raise ValueError(f"operation '{op}' is unknown, accepted: {', '.join(OPERATIONS)}")
        return op

    @field_validator("from_size")
    @classmethod
    def _size(cls, text: str) -> str:
        try:
            parse_size(text)
        except UsageError as error:
            raise ValueError(error.message.removesuffix(".")) from None
        return text

    def from_bytes(self) -> int:
        """Smallest size it holds for."""
        return parse_size(self.from_size)


class Fabric(_Part):
    """What the hardware is. `cuts()` is what theory reads."""

    name: Name
    description: Name
    kind: Literal["network", "shared_memory"]
    hosts: Hosts | None = None
    host: list[DifferentHost] = []
    protocol: Protocol | None = None
    latency: Latency | None = None
    sweep: Sweep
    limits: list[Limit] = []
    _cuts: tuple[Cut, ...] = PrivateAttr(default=())

    @model_validator(mode="after")
    def _check(self) -> Self:
        network = self.kind == "network"
        for name in ("hosts", "protocol"):
            if network and getattr(self, name) is None:
                raise ValueError(f"table [{name}] is missing, kind 'network' needs it")
        for name in ("hosts", "host", "protocol", "latency", "limits"):
            if not network and getattr(self, name):
                raise ValueError(f"table [{name}] has no meaning for kind 'shared_memory'")
        for different in self.host:
            if different.name not in self.host_names():
                accepted = ", ".join(self.host_names())
                raise ValueError(f"host '{different.name}' is unknown, accepted: {accepted}")
        self._cuts = tuple(self._cut(name) for name in self.host_names())
        return self

    def host_names(self) -> tuple[str, ...]:
        """Names of the hosts, in order; none for shared memory."""
        if self.hosts is None:
            return ()
        return tuple(f"{self.hosts.prefix}{n}" for n in range(1, self.hosts.count + 1))

    def cuts(self) -> tuple[Cut, ...]:
        """One cut per host."""
        return self._cuts

    def efficiency(self) -> float:
        """Payload over wire bytes of the protocol; 1 for shared memory."""
        return 1.0 if self.protocol is None else self.protocol.efficiency()

    def sizes(self, op: str) -> Sequence[int]:
        """The sizes in bytes at which this fabric's sweep visits an operation."""
        return (0,) if op in SIZELESS else self.sweep.sizes()

    def placement(self, ranks_per_node: int = 1, nodes: int | None = None) -> tuple[str, ...]:
        """The host of each rank when the first `nodes` hosts are filled one after another.

        Raises UsageError if there is no rank, or not that many hosts.
        """
        names = self.host_names()
        count = len(names) if nodes is None else nodes
        if ranks_per_node < 1:
            raise UsageError(f"{ranks_per_node} ranks per node: accepted is 1 or more.")
        if not (1 <= count <= len(names)):
            raise UsageError(
                f"{count} nodes: fabric '{self.name}' has {len(names)}, accepted is 1 to that."
            )
        return tuple(name for name in names[:count] for _ in range(ranks_per_node))

    def _cut(self, name: str) -> Cut:
        assert self.hosts is not None
        egress, ingress = self.hosts.egress_bps, self.hosts.ingress_bps
        for different in self.host:
            if different.name == name:
                egress = different.egress_bps or egress
                ingress = different.ingress_bps or ingress
        burst = self.hosts.burst_bytes.value if self.hosts.burst_bytes else 0.0
        return Cut(
            name=f"link of {name}",
            hosts=frozenset({name}),
            egress=Port(egress.value, burst),
            ingress=Port(ingress.value, burst),
        )
