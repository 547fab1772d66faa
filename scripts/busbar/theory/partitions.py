"""The strictest partition of hosts, for what they must send in all.

Where K parts must send D(K-1) bytes in all, T >= (D(K-1) - sum of bursts) / sum of rates holds for
every partition of the hosts into parts that are single hosts or whole leaves. More parts raise the
bytes, fewer lower the rates: a leaf counts as its hosts where its uplink is wide, and as one part
where it is narrow.

The largest ratio is found without trying all 2^leaves partitions: for a time T, each leaf on its
own chooses what leaves most undone (D x parts - bursts - T x rates); the time of that choice is
the next T, until none does better (Dinkelbach 1967, On nonlinear fractional programming).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add

from busbar.fabrics.model import Cut, Port

ALL_LINKS = "all links together"
ALL_UPLINKS = "all uplinks together"


@dataclass(frozen=True)
class Partition:
    """Disjoint parts that hold all hosts, by the links that join them in one direction."""

    name: str
    parts: int
    port: Port


@dataclass(frozen=True)
class _Choice:
    """One way to part the hosts below a leaf."""

    name: str
    whole: bool
    parts: int
    port: Port

    def undone(self, bytes_per_part: float, time_us: float) -> float:
        """Wire bytes that its links have not passed by then."""
        passed = self.port.burst_bytes + time_us * self.port.rate_bps / 8e6
        return bytes_per_part * self.parts - passed


def host_cuts(cuts: Iterable[Cut], hosts: frozenset[str]) -> list[Cut]:
    """The links of these hosts."""
    return [cut for cut in cuts if cut.level == "host" and cut.hosts & hosts]


def single_hosts(cuts: Sequence[Cut], hosts: frozenset[str], direction: str) -> Partition:
    """The partition into single hosts; `direction` is `egress` or `ingress`."""
    links = host_cuts(cuts, hosts)
    return Partition(ALL_LINKS, len(links), _together(links, direction))


def strictest(
    cuts: Sequence[Cut], hosts: frozenset[str], direction: str, bytes_per_part: float
) -> Partition:
    """The partition of two or more hosts that takes longest.

    `bytes_per_part`: wire bytes that one part more adds to what all send.
    """
    choices = _choices(cuts, hosts, direction)
    chosen = [each[0] for each in choices]
    time_us = _time_us(chosen, bytes_per_part)
    while True:
        better = [max(each, key=lambda c: c.undone(bytes_per_part, time_us)) for each in choices]
        longer_us = _time_us(better, bytes_per_part)
        if longer_us <= time_us:
            return _partition(chosen)
        chosen, time_us = better, longer_us


def _choices(cuts: Sequence[Cut], hosts: frozenset[str], direction: str) -> list[list[_Choice]]:
    """For each leaf, its hosts one by one, and as a whole if hosts are elsewhere too."""
    loose = hosts
    found = []
    for leaf in cuts:
        below = leaf.hosts & hosts
        if leaf.level != "leaf" or not below:
            continue
        loose -= below
        links = host_cuts(cuts, below)
        each = [_Choice(f"links below {leaf.name}", False, len(links), _together(links, direction))]
        if below != hosts:
            each.append(_Choice(leaf.name, True, 1, _together([leaf], direction)))
        found.append(each)
    if loose:
        links = host_cuts(cuts, loose)
        found.append([_Choice("links", False, len(links), _together(links, direction))])
    return found


def _together(cuts: Sequence[Cut], direction: str) -> Port:
    ports = [cut.egress if direction == "egress" else cut.ingress for cut in cuts]
    return reduce(add, ports)


def _time_us(chosen: Sequence[_Choice], bytes_per_part: float) -> float:
    """Below 0 where bursts swallow all of it, so that a comparison still finds the longest."""
    parted = _partition(chosen)
    undone = bytes_per_part * (parted.parts - 1) - parted.port.burst_bytes
    return undone / (parted.port.rate_bps / 8e6)


def _partition(chosen: Sequence[_Choice]) -> Partition:
    if not any(choice.whole for choice in chosen):
        name = ALL_LINKS
    elif all(choice.whole for choice in chosen):
        name = ALL_UPLINKS
    else:
        name = ", ".join(choice.name for choice in chosen) + " together"
    ports = reduce(add, (choice.port for choice in chosen))
    return Partition(name, sum(choice.parts for choice in chosen), ports)
