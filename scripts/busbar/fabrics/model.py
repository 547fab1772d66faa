"""The fabric file as data models, and the graph of cuts that theory reads.

A cut is a set of hosts and the rates at which bytes can leave and enter it. With one switch that
never blocks every host is a cut; where leaves hang below a spine, the hosts below each leaf are one
more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Self

from pydantic import Field, PrivateAttr, model_validator

from busbar.errors import UsageError
from busbar.fabrics.cluster import Cluster, ClusterTables
from busbar.fabrics.counters import CounterLimit
from busbar.fabrics.figure import Figure, Name, Part
from busbar.fields import OperationName, SizeText
from busbar.leaves import spread
from busbar.theory.operations import SIZELESS
from busbar.units import format_size, parse_size, sweep

_TABLES = {
    "hosts": {"network"},
    "host": {"network"},
    "leaves": {"network"},
    "leaf": {"network"},
    "protocol": {"network"},
    "latency": {"network", "cluster"},
    "in_network": {"network", "cluster"},
    "reduction": {"network", "cluster"},
    "limits": {"network", "cluster"},
    "counters": {"network", "cluster"},
    "gpu": {"cluster"},
    "node": {"cluster"},
    "scale_up": {"cluster"},
    "nic": {"cluster"},
    "tier": {"cluster"},
}
"""The kinds of fabric that each table has a meaning for."""


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
    level: Literal["host", "leaf"]
    """Whether it is the link of one host, or the uplink of a leaf with the hosts below it."""


class DifferentLink(Part):
    """A host or leaf, by name, whose link upwards is not like the others'."""

    name: Name
    egress_bps: Figure | None = None
    ingress_bps: Figure | None = None


class _Links(Part):
    """Alike nodes, `<prefix>1` to `<prefix><count>`, with one link each to the switch above."""

    prefix: Name
    count: int = Field(ge=1)
    egress_bps: Figure
    ingress_bps: Figure
    burst_bytes: Figure | None = None
    """Token bucket of each direction; none where the line itself sets the rate."""

    def names(self) -> tuple[str, ...]:
        """Names of the nodes, in order."""
        return tuple(f"{self.prefix}{n}" for n in range(1, self.count + 1))

    def ports(self, name: str, different: Sequence[DifferentLink]) -> tuple[Port, Port]:
        """Egress and ingress of one node's link; of those that name it the last one holds."""
        egress, ingress = self.egress_bps, self.ingress_bps
        for link in different:
            if link.name == name:
                egress = link.egress_bps or egress
                ingress = link.ingress_bps or ingress
        burst = self.burst_bytes.value if self.burst_bytes else 0.0
        return Port(egress.value, burst), Port(ingress.value, burst)


class Hosts(_Links):
    """Hosts, each with a link to a switch that never blocks: the only one, or its leaf."""


class Leaves(_Links):
    """Switches that share the hosts, each with an uplink to one spine; none of them blocks.

    Hosts are below them in consecutive, nearly equal blocks (`busbar.leaves`).
    """

    count: int = Field(ge=2)


class InNetwork(Part):
    """How the switches reduce what passes them."""

    mechanism: Literal["tree", "sharp"]
    """Processes on hosts at the switches (`tree`), or the switches themselves (`sharp`)."""
    source: Name
    rate: Figure | None = None
    """Bits per second that one switch takes in and reduces, over all its ports together.

    None where its links alone set the pace.
    """


class Reduction(Part):
    """What it costs hosts to reduce."""

    gbs: Figure
    """GB/s of one of two vectors at which one rank combines them."""


class Protocol(Part):
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


class Latency(Part):
    """Constants of the expected time."""

    message_us: Figure
    """What one message costs beyond its bytes."""


class Sweep(Part):
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


class Limit(Part):
    """What a judge asks of an operation from a size on."""

    op: OperationName
    variant: Name = "default"
    from_size: SizeText = Field(alias="from")
    at_least: float = Field(gt=0, le=1)
    """The least share that is accepted: a time of theory over the measured time."""
    of: Literal["bound", "expected"] = "bound"
    """Which time of theory: the shortest possible one, or what the algorithm should take."""
    domains: Literal["one", "several"] | None = None
    """Where it holds: on one NVLink domain (or one host), or over several, that is, the network.
    None: on both, where no limit is for one of them alone."""
    reason: Name

    def from_bytes(self) -> int:
        """Smallest size it holds for."""
        return parse_size(self.from_size)

    def subject(self) -> str:
        """What it is a limit of, of which there is one: `all_reduce default from 1M`."""
        where = {"one": " in one domain", "several": " over several domains", None: ""}
        size = format_size(self.from_bytes())
        return f"{self.op} {self.variant} from {size}{where[self.domains]}"


