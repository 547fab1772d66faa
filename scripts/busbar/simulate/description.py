"""What a simulated platform is made of, as `src/sim/platform.cpp` reads it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from busbar.errors import UsageError

WORLD = "world"
_OTHERS = "-"  # in a route of a star: whoever is at the other end


@dataclass(frozen=True)
class Flap:
    """What is left of a link for the first `for_s` of every `every_s` seconds of the simulation."""

    for_s: float
    every_s: float
    bytes_per_s: float


@dataclass(frozen=True)
class Link:
    """One direction of a link."""

    bytes_per_s: float
    """Payload, as messages have no headers here."""
    latency_s: float
    flap: Flap | None = None


@dataclass(frozen=True)
class PlacedLink:
    """A link of a platform: its line."""

    name: str
    zone: str
    link: Link
    sharing: Literal["shared", "fatpipe"] = "shared"

    def __str__(self) -> str:
        link, flap = self.link, self.link.flap
        line = (
            f"link {self.name} {self.zone} {link.bytes_per_s!r} {link.latency_s!r} {self.sharing}"
        )
        if flap is None:
            return line
        return f"{line} {flap.for_s!r} {flap.every_s!r} {flap.bytes_per_s!r}"


@dataclass(frozen=True)
class Reduction:
    """Bytes per second that are reduced; None where that takes no time."""

    of_rank: float | None = None
    """Of one of two vectors that a rank combines."""
    of_switch: float | None = None
    """Of all that the aggregators at one switch take in."""


@dataclass(frozen=True)
class Platform:
    """Simulated hardware, and which of it a launch runs on."""

    parts: tuple[str | PlacedLink, ...]
    """What each line says."""
    workers: tuple[str, ...]
    """The simulated host of each rank."""
    nodes: tuple[str, ...]
    """What the engine calls the host of each rank: several simulated ones can be one node."""
    aggregators: tuple[str, ...]
    """The host of each aggregator, which is its name for the engine too."""
    trees: tuple[str, ...]
    """The engine's `--tree` texts."""

    @property
    def lines(self) -> tuple[str, ...]:
        """As `src/sim/platform.cpp` reads them."""
        return tuple(map(str, self.parts))