class Fabric(ClusterTables):
    """What the hardware is. `cuts()` is what theory reads, of a GPU cluster `cluster`."""

    name: Name
    description: Name
    kind: Literal["network", "shared_memory", "cluster"]
    hosts: Hosts | None = None
    host: list[DifferentLink] = Field(default=[])
    leaves: Leaves | None = None
    leaf: list[DifferentLink] = Field(default=[])
    in_network: InNetwork | None = None
    """None where the switches cannot reduce."""
    reduction: Reduction | None = None
    """None where it costs hosts nothing to reduce."""
    protocol: Protocol | None = None
    latency: Latency | None = None
    sweep: Sweep
    limits: list[Limit] = Field(default=[])
    counters: list[CounterLimit] = Field(default=[])
    _cuts: tuple[Cut, ...] = PrivateAttr(default=())
    _cluster: Cluster | None = PrivateAttr(default=None)

    @model_validator(mode="after")
    def _check(self) -> Self:
        for name in ("hosts", "protocol"):
            if self.kind == "network" and getattr(self, name) is None:
                raise ValueError(f"table [{name}] is missing, kind 'network' needs it")
        for name, kinds in _TABLES.items():
            if self.kind not in kinds and getattr(self, name):
                raise ValueError(f"table [{name}] has no meaning for kind '{self.kind}'")
        if self.kind == "cluster":
            self._cluster = self.joined()
        self._check_leaves()
        _refuse_twice([f"counter '{limit.name}'" for limit in self.counters])
        _refuse_twice([limit.subject() for limit in self.limits])
        _refuse_unknown("host", self.host, self.host_names())
        _refuse_unknown("leaf", self.leaf, self.leaf_names())
        self._cuts = (*self._host_cuts(), *self._leaf_cuts())
        return self

    def _check_leaves(self) -> None:
        if self.leaves is None:
            if self.leaf:
                raise ValueError("table [leaves] is missing, [[leaf]] needs it")
            return
        hosts, leaves = len(self.host_names()), self.leaves.count
        if leaves > hosts:
            raise ValueError(
                f"'leaves.count' is {leaves}, accepted for {hosts} hosts: 2 to {hosts}"
            )
        if shared := set(self.host_names()) & set(self.leaf_names()):
            raise ValueError(f"'{min(shared)}' names a host and a leaf, a name is accepted once")

    def host_names(self) -> tuple[str, ...]:
        """Names of the hosts, in order; none for shared memory."""
        return () if self.hosts is None else self.hosts.names()

    def host_count(self) -> int | None:
        """How many hosts there are; None for shared memory."""
        if self._cluster is not None:
            return self._cluster.node.count
        return None if self.hosts is None else self.hosts.count

    def leaf_names(self) -> tuple[str, ...]:
        """Names of the switches below the spine, in order; none with one switch only."""
        return () if self.leaves is None else self.leaves.names()

    def cuts(self) -> tuple[Cut, ...]:
        """One cut per host, then one per leaf."""
        return self._cuts

    @property
    def cluster(self) -> Cluster | None:
        """Its GPUs, nodes and tiers; None for another kind."""
        return self._cluster

    def efficiency(self) -> float:
        """Payload over wire bytes of the protocol; 1 for shared memory."""
        if self._cluster is not None:
            return self._cluster.payload_share()
        return 1.0 if self.protocol is None else self.protocol.efficiency()

    def sizes(self, op: str) -> Sequence[int]:
        """The sizes in bytes at which this fabric's sweep visits an operation."""
        return (0,) if op in SIZELESS else self.sweep.sizes()

    def placement(self, ranks_per_node: int = 1, nodes: int | None = None) -> tuple[str, ...]:
        """The host of each rank when the first `nodes` hosts are filled one after another.

        Hosts of a cluster have no names of their own and are numbered here. Raises UsageError if
        there is no rank, or not that many hosts.
        """
        names = self.host_names()
        if self._cluster is not None:
            names = tuple(f"node{n}" for n in range(1, self._cluster.node.count + 1))
        count = len(names) if nodes is None else nodes
        if ranks_per_node < 1:
            raise UsageError(f"{ranks_per_node} ranks per node: accepted is 1 or more.")
        if not (1 <= count <= len(names)):
            raise UsageError(
                f"{count} nodes: fabric '{self.name}' has {len(names)}, accepted is 1 to that."
            )
        return tuple(name for name in names[:count] for _ in range(ranks_per_node))

    def _host_cuts(self) -> Iterator[Cut]:
        for name in self.host_names():
            assert self.hosts is not None
            egress, ingress = self.hosts.ports(name, self.host)
            yield Cut(f"link of {name}", frozenset({name}), egress, ingress, "host")

    def _leaf_cuts(self) -> Iterator[Cut]:
        if self.leaves is None:
            return
        blocks = spread(self.host_names(), self.leaves.count)
        for name, hosts in zip(self.leaf_names(), blocks, strict=True):
            egress, ingress = self.leaves.ports(name, self.leaf)
            yield Cut(f"uplink of {name}", frozenset(hosts), egress, ingress, "leaf")


def _refuse_twice(limited: Sequence[str]) -> None:
    for name in limited:
        if limited.count(name) > 1:
            raise ValueError(f"{name} has two limits, accepted is one of each")


def _refuse_unknown(what: str, links: Sequence[DifferentLink], names: Sequence[str]) -> None:
    for link in links:
        if link.name not in names:
            raise ValueError(f"{what} '{link.name}' is unknown, accepted: {', '.join(names)}")