@dataclass
class Description:
    """Collects the lines. Names are of hosts, switches and zones alike, so each is used once."""

    reduction: Reduction = Reduction()
    parts: list[str | PlacedLink] = field(default_factory=list)
    _outer: set[str] = field(default_factory=set)
    """Zones that hold zones."""

    def star(self, name: str, parent: str | None, *, of_zones: bool = False) -> None:
        """A switch that never blocks; inside another one's zone it needs `uplink`.

        `of_zones`: zones hang on it, rather than hosts. What is beside zones must be in one too, or
        SimGrid finds no way to it; so is then the end of its uplink.
        """
        self._add("zone", name, "star", parent or "-")
        self._link(PlacedLink(_itself(name), name, Link(1e15, 0.0), "fatpipe"))
        if parent is not None:
            self._outer.add(parent)
            place = name
            if of_zones:
                place = f"{name}.core"
                self._add("zone", place, "star", name)
            self._add("router", _gateway(name), place)
            if of_zones:
                self._outer.add(name)
                self._attach(place, name, _gateway(name))

    def uplink(self, zone: str, parent: str, up: Link, down: Link) -> None:
        """What joins a zone to all others of its parent."""
        self._join(zone, parent, up, down, _gateway(zone))

    def host(self, name: str, zone: str, node: str, up: Link, down: Link) -> None:
        """A host of workers, on a link to the switch of its zone; it reaches itself for nothing."""
        self._worker(name, zone, node)
        self._join(name, zone, up, down, "-")
        self._add("route", zone, name, name, "-", "-", _itself(zone))

    def aggregator(self, name: str, zone: str) -> None:
        """A host in the very switch: it is limited by the links of those it talks to.

        And by the rate at which the switch reduces. Aggregators of several trees share it, and
        reach each other for nothing.
        """
        if zone in self._outer:
            place = _place(name)
            self.star(place, zone)
            self._attach(place, zone, _gateway(place))
            zone = place
        self._add("host", name, zone, name, "aggregator", _rate(self.reduction.of_switch))
        self._add("route", zone, name, _OTHERS, "-", "-", "-")
        self._add("route", zone, _OTHERS, name, "-", "-", "-")
        self._add("route", zone, name, name, "-", "-", _itself(zone))

    def _worker(self, name: str, zone: str, node: str) -> None:
        self._add("host", name, zone, node, "worker", _rate(self.reduction.of_rank))

    def _join(self, name: str, zone: str, up: Link, down: Link, gateway: str) -> None:
        for direction, link in (("tx", up), ("rx", down)):
            self._link(PlacedLink(f"{name}.{direction}", zone, link))
        self._add("route", zone, name, _OTHERS, gateway, "-", f"{name}.tx")
        self._add("route", zone, _OTHERS, name, "-", gateway, f"{name}.rx")

    def domain(self, name: str, parent: str) -> None:
        """GPUs that reach each other directly, and the rest through what joins each to it."""
        self._add("zone", name, "full", parent)
        self._link(PlacedLink(_itself(name), name, Link(1e15, 0.0), "fatpipe"))
        self._add("router", _gateway(name), name)
        self._outer.add(parent)
        self._attach(name, parent, _gateway(name))

    def _attach(self, zone: str, parent: str, gateway: str) -> None:
        """A zone without a link of its own to the switch above."""
        self._add("route", parent, zone, _OTHERS, gateway, "-", "-")
        self._add("route", parent, _OTHERS, zone, "-", gateway, "-")

    def domain_host(self, name: str, domain: str, node: str) -> None:
        """A GPU of a domain."""
        self._worker(name, domain, node)
        self._add("route", domain, name, name, "-", "-", _itself(domain))

    def domain_link(self, name: str, domain: str, link: Link) -> None:
        """One direction of a link of a domain."""
        self._link(PlacedLink(name, domain, link))

    def domain_route(self, domain: str, source: str, target: str, links: Sequence[str]) -> None:
        """The way from one GPU to another."""
        self._add("route", domain, source, target, "-", "-", ",".join(links))

    def domain_exit(self, domain: str, host: str, up: str, down: str) -> None:
        """The links by which a GPU reaches, and is reached from, outside."""
        self._add("route", domain, host, _gateway(domain), "-", "-", up)
        self._add("route", domain, _gateway(domain), host, "-", "-", down)

    def mesh(self, name: str) -> None:
        """An outermost zone without a switch: `pair` joins each two of its zones directly."""
        self._add("zone", name, "full", "-")

    def pair(self, one: str, other: str, parent: str, link: Link) -> None:
        """The link between two zones of a mesh, alike each way: `.tx` is from `one` to `other`."""
        for direction, source, target in (("tx", one, other), ("rx", other, one)):
            name = f"{one}-{other}.{direction}"
            self._link(PlacedLink(name, parent, link))
            self._add("route", parent, source, target, _gateway(source), _gateway(target), name)

    def shortcut(
        self, around: str, ends: tuple[str, str], hosts: tuple[str, str], links: Sequence[str]
    ) -> None:
        """The way from a host to another, each the only one of its zone, past what joins the zones.

        `around`: the innermost zone that holds both.
        """
        self._add("shortcut", around, *ends, *hosts, ",".join(links))

    def beside(self, aggregator: str, zone: str, around: str) -> None:
        """Lets a zone reach an aggregator of another past what joins the two, and back.

        That one holds zones. `around`: the innermost zone that holds both.
        """
        place = _place(aggregator)
        ends, hosts = (zone, place), (_gateway(zone), aggregator)
        for step in (1, -1):
            # A shortcut must have a link: one without limits.
            self._add("shortcut", around, *ends[::step], *hosts[::step], _itself(place))

    def _add(self, *words: str) -> None:
        for word in words:
            if not word or any(c.isspace() for c in word):
                raise UsageError(f"'{word}' cannot name a simulated host: accepted are no spaces.")
        self.parts.append(" ".join(words))

    def _link(self, link: PlacedLink) -> None:
        """Its name is made of a host's or a zone's, which come before it and have no spaces."""
        self.parts.append(link)


def _rate(bytes_per_s: float | None) -> str:
    return "-" if bytes_per_s is None else repr(bytes_per_s)


def _gateway(zone: str) -> str:
    return f"{zone}.switch"


def _place(aggregator: str) -> str:
    return f"{aggregator}.place"


def _itself(zone: str) -> str:
    return f"{zone}.itself"
